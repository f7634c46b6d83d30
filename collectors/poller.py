"""Polling one device: each of its slots is asked or dropped, and booked, in order."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Callable

import structlog

from collectors.clock import Clock
from collectors.intake import Intake
from collectors.journal import Progress
from collectors.ledger import Booking, Reason, booked, dropped, failed
from collectors.metrics import START_DELAY, DeviceMetrics
from collectors.schedule import grid_for
from collectors.source import KnowsItsPoints, Poll, Source
from facility.errors import DeviceError, DeviceTimeout
from facility.reading import Outcome
from facility.site import Device

log = structlog.get_logger()

PATIENCE_POLLS = 3
"""Failures in a row before a device is left alone: one lost packet costs no slot."""
LONGEST_BACKOFF_S = 30.0
"""A device that returns is noticed within this time, whatever its interval."""


class DevicePoller:
    """The one task of one device.

    No poll overlaps another of the same device: slots that fall due while one is running are
    dropped as `overrun`. After PATIENCE_POLLS failures in a row, slots are dropped as `backoff` for
    a time that doubles with each further failure, with jitter, up to LONGEST_BACKOFF_S.

    Args:
        device: what to poll, how often, and how long to wait for it.
        source: its driver.
        intake: takes the polls and bookings.
        clock: gives the slots.
        blocked: why nothing may be polled now, or None.
        expected: points it had when last seen, for booking slots before it first answers; 0 where
            it was never seen, which leaves it to the source to know.
    """

    def __init__(
        self,
        device: Device,
        source: Source,
        *,
        intake: Intake,
        clock: Clock,
        blocked: Callable[[], Reason | None],
        expected: int = 0,
    ) -> None:
        self.up: bool | None = None
        """Whether the last poll gave something; None before the first."""
        self.reading = False
        """Whether a poll is under way."""
        self.metrics = DeviceMetrics(device.id)
        self._device, self._source = device, source
        self._intake, self._clock, self._blocked = intake, clock, blocked
        self._expected = expected or _known_beforehand(source)
        self._grid = grid_for(device.id, device.interval_seconds, clock_setbacks=clock.setbacks)
        self._setbacks, self._jumps = clock.setbacks, clock.jumps
        self._failures = 0
        self._leave_alone_until = -math.inf
        self._stopping = False

    def progress(self, booked_us: int) -> Progress:
        """For the journal: the device's slots, booked up to `booked_us`."""
        return Progress(
            interval_us=self._grid.interval_us,
            phase_us=self._grid.phase_us,
            booked_us=booked_us,
            expected=self._expected,
        )

    async def run(self, after_us: int) -> None:
        """Poll every slot later than `after_us` until told to stop."""
        slot = self._grid.first_after(after_us)
        while not self._stopping:
            await self._clock.sleep_until(slot)
            if self._jumped_over(slot):
                self._drop(self._only(slot), Reason.CLOCK_STEP)
            elif self._clock.setbacks == self._setbacks:
                await self._take(self._only(slot))
            slot = self._next(slot)

    def stop(self) -> None:
        """Begin no further poll; one that is under way may end."""
        self._stopping = True

    def _only(self, slot: int) -> range:
        return range(slot, slot + 1, self._grid.interval_us)

    def _jumped_over(self, slot: int) -> bool:
        """Whether the clock, stepped forward, stands beyond the slot waited for."""
        jumped = self._clock.jumps != self._jumps
        return jumped and self._clock.now_us() >= slot + self._grid.interval_us

    def _next(self, slot: int) -> int:
        """The slot to wait for now; those that passed meanwhile are dropped by name."""
        now_us, clock = self._clock.now_us(), self._clock
        if clock.setbacks != self._setbacks:
            self._grid = self._grid.moved(clock.setbacks - self._setbacks)
            self._setbacks = clock.setbacks
            return self._grid.first_after(now_us)
        if missed := self._grid.slots(slot, now_us):
            jumped = clock.jumps != self._jumps
            self._drop(missed, Reason.CLOCK_STEP if jumped else Reason.OVERRUN)
        self._jumps = clock.jumps
        return self._grid.first_after(max(slot, now_us))

    async def _take(self, slot: range) -> None:
        if reason := self._blocked():
            self._drop(slot, reason)
        elif time.monotonic() < self._leave_alone_until:
            self._drop(slot, Reason.BACKOFF)
        else:
            START_DELAY.observe(max(0, self._clock.now_us() - slot.start) / 1e6)
            await self._poll(slot)

    async def _poll(self, slot: range) -> None:
        started = time.perf_counter()
        self.reading = True
        try:
            poll = await self._read()
        except asyncio.CancelledError:
            self._drop(self._due_since(slot), Reason.SHUTDOWN)
            raise
        except DeviceError as error:
            self._fail(slot, started, f"{error.kind}: {error}")
        except Exception as error:
            if self.up is not False:
                log.exception("Reading failed for a reason of our own.", device=self._device.id)
            self._fail(slot, started, f"{Reason.INTERNAL}: {type(error).__name__}: {error}")
        else:
            self._expected = len(poll.points)
            self._book(booked(poll, slot, time.perf_counter() - started), poll)
        finally:
            self.reading = False

    async def _read(self) -> Poll:
        deadline_s = self._device.timeout_seconds
        try:
            async with asyncio.timeout(deadline_s):
                return await self._source.read()
        except TimeoutError:
            raise DeviceTimeout(f"no answer within {deadline_s:g} s") from None

    def _due_since(self, slot: range) -> range:
        """The slot and those that fell due while it was read."""
        return self._grid.slots(slot.start - 1, max(slot.start, self._clock.now_us()))

    def _drop(self, slots: range, reason: Reason) -> None:
        booking = dropped(self._device.id, slots, self._expected, reason)
        self.metrics.count(self._intake.book(booking))

    def _fail(self, slot: range, started: float, error: str) -> None:
        latency_s = time.perf_counter() - started
        self._book(failed(self._device.id, slot, self._expected, error, latency_s))

    def _book(self, booking: Booking, poll: Poll | None = None) -> None:
        self.metrics.count(self._intake.book(booking, poll))
        if booking.outcome is Outcome.FAILED:
            self._lost(str(booking.error))
        else:
            self._found()

    def _lost(self, error: str) -> None:
        if self.up is not False:
            log.warning("Device does not answer.", device=self._device.id, error=error)
        self.up = False
        self._failures += 1
        if self._failures >= PATIENCE_POLLS:
            jitter = random.random()  # noqa: S311 - no secret
            rest_s = backoff_s(self._failures, self._device.interval_seconds, jitter)
            self._leave_alone_until = time.monotonic() + rest_s

    def _found(self) -> None:
        if self.up is False:
            log.info("Device answers again.", device=self._device.id, failures=self._failures)
        self.up = True
        self._failures = 0


def backoff_s(failures: int, interval_s: float, jitter: float) -> float:
    """Seconds to leave a device alone after so many failures in a row, PATIENCE_POLLS or more.

    `jitter`, 0 to 1, shortens them by up to a half: devices that a power cut took together are not
    all asked again together.
    """
    doublings = min(failures - PATIENCE_POLLS + 1, 30)
    return min(LONGEST_BACKOFF_S, interval_s * 2.0**doublings) * (1.0 - jitter / 2)


def _known_beforehand(source: Source) -> int:
    """Points that a device which never answered should give."""
    return source.points_expected if isinstance(source, KnowsItsPoints) else 0
