"""The wall clock, watched by the monotonic one so that a step of it is noticed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

STEP_US = 100_000
"""Between two looks at the clock, slewing stays far below this; more is a step."""
LONGEST_NAP_S = 10.0
"""A sleeper looks at the clock at least this often, to notice a step."""


class Clock:
    """Time for the poller, in microseconds since 1970, UTC.

    The rule for steps: slots are times of the wall clock as it stands now. Stepped forward (or
    woken from suspension), the slots jumped over are dropped by name. Stepped back, polling goes on
    at once, on slots moved by one microsecond (`schedule.grid_for`), so no name comes twice.

    Args:
        wall_ns: nanoseconds since 1970.
        steady_ns: nanoseconds of a clock that is never set.
    """

    def __init__(
        self,
        *,
        wall_ns: Callable[[], int] = time.time_ns,
        steady_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.setbacks = 0
        """Steps back so far; the daemon adds those of its predecessors."""
        self.jumps = 0
        """Steps forward so far."""
        self._wall_ns = wall_ns
        self._steady_ns = steady_ns
        self._ahead_us = self._offset_us()

    def now_us(self) -> int:
        """The wall clock's time; a step since the last call is counted."""
        wall_us, ahead_us = self._wall_ns() // 1000, self._offset_us()
        step_us = ahead_us - self._ahead_us
        self._ahead_us = ahead_us
        if step_us > STEP_US:
            self.jumps += 1
        elif step_us < -STEP_US:
            self.setbacks += 1
        return wall_us

    async def sleep_until(self, us: int) -> None:
        """Return at `us`, or as soon as the clock is seen to have been set back."""
        setbacks = self.setbacks
        while (left_us := us - self.now_us()) > 0 and self.setbacks == setbacks:  # noqa: ASYNC110
            # No event tells that the clock was set, so it has to be looked at.
            await asyncio.sleep(min(left_us / 1e6, LONGEST_NAP_S))

    def _offset_us(self) -> int:
        return (self._wall_ns() - self._steady_ns()) // 1000
