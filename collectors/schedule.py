"""When a device is to be read: wall-clock aligned slots, spread over the interval by device.

A slot is a time in microseconds since 1970, UTC, and names a poll together with its device. Each
slot is reckoned from the epoch, never from the slot before, so nothing drifts.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Grid:
    """The slots of one device: every time that is `phase_us` past a multiple of `interval_us`."""

    interval_us: int
    phase_us: int

    def first_after(self, us: int) -> int:
        """The first slot later than `us`."""
        return us + self.interval_us - (us - self.phase_us) % self.interval_us

    def slots(self, after_us: int, through_us: int) -> range:
        """The slots later than `after_us` and not later than `through_us`."""
        return range(self.first_after(after_us), through_us + 1, self.interval_us)

    def moved(self, by_us: int) -> Grid:
        """The same grid, later by `by_us`."""
        return replace(self, phase_us=(self.phase_us + by_us) % self.interval_us)


def grid_for(device: str, interval_s: float, *, clock_setbacks: int = 0) -> Grid:
    """The grid of a device; its phase is a hash of its id, so devices do not all fire at once.

    When the wall clock is set back, time repeats, and so would the names of polls. After each
    setback every slot is therefore one microsecond later than before.
    """
    interval_us = round(interval_s * MICROSECONDS)
    digest = hashlib.blake2b(device.encode(), digest_size=8).digest()
    return Grid(interval_us, int.from_bytes(digest, "big") % interval_us).moved(clock_setbacks)
