"""Which rows a device has: they come, and are missed for a while when they go."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from collectors.exporter.layout import Blanks, Layout, Rows
from collectors.exporter.series import Key, Series
from collectors.profile import Point
from facility.errors import DeviceGarbled

MOST_ROWS = 20_000
MISSED_S = 3600.0
"""A row that comes no more is bad for so long before it is given up, unless it is expected."""
NEVER_US = np.iinfo(np.int64).max
"""For rows that are owed: they are not given up."""


class Numbering(Protocol):
    """Series by number, from 1 in the order they first came; numbers hold until a restart."""

    series: list[Series | None]
    """What each is; number 0 is nothing."""
    restarts: int

    def restart(self) -> None:
        """Forget all series; those that come from then on are numbered anew."""


class Expected(Protocol):
    """The parts that a device must have, and their rows."""

    @property
    def count(self) -> int:
        """How many parts."""

    @property
    def rows(self) -> int:
        """How many rows a device has that was never seen."""

    def part_of(self, key: Key) -> str:
        """The part whose row it is; empty for a row of nothing that can be expected."""

    def owed(self, came: Mapping[Key, str]) -> dict[Key, str]:
        """Rows of expected parts that never came, and the names they would be printed under."""

    def keeps(self, part: str, here: Collection[str]) -> bool:
        """Whether a part that is not `here` is waited for, however long."""

    def absent(self, keys: Iterable[Key], here: Collection[str]) -> set[str]:
        """The expected parts among the rows that are not `here`."""


class Whatever:
    """Expected where nothing is: whatever comes."""

    count = 0

    def __init__(self, points: Sequence[Point]) -> None:
        self.rows = len(points)

    def part_of(self, _key: Key) -> str:
        """See `Expected`."""
        return ""

    def owed(self, _came: Mapping[Key, str]) -> dict[Key, str]:
        """See `Expected`."""
        return {}

    def keeps(self, _part: str, _here: Collection[str]) -> bool:
        """See `Expected`."""
        return False

    def absent(self, _keys: Iterable[Key], _here: Collection[str]) -> set[str]:
        """See `Expected`."""
        return set()


class Inventory:
    """Keeps the layout of one device in step with the series that come.

    Args:
        device: its id.
        points: the profile's.
        numbering: of the series.
        expected: the parts that must be there; their rows are, whether they come or not.
        blanks: numbers that are none.
    """

    def __init__(
        self,
        device: str,
        points: Sequence[Point],
        numbering: Numbering,
        expected: Expected,
        blanks: Blanks,
    ) -> None:
        self._device, self._points, self._numbering = device, points, numbering
        self._expected, self._blanks = expected, blanks
        self._seen = (0, 0)
        self._use({}, {})

    def take(self, there: npt.NDArray[np.bool_], now_us: int) -> tuple[Layout, Rows]:
        """The layout for a reading in which these series have a number, and the row of each series.

        Raises:
            DeviceGarbled: it would have more than MOST_ROWS rows.
        """
        numbering = self._numbering
        seen = (numbering.restarts, len(numbering.series))
        if seen != self._seen:
            self._add(numbering.series)
            self._seen = seen
            self._row_of = self.layout.rows_of(numbering.series)
        rows = self._row_of
        self._came_us[rows[there & (rows >= 0)]] = now_us
        return self.layout, rows

    def give_up(self, now_us: int) -> None:
        """Leave out the rows that have been missing for MISSED_S, from the next reading on."""
        recent = self._came_us >= now_us - MISSED_S * 1e6
        if recent.all():
            return
        part_of = self._expected.part_of
        recently = {key for key, came in zip(self.layout.rows, recent, strict=True) if came}
        here = {part_of(key) for key in recently - self._owed.keys()} - {""}
        kept = {
            key: name
            for key, name in self._names.items()
            if key in recently
            or (part_of(key) not in here and self._expected.keeps(part_of(key), here))
        }
        if len(kept) == len(self._names):
            return
        self._use(kept, self._times())
        # So that a series that comes back is noticed as new.
        self._numbering.restart()

    def _add(self, series: list[Series | None]) -> None:
        known = self._names
        new = {s.key: s.name for s in series if s is not None and s.key not in known}
        if len(known) + len(new) > MOST_ROWS:
            raise DeviceGarbled(f"{len(known) + len(new)} values; expected at most {MOST_ROWS}")
        if new:
            self._use(known | new, self._times())

    def _use(self, names: dict[Key, str], times: dict[Key, int]) -> None:
        self._names, self._owed = names, self._expected.owed(names)
        self.layout = Layout(self._device, self._points, names | self._owed, self._blanks)
        came = [NEVER_US if k in self._owed else times.get(k, 0) for k in self.layout.rows]
        self._came_us = np.array(came, np.int64)
        self._row_of = self.layout.rows_of(self._numbering.series)

    def _times(self) -> dict[Key, int]:
        return dict(zip(self.layout.rows, self._came_us.tolist(), strict=True))
