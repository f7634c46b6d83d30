"""Which GPUs and fields a node has: they come, and are missed for a while when they go."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from collectors.dcgm.fields import Key, Series
from collectors.dcgm.layout import Layout, Rows
from collectors.profile import DcgmSection
from facility.errors import DeviceGarbled

MOST_ROWS = 20_000
MISSED_S = 3600.0
"""A row that comes no more is bad for so long before it is given up."""


class Numbering(Protocol):
    """Series by number, from 1 in the order they first came; numbers hold until a restart."""

    series: list[Series | None]
    """What each is; number 0 is nothing."""
    restarts: int

    def restart(self) -> None:
        """Forget all series; those that come from then on are numbered anew."""


class Inventory:
    """Keeps the layout of one device in step with the series that come."""

    def __init__(self, device: str, section: DcgmSection, numbering: Numbering) -> None:
        self._device, self._section, self._numbering = device, section, numbering
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
        kept = self._came_us >= now_us - MISSED_S * 1e6
        if kept.all():
            return
        keys = [key for key, keep in zip(self.layout.rows, kept, strict=True) if keep]
        names = dict(zip(self.layout.rows, self.layout.table.sources, strict=True))
        self._use({key: names[key] for key in keys}, self._times())
        # So that a series that comes back is noticed as new.
        self._numbering.restart()

    def _add(self, series: list[Series | None]) -> None:
        known = dict(zip(self.layout.rows, self.layout.table.sources, strict=True))
        new = {s.key: s.name for s in series if s is not None and s.key not in known}
        if len(known) + len(new) > MOST_ROWS:
            raise DeviceGarbled(f"{len(known) + len(new)} values; expected at most {MOST_ROWS}")
        if new:
            self._use(known | new, self._times())

    def _use(self, names: dict[Key, str], times: dict[Key, int]) -> None:
        self.layout = Layout(self._device, self._section.points, names)
        self._came_us = np.array([times.get(key, 0) for key in self.layout.rows], np.int64)
        self._row_of = self.layout.rows_of(self._numbering.series)

    def _times(self) -> dict[Key, int]:
        return dict(zip(self.layout.rows, self._came_us.tolist(), strict=True))
