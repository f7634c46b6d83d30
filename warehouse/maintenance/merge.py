"""Many sorted files as one sorted stream, a batch of BATCH_ROWS of each in memory.

Names become numbers that sort as they do, so that a row's place is two integers: its series and its
time. Each step takes from every file the rows that no row still unread can come before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse.layout import Layout
from warehouse.name_order import Integers, Names
from warehouse.sorting import in_order

KeyNames = dict[str, pa.StringArray]
"""By key column, all names in it, sorted."""
Place = tuple[int, int]
"""Series and time."""
END: Place = (np.iinfo(np.int64).max, np.iinfo(np.int64).max)
BATCH_ROWS = 131_072
PIECE_ROWS = 1_000_000
"""About the most in one piece; sorting more at once is slower."""


def merge(files: Sequence[IO[bytes]], layout: Layout, columns: Sequence[str]) -> Iterator[pa.Table]:
    """Give the rows of all files by the layout's keys, then time, in pieces of any length.

    Key columns are dictionaries whose names are in order and, in all pieces, the same.

    Raises:
        OSError: a file cannot be read.
        pa.ArrowException: a file is no Parquet file, or damaged.
    """
    readers = [
        pq.ParquetFile(file, read_dictionary=list(layout.keys), pre_buffer=True) for file in files
    ]
    names = _names_in(readers, layout)
    sources = [_Source(reader, layout, names, columns) for reader in readers]
    while unread := [source for source in sources if source.fill()]:
        bounds = [source.bound(PIECE_ROWS // len(unread)) for source in unread]
        last = min((bound for bound in bounds if bound is not None), default=END)
        yield _in_order([source.take(last) for source in unread], layout, names)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Sorted rows of one file, key columns as numbers."""

    table: pa.Table
    series: Integers
    times: Integers

    def part(self, first: int, end: int) -> _Rows:
        return _Rows(
            self.table.slice(first, end - first), self.series[first:end], self.times[first:end]
        )


class _Source:
    """One file, read a batch at a time."""

    def __init__(
        self, reader: pq.ParquetFile, layout: Layout, names: KeyNames, columns: Sequence[str]
    ) -> None:
        self._batches = _batches(reader, list(columns))
        self._unread = reader.metadata.num_rows
        self._layout = layout
        self._names = names
        self._rows: _Rows | None = None

    def fill(self) -> bool:
        """Read on where nothing is in memory; say whether there is something now."""
        while (self._rows is None or not len(self._rows.series)) and self._unread:
            batch = next(self._batches)
            self._unread -= batch.num_rows
            self._rows = self._numbered(pa.Table.from_batches([batch]))
        return self._rows is not None and len(self._rows.series) > 0

    def bound(self, most_rows: int) -> Place | None:
        """Give the place up to which about `most_rows` may be taken; None where all may be."""
        assert self._rows is not None
        most = min(most_rows, len(self._rows.series) - 1)
        if not self._unread and most < most_rows:
            return None
        return int(self._rows.series[most]), int(self._rows.times[most])

    def take(self, last: Place) -> _Rows:
        """Give up the rows in memory up to and including a place."""
        assert self._rows is not None
        rows, (series, at) = self._rows, last
        first = int(np.searchsorted(rows.series, series, "left"))
        end = int(np.searchsorted(rows.series, series, "right"))
        cut = first + int(np.searchsorted(rows.times[first:end], at, "right"))
        self._rows = rows.part(cut, len(rows.series))
        return rows.part(0, cut)

    def _numbered(self, group: pa.Table) -> _Rows:
        group = group.combine_chunks()
        series = np.zeros(group.num_rows, np.int64)
        for key, names in self._names.items():
            column = cast("Names", group[key].chunk(0))
            numbers = pc.index_in(column.dictionary, value_set=names).to_numpy()
            numbers = numbers.take(column.indices.to_numpy())
            series = series * len(names) + numbers
            place = group.schema.get_field_index(key)
            group = group.set_column(place, key, pa.array(numbers, pa.int32()))
        times = group[self._layout.time].chunk(0).cast(pa.int64()).to_numpy()
        if _goes_back(series, times):  # written by another tool
            rows = in_order([series], times)
            group = group.take(pa.array(rows.order, pa.int64()))
            [series], times = rows.keys, rows.times
        return _Rows(group, series, times)


def _batches(reader: pq.ParquetFile, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Read a file in order; of one row group at a time the bytes are fetched together."""
    for group in range(reader.num_row_groups):
        yield from reader.iter_batches(BATCH_ROWS, row_groups=[group], columns=list(columns))


def _goes_back(series: Integers, times: Integers) -> bool:
    later = series[1:] > series[:-1]
    return not bool(np.all(later | ((series[1:] == series[:-1]) & (times[1:] >= times[:-1]))))


def _in_order(parts: Sequence[_Rows], layout: Layout, names: KeyNames) -> pa.Table:
    table = pa.concat_tables([part.table for part in parts])
    rows = in_order(
        [np.concatenate([part.series for part in parts])],
        np.concatenate([part.times for part in parts]),
    )
    table = table.combine_chunks().take(pa.array(rows.order, pa.int64()))
    for key in layout.keys:
        place = table.schema.get_field_index(key)
        column = pa.DictionaryArray.from_arrays(table[key].combine_chunks(), names[key])
        table = table.set_column(place, key, column)
    return table


def _names_in(readers: Sequence[pq.ParquetFile], layout: Layout) -> KeyNames:
    found: dict[str, list[Any]] = {key: [] for key in layout.keys}
    for reader in readers:
        for number in range(reader.num_row_groups):
            group = reader.read_row_group(number, columns=list(layout.keys))
            for key, seen in found.items():
                seen += [cast("Names", chunk).dictionary for chunk in group[key].chunks]
        for key, seen in found.items():
            found[key] = [_distinct(seen)]
    return {key: seen[0].sort() for key, seen in found.items()}


def _distinct(names: Sequence[pa.StringArray]) -> pa.StringArray:
    return pa.concat_arrays(names).unique()
