"""Write a table's rows as a Parquet file that is either whole or not there."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.arrivals import quarters_of
from warehouse.layout import FRESH_GROUP_ROWS, Layout
from warehouse.storage import Storage

OUR_NAME = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{32}\.parquet(\.tmp)?")
"""Names this module gives; DuckLake's own files begin with `ducklake-`."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """A finished file."""

    path: str
    """As the storage names it."""
    rows: int
    bytes: int
    quarters: Sequence[datetime] = ()
    """The quarters of an hour that its rows are from."""


def write_file(table: pa.Table, layout: Layout, storage: Storage) -> DataFile:
    """Store sorted rows as a file of the layout's table.

    Raises:
        LakeUnavailable: the storage refuses, for instance because it is full; nothing is left.
    """
    named = [name for name in table.schema.names if name not in layout.encodings]
    bounded = [name for name in table.schema.names if name not in layout.unbounded]

    def write(file: IO[bytes]) -> None:
        pq.write_table(
            table,
            file,
            compression="zstd",
            use_dictionary=named,  # type: ignore[arg-type]  # the stubs know only bool
            column_encoding=dict(layout.encodings),
            write_statistics=bounded,
            row_group_size=FRESH_GROUP_ROWS,
            write_batch_size=FRESH_GROUP_ROWS,  # of each batch the names in use are looked for
            store_schema=False,
        )

    name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex}.parquet"
    stored = storage.put(layout.table, name, write)
    return DataFile(stored.path, table.num_rows, stored.bytes, quarters_of(table, layout))
