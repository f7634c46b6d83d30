"""From the intake to the outbox: readings first, then the ledger rows that vouch for them."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import structlog

from collectors.batch import ReadingsBatcher, ledger_batch, ledger_chunks
from collectors.clock import Clock
from collectors.intake import Intake
from collectors.journal import Entry, Journal, Progress
from collectors.ledger import Booking, Reason
from collectors.source import Poll
from facility.errors import BuswayError, OutboxFull
from facility.reading import TOPICS, Outcome
from stream.outbox import Outbox

log = structlog.get_logger()

READINGS_TOPIC, POLLS_TOPIC = TOPICS["readings"], TOPICS["polls"]


class Flusher:
    """Carries what the intake holds into the outbox, in order, and keeps the journal true.

    While the outbox takes nothing, `blocked` says why, what was taken is kept, and the pollers drop
    their slots by that name.
    """

    def __init__(
        self, intake: Intake, outbox: Outbox, journal: Journal, clock: Clock, flush_s: float
    ) -> None:
        self.blocked: Reason | None = None
        self.flushed_us = clock.now_us()
        """When everything taken was last in the outbox."""
        self._intake, self._outbox, self._journal, self._clock = intake, outbox, journal, clock
        self._flush_us = round(flush_s * 1e6)
        # One of its own: the loop's may all be waiting for a name server that hangs.
        self._thread = ThreadPoolExecutor(1, "flush")
        self._batcher = ReadingsBatcher()
        self._urgent: deque[Poll] = deque()
        self._urgent_batcher, self._storing_urgent = ReadingsBatcher(), threading.Lock()
        self._urgent_thread = ThreadPoolExecutor(1, "flush-urgent")
        self._polls: list[Poll] = []
        self._ledger: deque[list[Booking]] = deque()
        self._progress: dict[str, Progress] = {}
        self._joining: dict[str, Progress] = {}
        self._leaving: set[str] = set()

    def take_over(self, progress: Mapping[str, Progress]) -> None:
        """Go on from where the ledger of the daemon before stands; before the first flush."""
        self._progress = dict(progress)

    def begin(self, device: str, progress: Progress) -> None:
        """Keep the journal for a device that comes new; one that is known goes on as it is."""
        if device in self._progress:
            self._leaving.discard(device)
        else:
            self._joining[device] = progress

    def expected(self, device: str) -> int:
        """Points that the device had when it was last booked; 0 if it never was."""
        known = self._progress.get(device)
        return known.expected if known else 0

    def forget(self, devices: Collection[str]) -> None:
        """Leave devices out of the journal, once all that was booked of them is stored."""
        self._leaving.update(devices)

    async def flush(self, *, closing: bool = False) -> None:
        """Store everything taken in so far, or as much of it as the outbox takes.

        One call at a time.
        """
        leaving: set[str] = set()
        if not self._polls and not self._ledger:
            # On the loop, where the pollers put things in; what follows is another thread's.
            taken = self._intake.take()
            self._polls, self._ledger = taken.polls, deque(ledger_chunks(taken.bookings))
            self._progress |= self._joining
            self._joining = {}
            leaving = set(self._leaving)
        store = partial(self._store, closing=closing)
        await asyncio.get_running_loop().run_in_executor(self._thread, store)
        if self.blocked is None:
            self._drop_out(leaving)

    async def flush_urgent(self) -> None:
        """Store the readings that rules wait for; what vouches for them comes with `flush`.

        In a thread of its own, since a flush takes its time. Where it fails, or is cut off, they go
        with the next flush.
        """
        self._urgent += self._intake.take_urgent()
        await asyncio.get_running_loop().run_in_executor(self._urgent_thread, self._store_urgent)

    async def close(self) -> None:
        """Store everything and end the journal in order; blocked, leave it to the next start."""
        await self.flush()
        if self.blocked is None:
            await self.flush(closing=True)
        self._thread.shutdown(wait=False)
        self._urgent_thread.shutdown(wait=False)

    def _store(self, *, closing: bool) -> None:
        try:
            self._store_readings()
            self._store_ahead()  # what the ledger vouches for is stored by then
            is_alive = self._store_ledger()
            self._book_lost()
            if not is_alive or closing:
                self._prepare(self._progress, closed=closing)
                self._journal.confirm()
        except BuswayError as error:
            self._block(error)
        else:
            self._unblock()

    def _store_urgent(self) -> None:
        try:
            self._store_ahead()
        except BuswayError as error:
            self._block(error)

    def _drop_out(self, devices: set[str]) -> None:
        """Leave devices out from the next entry on, but for those that have come back meanwhile."""
        for device in devices & self._leaving:
            self._leaving.discard(device)
            self._progress.pop(device, None)

    def _store_ahead(self) -> None:
        with self._storing_urgent:
            if polls := list(self._urgent):
                self._outbox.append(READINGS_TOPIC, self._urgent_batcher.batch(polls))
                for _ in polls:  # the loop may have added more meanwhile
                    self._urgent.popleft()

    def _store_readings(self) -> None:
        if self._polls:
            self._outbox.append(READINGS_TOPIC, self._batcher.batch(self._polls))
            self._polls = []

    def _store_ledger(self) -> bool:
        """Store what waits of the ledger; True if that left a sign of life in the journal."""
        is_alive = bool(self._ledger)
        while self._ledger:
            progress = {**self._progress, **self._after(self._ledger[0])}
            self._prepare(progress, seq=self._outbox.last_seq(POLLS_TOPIC) + 1)
            self._outbox.append(POLLS_TOPIC, ledger_batch(self._ledger[0]))
            self._journal.confirm()
            self._progress = progress
            self._ledger.popleft()
        return is_alive

    def _after(self, bookings: list[Booking]) -> dict[str, Progress]:
        """Where the ledger of each device stands once these are in."""
        return {
            b.device: Progress(
                interval_us=b.slots.step,
                phase_us=b.slots[-1] % b.slots.step,
                booked_us=b.slots[-1],
                expected=b.expected,
            )
            for b in bookings
            if b.device in self._progress
        }

    def _book_lost(self) -> None:
        """Book what a full outbox dropped, under the collector's own name."""
        lost = self._outbox.dropped()
        if not lost:
            return
        rows = [
            Booking(
                self._outbox.collector,
                range(message.dropped_at_us + i, message.dropped_at_us + i + 1),
                Outcome.DROPPED,
                message.rows,
                error=f"{Reason.OUTBOX_FULL}: message {message.seq} of {message.topic}",
            )
            for i, message in enumerate(lost)
        ]
        self._outbox.append(POLLS_TOPIC, ledger_batch(rows))
        self._outbox.forget_dropped(lost)
        log.error(
            "The outbox was full and dropped what the broker had not taken.",
            messages=len(lost),
            rows=sum(message.rows for message in lost),
        )

    def _prepare(
        self, progress: dict[str, Progress], *, seq: int | None = None, closed: bool = False
    ) -> None:
        self._journal.prepare(
            Entry(
                seq=self._outbox.last_seq(POLLS_TOPIC) if seq is None else seq,
                written_us=self._clock.now_us(),
                flush_us=self._flush_us,
                setbacks=self._clock.setbacks,
                closed=closed,
                devices=progress,
            )
        )

    def _block(self, error: BuswayError) -> None:
        reason = Reason.OUTBOX_FULL if isinstance(error, OutboxFull) else Reason.OUTBOX_FAILED
        if reason is not self.blocked:
            log.error(
                "Nothing can be stored; polling stops.", reason=reason.value, error=str(error)
            )
        self.blocked = reason

    def _unblock(self) -> None:
        self.flushed_us = self._clock.now_us()
        if self.blocked:
            log.warning("Storing works again; polling goes on.", reason=self.blocked.value)
        self.blocked = None
