"""Readings that urgent rules wait for: parted from their poll, to go ahead of the rest of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from collectors.source import Poll
from facility.point import PointTable

IsUrgent = Callable[[PointTable], npt.NDArray[np.bool_]]
"""Says which rows of a table must not wait for the next flush; asked once for each table."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """Some rows of a table, as a table of their own."""

    table: PointTable
    rows: npt.NDArray[np.intp]

    def of(self, poll: Poll) -> Poll:
        return Poll(self.table, poll.sampled_at_us, poll.value[self.rows], poll.quality[self.rows])


class Parting:
    """Parts polls in what is urgent and the rest; each reading is in one of the two."""

    def __init__(self, is_urgent: IsUrgent) -> None:
        self._is_urgent = is_urgent
        self._parts: WeakKeyDictionary[PointTable, tuple[_Rows, _Rows] | None] = WeakKeyDictionary()

    def part(self, poll: Poll) -> tuple[Poll | None, Poll]:
        """Give the urgent readings of a poll, if it has any, and the others."""
        try:
            parts = self._parts[poll.points]
        except KeyError:
            parts = self._parts[poll.points] = self._parts_of(poll.points)
        if parts is None:
            return None, poll
        urgent, rest = parts
        return urgent.of(poll), rest.of(poll)

    def _parts_of(self, table: PointTable) -> tuple[_Rows, _Rows] | None:
        mask = self._is_urgent(table)
        return (_rows(table, mask), _rows(table, ~mask)) if mask.any() else None


def _rows(table: PointTable, mask: npt.NDArray[np.bool_]) -> _Rows:
    rows = np.flatnonzero(mask)
    return _Rows(
        PointTable(
            table.device,
            tuple(table.components[row] for row in rows),
            tuple(table.quantities[row] for row in rows),
            tuple(table.sources[row] for row in rows),
        ),
        rows,
    )
