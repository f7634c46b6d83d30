"""A demo that has run, for every test that only looks at what it left."""

from __future__ import annotations

import pytest
from processes_rig import Demo, run_busway


@pytest.fixture(scope="session")
def finished_demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    directory = tmp_path_factory.mktemp("system") / "demo"
    size = ("--seconds", "10", "--racks", "1")
    return Demo(run_busway("demo", *size, "--keep", str(directory), within_s=90), directory)
