"""What `--format` and `--output` take."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from enum import StrEnum
from pathlib import Path

from facility.errors import QueryError


class Format(StrEnum):
    """How to print a table."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"
    ARROW = "arrow"


BINARY = frozenset({Format.PARQUET, Format.ARROW})


def is_terminal() -> bool:
    """Whether what is printed goes to a person's terminal."""
    return sys.stdout.isatty()


@contextmanager
def written_to(file: Path | None, output_format: Format) -> Iterator[None]:
    """Send what the block prints to a file, which is there when it is whole; None: leave it.

    Raises:
        QueryError: the file cannot be written, or a binary format would go to a terminal.
    """
    if file is None:
        if output_format in BINARY and is_terminal():
            raise QueryError(
                f"--format {output_format} is binary and would garble the terminal; add "
                f"--output FILE, or send it on: > FILE, | COMMAND"
            )
        yield
        return
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with partial.open("w", encoding="utf-8") as stream, redirect_stdout(stream):
            yield
        partial.replace(file)
    except OSError as error:
        raise QueryError(f"--output {file} cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
