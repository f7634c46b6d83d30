"""How much is thrown at the drivers: a little, or BUSWAY_FUZZ_EXAMPLES for the full count."""

from __future__ import annotations

import os

import pytest

WANTED = int(os.environ.get("BUSWAY_FUZZ_EXAMPLES", "0"))
PATIENCE = pytest.mark.timeout(3600 if WANTED else 120)


def examples(default: int) -> int:
    """How many frames, texts or answers a test is to try."""
    return WANTED or default
