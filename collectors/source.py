"""The one contract between a driver and the poller."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from facility.point import PointTable

SHARE_OF_DEADLINE = 0.9
"""A read ends by itself, with what it has, before the poller cuts it off at its deadline."""


@dataclass(frozen=True, slots=True)
class PointFailure:
    """A point that could not be read, and why."""

    row: int
    """Row of the poll's PointTable."""
    reason: str


@dataclass(frozen=True, slots=True)
class Poll:
    """What one reading of one device gave: half a device is still data.

    `value` and `quality` have one row per row of `points`. Where quality is `Quality.BAD` the value
    is NaN and is stored as null.
    """

    points: PointTable
    sampled_at_us: int
    """Microseconds since 1970, UTC: the response's arrival, or the device's own time."""
    value: npt.NDArray[np.float64]
    quality: npt.NDArray[np.uint8]
    failures: tuple[PointFailure, ...] = field(default=())


class Source(Protocol):
    """One device that can be read. The constructor takes validated configuration, does no I/O."""

    device: str

    async def read(self) -> Poll:
        """Read every point once; (re)connects as needed. The poller sets the deadline.

        Cancellation mid-read leaves the source usable: the next read starts on a clean connection.

        Raises:
            DeviceError: nothing could be read; the subclass says what kind of failure it was.
        """

    async def close(self) -> None:
        """Let go of the connection. Safe before the first read, and twice."""


@runtime_checkable
class KnowsItsPoints(Protocol):
    """A source that can say before its first read how many points a poll gives.

    Where a device's rows are only found by asking, that is each point of its profile once.
    """

    points_expected: int
