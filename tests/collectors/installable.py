"""What a test needs beside Python: CI installs it, so there its absence is a failure."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def is_missing(what: str) -> NoReturn:
    """Skip the test; under CI, where `.ci/run` should have installed it, fail it."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and .ci/run should have installed it", pytrace=False)
    pytest.skip(f"{what} is not installed")
