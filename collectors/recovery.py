"""What became of the slots between the last flush of the daemon before and this start."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from collectors.journal import Entry, Progress
from collectors.ledger import Booking, Reason, dropped
from facility.reading import Outcome

LONGEST_DOWNTIME_US = 24 * 3600 * 1_000_000
"""Downtime before the last day before the start is not booked slot by slot."""


def recover(entry: Entry, devices: Collection[str], now_us: int) -> list[Booking]:
    """Book every slot that is later than the journal's and not later than now.

    Slots up to one flush after the last sign of life may have been asked, and what they gave died
    with the daemon: `failed: crash`. Later ones were never asked: `dropped: collector_down`; these
    only of `devices`, those still polled here. After an orderly stop nothing is `crash`.
    """
    died_us = 0 if entry.closed else min(entry.written_us + entry.flush_us, now_us)
    bookings: list[Booking] = []
    for device, progress in entry.devices.items():
        alive_us = max(progress.booked_us, died_us)
        bookings += _crashed(device, progress, alive_us)
        if device in devices:
            since_us = max(alive_us, now_us - LONGEST_DOWNTIME_US)
            bookings += _down(device, progress, since_us, now_us)
    return bookings


def _crashed(device: str, progress: Progress, alive_us: int) -> Iterator[Booking]:
    if slots := progress.grid.slots(progress.booked_us, alive_us):
        error = f"{Reason.CRASH}: the collector died before what it read was stored"
        yield Booking(device, slots, Outcome.FAILED, progress.expected, error=error)


def _down(device: str, progress: Progress, since_us: int, now_us: int) -> Iterator[Booking]:
    if slots := progress.grid.slots(since_us, now_us):
        yield dropped(device, slots, progress.expected, Reason.COLLECTOR_DOWN)
