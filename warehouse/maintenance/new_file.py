"""What the catalogue must know of a Parquet file: read back from the file itself, once written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import pyarrow.parquet as pq

TAIL_BYTES = 8
"""Length of the footer, and the letters PAR1."""


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """A column of a file; its bounds as text, None where it has none."""

    field_id: int
    bytes: int
    nulls: int
    low: str | None
    high: str | None


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file in its place that is not in the catalogue yet."""

    name: str
    rows: int
    bytes: int
    footer_bytes: int
    columns: tuple[ColumnFacts, ...]


def read_facts(file: IO[bytes], name: str, field_ids: Mapping[str, int]) -> NewFile:
    """Read a file's footer.

    Raises:
        OSError: the file cannot be read.
        pa.ArrowException: it is no whole Parquet file.
    """
    metadata = pq.ParquetFile(file).metadata
    size = file.seek(0, 2)
    file.seek(size - TAIL_BYTES)
    footer_bytes = int.from_bytes(file.read(4), "little")
    columns = tuple(
        _column_facts(metadata, place, field_ids[metadata.schema.column(place).name])
        for place in range(metadata.num_columns)
    )
    return NewFile(name, metadata.num_rows, size, footer_bytes, columns)


def _column_facts(metadata: pq.FileMetaData, place: int, field_id: int) -> ColumnFacts:
    chunks = [metadata.row_group(n).column(place) for n in range(metadata.num_row_groups)]
    statistics = [chunk.statistics for chunk in chunks]
    known: list[Any] = [s for s in statistics if s is not None]  # the stubs know no `min_raw`
    bounded = [s for s in known if s.has_min_max]
    lows, highs = [s.min_raw for s in bounded], [s.max_raw for s in bounded]
    is_bounded = len(known) == len(chunks) and all(s.has_min_max or not s.num_values for s in known)
    return ColumnFacts(
        field_id=field_id,
        bytes=sum(chunk.total_compressed_size for chunk in chunks),
        nulls=sum(s.null_count for s in known),
        low=_text(min(lows), chunks[0]) if is_bounded and lows else None,
        high=_text(max(highs), chunks[0]) if is_bounded and highs else None,
    )


def _text(bound: Any, chunk: pq.ColumnChunkMetaData) -> str:
    """Write a bound as DuckLake does."""
    if isinstance(bound, bytes):
        return bound.decode()
    assert chunk.statistics is not None
    if chunk.statistics.logical_type.type == "TIMESTAMP":
        return str(np.datetime64(bound, "us")).replace("T", " ") + "+00"
    return str(bound)
