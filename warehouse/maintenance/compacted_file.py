"""Write sorted pieces as one Parquet file; each row group has only the names that it uses.

The encodings are those of fresh files: docs/decisions/ has the figures.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain
from typing import IO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.layout import ROW_GROUP_ROWS, Layout
from warehouse.name_order import Names, with_used_names

LEVEL = 3
"""pyarrow's default is 1; higher ones than 3 take far longer, and plain times get larger."""


def new_name() -> str:
    """Name a file; unlike a sink's, so that no sink takes it for a dead sink's."""
    return f"compacted-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex}.parquet"


def write_pieces(
    pieces: Iterable[pa.Table], file: IO[bytes], layout: Layout, field_ids: Mapping[str, int]
) -> pq.FileMetaData:
    """Write pieces, which have one schema; `field_ids` are the columns' in the catalogue.

    Raises:
        OSError: the file cannot be written.
    """
    groups = _row_groups(pieces)
    first = next(groups)
    schema = pa.schema(
        [
            field.with_metadata({"PARQUET:field_id": str(field_ids[field.name])})
            for field in first.schema
        ]
    )
    named = [name for name in schema.names if name not in layout.encodings]
    with pq.ParquetWriter(
        file,
        schema,
        compression="zstd",
        compression_level=LEVEL,
        use_dictionary=named,  # type: ignore[arg-type]  # the stubs know only bool
        column_encoding=dict(layout.encodings),
        store_schema=False,
        write_batch_size=ROW_GROUP_ROWS,  # of each batch the names in use are looked for
    ) as writer:
        for group in chain([first], groups):
            writer.write_table(_trimmed(group).cast(schema), row_group_size=ROW_GROUP_ROWS)
    return writer.writer.metadata


def _row_groups(pieces: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Cut the rows anew, into groups of ROW_GROUP_ROWS."""
    left: list[pa.Table] = []
    rows = 0
    for piece in pieces:
        left.append(piece)
        rows += piece.num_rows
        if rows < ROW_GROUP_ROWS:
            continue
        whole = pa.concat_tables(left)
        end = rows - rows % ROW_GROUP_ROWS
        for first in range(0, end, ROW_GROUP_ROWS):
            yield whole.slice(first, ROW_GROUP_ROWS)
        left, rows = [whole.slice(end)], rows - end
    if rows:
        yield pa.concat_tables(left)


def _trimmed(group: pa.Table) -> pa.Table:
    """Leave out of each dictionary what the group does not use: Parquet would store it."""
    group = group.combine_chunks()
    for place, field in enumerate(group.schema):
        if not pa.types.is_dictionary(field.type):
            continue
        column = cast("Names", group[field.name].chunk(0))
        trimmed = with_used_names(column.indices.to_numpy(), column.dictionary)
        group = group.set_column(place, field.name, trimmed)
    return group
