"""The command line as a whole."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {"pyarrow", "numpy", "duckdb", "pydantic", "structlog", "aiohttp", "pymodbus", "pysnmp"}


def test_the_command_line_itself_loads_nothing_that_a_command_needs() -> None:
    """So that help and completion answer at once."""
    script = "import sys, busway.cli; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True
    )
    assert HEAVY & set(done.stdout.split()) == set()
