"""Which GPUs and fields a node has: they come, and are missed for a while when they go."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from collectors.dcgm.expected import Expected
from collectors.dcgm.fields import Key, Series
from collectors.dcgm.layout import Layout, Rows
from collectors.profile import DcgmSection
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


class Inventory:
    """Keeps the layout of one device in step with the series that come.

    Args:
        device: its id.
        section: the fields.
        numbering: of the series.
        expected: the GPUs that must be there; their rows are, whether they come or not.
    """

    def __init__(
        self, device: str, section: DcgmSection, numbering: Numbering, expected: Expected
    ) -> None:
        self._device, self._section, self._numbering = device, section, numbering
        self._expected = expected
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
        gpu_of = self._expected.gpu_of
        recently = {key for key, came in zip(self.layout.rows, recent, strict=True) if came}
        here = {gpu_of(key) for key in recently - self._owed.keys()} - {""}
        kept = {
            key: name
            for key, name in self._names.items()
            if key in recently
            or (gpu_of(key) not in here and self._expected.keeps(gpu_of(key), here))
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
        self.layout = Layout(self._device, self._section.points, names | self._owed)
        came = [NEVER_US if k in self._owed else times.get(k, 0) for k in self.layout.rows]
        self._came_us = np.array(came, np.int64)
        self._row_of = self.layout.rows_of(self._numbering.series)

    def _times(self) -> dict[Key, int]:
        return dict(zip(self.layout.rows, self._came_us.tolist(), strict=True))
