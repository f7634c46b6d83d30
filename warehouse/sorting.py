"""Batches of many collectors as one sorted table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.layout import Layout

Names: TypeAlias = "pa.DictionaryArray[Any, Any]"
Integers = npt.NDArray[np.int64]


def sort_rows(batches: Sequence[pa.RecordBatch], layout: Layout) -> pa.Table:
    """Give the rows of all batches (at least one) by the layout's keys, then time.

    Key columns are dictionaries without nulls, as `facility.reading` has them.
    """
    table = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks()
    key = np.zeros(table.num_rows, np.int64)
    for name in layout.keys:
        ranks, count = _ranks(cast("Names", table[name].chunk(0)))
        key *= count
        key += ranks
    times = table[layout.time].chunk(0).cast(pa.int64()).to_numpy()
    return table.take(pa.array(_order(key, times), pa.int64()))


def _ranks(column: Names) -> tuple[Integers, int]:
    """Give each row's place among the column's sorted names, and the number of names."""
    by_name = pc.sort_indices(column.dictionary).to_numpy()
    ranks = np.empty(len(by_name), np.int64)
    ranks[by_name] = np.arange(len(by_name))
    return ranks[column.indices.to_numpy()], len(by_name)


def _order(key: Integers, times: Integers) -> Integers:
    """Order by key, then time.

    Rows mostly come in time's order already, and a stable sort of the keys alone keeps it: half the
    cost of sorting by both.
    """
    order = np.argsort(key, kind="stable")
    same_key = np.diff(key[order]) == 0
    if np.any(same_key & (np.diff(times[order]) < 0)):
        order = np.lexsort((times, key))
    return order
