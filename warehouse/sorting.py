"""Batches of many collectors as one sorted table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pyarrow as pa

from warehouse.layout import Layout
from warehouse.name_order import Integers, NameOrder, Names


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
        schema = full[0].schema
        series = np.zeros(sum(batch.num_rows for batch in full), np.int64)
        ranks: dict[str, Integers] = {}
        for key, order in self._names.items():
            columns = [cast("Names", batch[key]) for batch in full]
            ranks[key], count = order.ranks(columns)
            series *= count
            series += ranks[key]
        times = np.concatenate([b[self._layout.time].cast(pa.int64()).to_numpy() for b in full])
        order_of_rows = order_of(series, times)
        places = pa.array(order_of_rows, pa.int64())
        return pa.Table.from_arrays(
            [
                self._names[field.name].column(ranks[field.name].take(order_of_rows))
                if field.name in ranks
                else _united(full, field.name).take(places)
                for field in schema
            ],
            schema=schema,
        )


def sort_rows(batches: Sequence[pa.RecordBatch], layout: Layout) -> pa.Table:
    """Sort once, as `Sorter.sort` does."""
    return Sorter(layout).sort(batches)


def _united(batches: Sequence[pa.RecordBatch], name: str) -> pa.Array[Any]:
    """One column of all batches, with one dictionary."""
    column = pa.chunked_array([batch[name] for batch in batches])
    return column.unify_dictionaries().combine_chunks()


def order_of(key: Integers, times: Integers) -> Integers:
    """Order by key, then time.

    A series' rows mostly come in time's order, which a stable sort by key keeps; finding out is
    cheaper than sorting by time.
    """
    order = _radix_order(key)
    key = key.take(order)
    repeats = key[1:] == key[:-1]
    if not repeats.any():
        return order
    in_order = times.take(order)
    goes_back = repeats & (in_order[1:] < in_order[:-1])
    return order.take(_radix_order(in_order, key)) if goes_back.any() else order


def _radix_order(*columns: Integers) -> Integers:
    """Give the stable order by the last column, then the one before: `np.lexsort`.

    Least significant digit first: numpy sorts 16-bit integers in linear time, so this takes half as
    long as sorting those of 64 bits.
    """
    order: Integers | None = None
    for column in columns:
        above_least = column - column.min()
        for shift in range(0, max(1, int(above_least.max()).bit_length()), 16):
            digit = (above_least >> shift).astype(np.uint16)
            if order is None:
                order = np.argsort(digit, kind="stable")
            else:
                order = order.take(np.argsort(digit.take(order), kind="stable"))
    assert order is not None
    return order
