"""From the rows of an Arrow batch to the numbers of the series that are watched.

Names are dictionary-encoded, so each name is looked up once a dictionary and not once a row; what
is not watched is left out by its quantity before anything else is done with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from alerts.watch import Integers, Numbers, SeriesKey

Names: TypeAlias = "pa.DictionaryArray[Any, Any]"
NOT_WATCHED = -1
MOST_SENDERS = 1000
"""Whose last rows are remembered."""


class SeriesIndex:
    """Finds the number of (device, component, quantity) for many rows at once."""

    def __init__(self, series: Sequence[SeriesKey]) -> None:
        self._device = _numbered(key[0] for key in series)
        self._component = _numbered(key[1] for key in series)
        self._quantity = _numbered(key[2] for key in series)
        keys = np.array([self._key(*key) for key in series], np.int64)
        self._order = np.argsort(keys, kind="stable").astype(np.int32)
        self._keys = keys[self._order]
        self._known: dict[str, tuple[list[Names], Integers, Numbers]] = {}

    def locate(self, batch: pa.RecordBatch, sender: str) -> tuple[Integers, Numbers]:
        """Give the rows of `batch` that are watched, and the number of each one's series.

        A collector often sends the same points in the same order again; then the last answer to its
        name stands.
        """
        names = [cast("Names", batch[name]) for name in ("device", "component", "quantity")]
        if (known := self._known.get(sender)) is not None and _same_names(known[0], names):
            return known[1], known[2]
        rows, numbers = self._find(names)
        if len(self._known) >= MOST_SENDERS:
            self._known.clear()
        self._known[sender] = (names, rows, numbers)
        return rows, numbers

    def _find(self, names: Sequence[Names]) -> tuple[Integers, Numbers]:
        device, component, quantity = (
            _codes(column, numbers)
            for column, numbers in zip(
                names, (self._device, self._component, self._quantity), strict=True
            )
        )
        rows = np.flatnonzero(quantity.take(names[2].indices.to_numpy()) >= 0)
        if not len(rows):
            return rows, np.empty(0, np.int32)
        columns = [
            codes.take(column.indices.to_numpy().take(rows))
            for codes, column in zip((device, component, quantity), names, strict=True)
        ]
        keys = (columns[0] * len(self._component) + columns[1]) * len(self._quantity) + columns[2]
        places = np.searchsorted(self._keys, keys)
        places[places == len(self._keys)] = 0
        found = (self._keys.take(places) == keys) & (columns[0] >= 0) & (columns[1] >= 0)
        return rows[found], self._order.take(places[found])

    def _key(self, device: str, component: str, quantity: str) -> int:
        number = self._device[device] * len(self._component) + self._component[component]
        return number * len(self._quantity) + self._quantity[quantity]


def _numbered(names: Iterable[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(dict.fromkeys(names))}


def _codes(column: Names, numbers: dict[str, int]) -> npt.NDArray[np.int64]:
    """Give the number of each of the dictionary's names; NOT_WATCHED where it has none."""
    return np.array(
        [numbers.get(str(name), NOT_WATCHED) for name in column.dictionary.to_pylist()], np.int64
    )


def _same_names(known: Sequence[Names], names: Sequence[Names]) -> bool:
    """Whether rows name the same series, dictionaries and all: a comparison of memory."""
    return all(
        column.indices.equals(other.indices) and column.dictionary.equals(other.dictionary)
        for column, other in zip(names, known, strict=True)
    )
