"""Where pollers put what they read, until the next flush takes it; bounded."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from prometheus_client import Counter, Gauge

from collectors.ledger import Booking, Reason, dropped
from collectors.source import Poll
from collectors.urgent import IsUrgent, Parting
from facility.reading import Outcome

MOST_ROWS = 2_000_000
"""Readings held while flushing is behind: about 40 MB, some seconds of a large site."""

WAITING = Gauge("busway_intake_rows", "Readings that wait for the next flush.")
THROWN_AWAY = Counter(
    "busway_intake_dropped_readings", "Readings thrown away because flushing is too far behind."
)


@dataclass(slots=True)
class Taken:
    """What one flush carries: polls with readings to store, and the ledger's bookings."""

    polls: list[Poll] = field(default_factory=list)
    bookings: list[Booking] = field(default_factory=list)


class Intake:
    """Collects polls and bookings between flushes.

    Readings are bounded by `most_rows`; beyond it a poll's readings are dropped, counted, and its
    slot booked so. Runs of dropped slots merge into one booking, so an outage of any length takes
    no more room than its devices.
    """

    def __init__(self, most_rows: int = MOST_ROWS) -> None:
        self.has_urgent = asyncio.Event()
        """Set while there are readings for `take_urgent`."""
        self._most_rows = most_rows
        self._rows = 0
        self._taken = Taken()
        self._urgent: list[Poll] = []
        self._parting: Parting | None = None
        self._latest: dict[str, int] = {}

    def hurry(self, is_urgent: IsUrgent | None) -> None:
        """Have some readings taken ahead of the others from now on; None: none of them."""
        self._parting = None if is_urgent is None else Parting(is_urgent)

    def book(self, booking: Booking, poll: Poll | None = None) -> Booking:
        """Take in how slots ended and, where they gave readings, the poll that holds them.

        Returns:
            What is booked: the same, or that the readings had to be thrown away.
        """
        if poll is not None and booking.outcome in (Outcome.READ, Outcome.PARTIAL):
            if self._rows + len(poll.points) > self._most_rows:
                THROWN_AWAY.inc(len(poll.points))
                booking = dropped(
                    booking.device, booking.slots, booking.expected, Reason.QUEUE_FULL
                )
            else:
                self._rows += len(poll.points)
                self._hold(poll)
                WAITING.set(self._rows)
        self._enter(booking)
        return booking

    def take(self) -> Taken:
        """Everything since the last call."""
        taken, self._taken = self._taken, Taken()
        taken.polls += self.take_urgent()
        self._latest.clear()
        self._rows = 0
        WAITING.set(0)
        return taken

    def take_urgent(self) -> list[Poll]:
        """The urgent readings since the last call; what is booked of their polls stays."""
        polls, self._urgent = self._urgent, []
        self.has_urgent.clear()
        self._rows -= sum(len(poll.points) for poll in polls)
        WAITING.set(self._rows)
        return polls

    def _hold(self, poll: Poll) -> None:
        if self._parting is not None:
            urgent, poll = self._parting.part(poll)
            if urgent is not None:
                self._urgent.append(urgent)
                self.has_urgent.set()
        self._taken.polls.append(poll)

    def _enter(self, booking: Booking) -> None:
        bookings = self._taken.bookings
        place = self._latest.get(booking.device)
        merged = bookings[place].followed_by(booking) if place is not None else None
        if merged is not None and place is not None:
            bookings[place] = merged
            return
        self._latest[booking.device] = len(bookings)
        bookings.append(booking)
