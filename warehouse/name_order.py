"""The names of one key column as numbers that sort as the names do.

A collector's batches name the same series again and again, so what a dictionary comes to is
remembered: only the first batch of each costs a look-up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Names: TypeAlias = "pa.DictionaryArray[Any, Any]"
Integers = npt.NDArray[np.int64]
Numbers: TypeAlias = "npt.NDArray[Any]"
"""Integers of any width."""

_Mark = tuple[int, Any, Any]
_Known: TypeAlias = "defaultdict[_Mark, list[tuple[pa.StringArray, Integers]]]"

NONE: pa.StringArray = pa.array([], pa.string())
MOST_NAMES = 4_000_000
MOST_DICTIONARIES = 2_000
"""More of either, and everything is forgotten; names of devices long gone go with it."""


class NameOrder:
    """Every name seen, in order."""

    def __init__(self) -> None:
        self._names: pa.StringArray = NONE
        self._known: _Known = defaultdict(list)
        self._remembered = 0

    def coded(self, columns: Sequence[Names]) -> tuple[Numbers, pa.StringArray]:
        """Give all rows as places among these columns' names, and those names in order.

        Places take 16 bits where those suffice. The columns have no nulls.
        """
        if len(self._names) > MOST_NAMES or self._remembered > MOST_DICTIONARIES:
            self._forget()
        dictionaries = [cast("pa.StringArray", column.dictionary) for column in columns]
        self._learn(dictionaries)
        places = [self._places(names) for names in dictionaries]
        is_used = np.zeros(len(self._names), np.bool_)
        for of_it in places:
            is_used[of_it] = True
        used = np.flatnonzero(is_used)
        renumbered = np.zeros(len(self._names), np.uint16 if len(used) <= 1 << 16 else np.uint32)
        renumbered[used] = np.arange(len(used))
        parts = [
            renumbered.take(of_it).take(column.indices.to_numpy())
            for of_it, column in zip(places, columns, strict=True)
        ]
        return np.concatenate(parts), self._names.take(pa.array(used, pa.int64()))

    def _learn(self, dictionaries: Sequence[pa.StringArray]) -> None:
        """Take in dictionaries never seen; names among them move the places of those known."""
        unknown = [names for names in dictionaries if self._find(names) is None]
        if not unknown:
            return
        together = pa.concat_arrays(unknown)
        names = pa.concat_arrays([self._names, together]).unique()
        if len(names) > len(self._names):
            self._extend(names.sort())
        # Of all at once: each look-up begins with a table of all names.
        places = _places_in(self._names, together)
        ends = np.cumsum([len(names) for names in unknown])
        for names, of_it in zip(unknown, np.split(places, ends[:-1]), strict=True):
            if self._find(names) is None:
                self._known[_mark(names)].append((names, of_it))
                self._remembered += 1

    def _extend(self, names: pa.StringArray) -> None:
        """Go on with these, which hold all that there were."""
        moved = _places_in(names, self._names)
        for alike in self._known.values():
            alike[:] = [(known, moved.take(places)) for known, places in alike]
        self._names = names

    def _forget(self) -> None:
        """Begin anew."""
        self._names = NONE
        self._known.clear()
        self._remembered = 0

    def _places(self, dictionary: pa.StringArray) -> Integers:
        """Give the place of each name of a dictionary that has been learned."""
        places = self._find(dictionary)
        assert places is not None
        return places

    def _find(self, dictionary: pa.StringArray) -> Integers | None:
        for known, places in self._known[_mark(dictionary)]:
            if known.equals(dictionary):
                return places
        return None


def _places_in(names: pa.StringArray, of: pa.StringArray) -> Integers:
    return pc.index_in(of, value_set=names).to_numpy().astype(np.int64)


def with_used_names(numbers: Numbers, names: pa.Array[Any]) -> Names:
    """Give the column of the names at `numbers`, by row, its dictionary without any other name."""
    is_used = np.zeros(len(names), np.bool_)
    is_used[numbers] = True
    used = np.flatnonzero(is_used)
    renumbered = np.zeros(len(names), np.int32)
    renumbered[used] = np.arange(len(used), dtype=np.int32)
    return pa.DictionaryArray.from_arrays(
        pa.array(renumbered.take(numbers), pa.int32()), names.take(pa.array(used, pa.int64()))
    )


def _mark(dictionary: pa.StringArray) -> _Mark:
    """What two equal dictionaries have in common, and different ones seldom."""
    return len(dictionary), dictionary[0].as_py(), dictionary[-1].as_py()
