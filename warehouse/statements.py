"""The SQL that the warehouse's own code runs, one statement a file in `warehouse/statements/`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

DIRECTORY = Path(__file__).parent / "statements"


@cache
def statement(name: str) -> str:
    """Read a statement by its file's name, without `.sql`."""
    return (DIRECTORY / f"{name}.sql").read_text("utf-8")
