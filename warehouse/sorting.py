"""Batches of many collectors as one sorted table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from warehouse.layout import Layout
from warehouse.name_order import Integers, NameOrder, Names, Numbers


class Sorter:
    """Sorts the rows of one table, flush after flush; remembers the names that come again."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._names = {key: NameOrder() for key in layout.keys}

    def sort(self, batches: Sequence[pa.RecordBatch]) -> pa.Table:
        """Give the rows of all batches (at least one row) by the layout's keys, then time.

        Key columns are dictionaries without nulls, as `facility.reading` has them.
        """
        full = [batch for batch in batches if batch.num_rows]
        coded = {
            key: order.coded([cast("Names", batch[key]) for batch in full])
            for key, order in self._names.items()
        }
        times = np.concatenate([b[self._layout.time].cast(pa.int64()).to_numpy() for b in full])
        rows = in_order([codes for codes, _ in coded.values()], times)
        columns: dict[str, pa.Array[Any]] = {
            key: pa.DictionaryArray.from_arrays(codes, names)
            for (key, (_, names)), codes in zip(coded.items(), rows.keys, strict=True)
        }
        places = pa.array(rows.order, pa.int64())
        fields = []
        for field in full[0].schema:
            if field.name == self._layout.time:
                columns[field.name] = pa.array(rows.times).view(field.type)
            elif field.name not in coded:
                columns[field.name] = _united(full, field.name).take(places)
            fields.append(field.with_type(columns[field.name].type))
        return pa.table(columns, schema=pa.schema(fields))


def sort_rows(batches: Sequence[pa.RecordBatch], layout: Layout) -> pa.Table:
    """Sort once, as `Sorter.sort` does."""
    return Sorter(layout).sort(batches)


def _united(batches: Sequence[pa.RecordBatch], name: str) -> pa.Array[Any]:
    """One column of all batches, with one dictionary."""
    column = pa.chunked_array([batch[name] for batch in batches])
    return column.unify_dictionaries().combine_chunks()


@dataclass(frozen=True, slots=True)
class Ordered:
    """Rows by their keys, then time."""

    order: Integers
    """Where each row was before."""
    keys: list[Numbers]
    times: Integers


def in_order(keys: Sequence[Numbers], times: Integers) -> Ordered:
    """Order by the first key, the next ones, then time; rows alike in all keep their order.

    A series' rows mostly come in time's order, which a stable sort by key keeps; finding out is
    cheaper than sorting by time.
    """
    order = _radix_order(keys)
    rows = Ordered(order, [key.take(order) for key in keys], times.take(order))
    goes_back = rows.times[1:] < rows.times[:-1]
    for key in rows.keys:
        goes_back &= key[1:] == key[:-1]
    if goes_back.any():
        order = _radix_order([*keys, times])
        rows = Ordered(order, rows.keys, times.take(order))
    return rows


def _radix_order(columns: Sequence[Numbers]) -> Integers:
    """Give the stable order by the first column, then the next: `np.lexsort` of the reverse.

    Least significant digit first: numpy sorts 16-bit integers in linear time, so this takes half as
    long as sorting those of 64 bits.
    """
    order: Integers | None = None
    for digit in _digits(columns):
        if order is None:
            order = np.argsort(digit, kind="stable")
        else:
            order = order.take(np.argsort(digit.take(order), kind="stable"))
    assert order is not None
    return order


def _digits(columns: Sequence[Numbers]) -> Iterator[npt.NDArray[np.uint16]]:
    """Give 16 bits of each row at a time, the least significant of the last column first."""
    for column in reversed(columns):
        if column.dtype == np.uint16:
            yield column
            continue
        above_least = column - column.min()
        for shift in range(0, max(1, int(above_least.max()).bit_length()), 16):
            yield (above_least >> shift).astype(np.uint16)
