"""Lists of different length as two columns: where each begins, and all of their values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from alerts.watch import Integers, Numbers


@dataclass(frozen=True, slots=True, eq=False)
class Ragged:
    """List i is `values[start[i]:start[i + 1]]`; `start` is one longer than there are lists."""

    start: Integers
    values: Numbers

    def of(self, lists: npt.NDArray[np.integer]) -> tuple[Integers, Integers]:
        """Give the values of some lists, one after another, and which of `lists` each is from."""
        begin = self.start[lists]
        counts = self.start[lists + 1] - begin
        origin = np.repeat(np.arange(len(lists)), counts)
        within = np.arange(len(origin)) - np.repeat(np.cumsum(counts) - counts, counts)
        return origin, self.values[begin[origin] + within].astype(np.int64)

    def inverted(self, count: int) -> Ragged:
        """Give for each of `count` values the lists that hold it, in order."""
        holder = np.repeat(np.arange(len(self.start) - 1, dtype=np.int32), np.diff(self.start))
        order = np.argsort(self.values, kind="stable")
        start = np.searchsorted(self.values[order], np.arange(count + 1)).astype(np.int64)
        return Ragged(start, holder[order])
