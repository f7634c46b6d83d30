"""How slots are booked: every slot of every device ends in exactly one booking."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from collectors.source import Poll
from facility.quality import Quality
from facility.reading import Outcome

MOST_ERROR_CHARACTERS = 500
"""Of a device's own words in the ledger."""


class Reason(StrEnum):
    """Why a slot was dropped, or failed without the device's doing; opens the ledger's `error`."""

    OVERRUN = "overrun"
    """The poll before was still running."""
    BACKOFF = "backoff"
    """The device has been failing and is left alone for a while."""
    CLOCK_STEP = "clock_step"
    """The wall clock jumped over it, or the machine was suspended."""
    SHUTDOWN = "shutdown"
    """Cut off when the daemon stopped or the device was taken out."""
    OUTBOX_FULL = "outbox_full"
    """The outbox takes nothing and its policy is to stop polling."""
    OUTBOX_FAILED = "outbox_failed"
    """The outbox cannot be written."""
    QUEUE_FULL = "queue_full"
    """It was read, but flushing is so far behind that its readings had to be thrown away."""
    CRASH = "crash"
    """The daemon died before the result was stored."""
    COLLECTOR_DOWN = "collector_down"
    """No daemon was running."""
    INTERNAL = "internal"
    """An error of the collector's own; the log has it in full."""


@dataclass(frozen=True, slots=True)
class Booking:
    """How one or more slots of a device ended: one ledger row each.

    `latency_s` is None where nothing was asked, `error` where nothing went wrong.
    """

    device: str
    slots: range
    outcome: Outcome
    expected: int
    good: int = 0
    latency_s: float | None = None
    error: str | None = None

    def followed_by(self, later: Booking) -> Booking | None:
        """Both in one, where they are a run of slots dropped for one reason; else None."""
        if (
            self.outcome is not Outcome.DROPPED
            or later != replace(self, slots=later.slots)
            or later.slots.step != self.slots.step
            or later.slots.start != self.slots[-1] + self.slots.step
        ):
            return None
        return replace(self, slots=range(self.slots.start, later.slots.stop, self.slots.step))


def failed(device: str, slots: range, expected: int, error: str, latency_s: float) -> Booking:
    """A slot whose poll gave nothing; `error` opens with the kind of failure."""
    text = error[:MOST_ERROR_CHARACTERS]
    return Booking(device, slots, Outcome.FAILED, expected, latency_s=latency_s, error=text)


def dropped(device: str, slots: range, expected: int, reason: Reason) -> Booking:
    """Slots that nothing came of, and why."""
    return Booking(device, slots, Outcome.DROPPED, expected, error=reason.value)


def booked(poll: Poll, slots: range, latency_s: float) -> Booking:
    """What a poll that gave an answer is booked as; with no value at all it has failed."""
    answered = len(poll.quality) - int(np.count_nonzero(poll.quality == Quality.BAD))
    good = int(np.count_nonzero(poll.quality == Quality.GOOD))
    expected = len(poll.points)
    if answered == expected:
        outcome, error = Outcome.READ, None
    else:
        outcome = Outcome.PARTIAL if answered else Outcome.FAILED
        reason = f": {poll.failures[0].reason}" if poll.failures else ""
        error = f"missing: {expected - answered} of {expected} points{reason}"
        error = error[:MOST_ERROR_CHARACTERS]
    return Booking(poll.points.device, slots, outcome, expected, good, latency_s, error)
