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
MOST_NEW = 1_000_000
"""Points that are noted until somebody asks for them."""


class SeriesIndex:
    """Finds the number of (device, component, quantity) for many rows at once.

    `points` are known and not watched. What is neither, and has a quantity of `quantities`, is
    noted in `new_points`: parts of a device show themselves only when it is read.
    """

    def __init__(
        self,
        series: Sequence[SeriesKey],
        points: Iterable[SeriesKey] = (),
        quantities: Iterable[str] = (),
    ) -> None:
        watched = set(series)
        known = [*series, *(point for point in points if point not in watched)]
        self._device = _numbered(key[0] for key in known)
        self._component = _numbered(key[1] for key in known)
        self._quantity = _numbered([*(key[2] for key in known), *quantities])
        self._quantities = frozenset(quantities)
        keys = np.array([self._key(*key) for key in known], np.int64)
        order = np.argsort(keys, kind="stable")
        self._keys = keys[order]
        self._series = np.where(order < len(series), order, NOT_WATCHED).astype(np.int32)
        self._known: dict[str, tuple[list[Names], Integers, Numbers]] = {}
        self.new_points: set[SeriesKey] = set()

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
        if not len(self._keys):
            self._note_new(names, rows)
            return np.empty(0, np.int64), np.empty(0, np.int32)
        places = np.searchsorted(self._keys, keys)
        places[places == len(self._keys)] = 0
        found = (self._keys.take(places) == keys) & (columns[0] >= 0) & (columns[1] >= 0)
        self._note_new(names, rows[~found])
        series = self._series.take(places)
        watched = found & (series != NOT_WATCHED)
        return rows[watched], series[watched]

    def _note_new(self, names: Sequence[Names], rows: Integers) -> None:
        """Note the points of some rows; there are none once a site is known."""
        if self._quantities and len(rows) and len(self.new_points) < MOST_NEW:
            chosen = [_texts(column, rows) for column in names]
            self.new_points.update(
                point for point in zip(*chosen, strict=True) if point[2] in self._quantities
            )

    def _key(self, device: str, component: str, quantity: str) -> int:
        number = self._device[device] * len(self._component) + self._component[component]
        return number * len(self._quantity) + self._quantity[quantity]


def _numbered(names: Iterable[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(dict.fromkeys(names))}


def _names(column: Names) -> list[str]:
    return [str(name) for name in cast("pa.StringArray", column.dictionary).to_pylist()]


def _texts(column: Names, rows: Integers) -> list[str]:
    names = _names(column)
    return [names[code] for code in column.indices.to_numpy().take(rows)]


def _codes(column: Names, numbers: dict[str, int]) -> npt.NDArray[np.int64]:
    """Give the number of each of the dictionary's names; NOT_WATCHED where it has none."""
    return np.array([numbers.get(name, NOT_WATCHED) for name in _names(column)], np.int64)


def _same_names(known: Sequence[Names], names: Sequence[Names]) -> bool:
    """Whether rows name the same series, dictionaries and all: a comparison of memory."""
    return all(
        column.indices.equals(other.indices) and column.dictionary.equals(other.dictionary)
        for column, other in zip(names, known, strict=True)
    )
