"""Write a table's rows as a Parquet file that is either whole or not there."""

from __future__ import annotations

import os
import re
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from facility.errors import LakeUnavailable
from warehouse.layout import ROW_GROUP_ROWS, Layout

TEMPORARY = ".tmp"
OUR_NAME = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{32}\.parquet(\.tmp)?")
"""Names this module gives; DuckLake's own files begin with `ducklake-`."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """A finished file."""

    path: Path
    rows: int
    bytes: int


def write_file(table: pa.Table, layout: Layout, directory: Path) -> DataFile:
    """Write sorted rows under a temporary name, sync, rename, sync the directory.

    Raises:
        LakeUnavailable: the disk refuses, for instance because it is full; nothing is left behind.
    """
    path = directory / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex}.parquet"
    temporary = path.with_name(path.name + TEMPORARY)
    named = [name for name in table.schema.names if name not in layout.encodings]
    try:
        with temporary.open("wb") as file:
            pq.write_table(
                table,
                file,
                compression="zstd",
                use_dictionary=named,  # type: ignore[arg-type]  # the stubs know only bool
                column_encoding=dict(layout.encodings),
                row_group_size=ROW_GROUP_ROWS,
                store_schema=False,
            )
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        temporary.rename(path)
        sync_directory(directory)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise LakeUnavailable(f"{path} cannot be written: {error.strerror or error}") from error
    return DataFile(path, table.num_rows, size)


def sync_directory(directory: Path) -> None:
    """Make renames in a directory outlive a power failure."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
