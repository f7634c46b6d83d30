"""What `--format` takes."""

from __future__ import annotations

from enum import StrEnum


class Format(StrEnum):
    """How to print a table."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"
    ARROW = "arrow"
