"""Which quarters of an hour are to be rolled up now, and in which stretches. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

QUARTER = timedelta(minutes=15)
LONGEST_SILENCE = timedelta(days=366)
"""A longer time without readings is no outage, but a clock that was wrong."""
MOST_QUARTERS = 96
"""In one run; what is left is for the next."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Quarters on end, in which the facts of meters stay the same, or one quarter."""

    start_at: datetime
    end_at: datetime

    @property
    def quarters(self) -> list[datetime]:
        """Where each begins."""
        count = (self.end_at - self.start_at) // QUARTER
        return [self.start_at + number * QUARTER for number in range(count)]

    def halves(self) -> tuple[Stretch, Stretch]:
        """Cut one of several quarters in two."""
        middle = self.quarters[len(self.quarters) // 2]
        return Stretch(self.start_at, middle), Stretch(middle, self.end_at)


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run does."""

    stretches: tuple[Stretch, ...]
    has_more: bool


def plan(
    arrived: Collection[datetime],
    rolled: Collection[datetime],
    changes: Iterable[datetime],
    *,
    closed_before: datetime,
) -> Plan:
    """Plan the latest quarters first: what a wrong clock scattered must not hold up the rest.

    `arrived`: quarters for which something has. `rolled`: those that were ever rolled up.
    `changes`: when meters change. Quarters in which nothing came, between others, are rolled up
    too, so that they are known to be empty.
    """
    closed = {quarter for quarter in arrived if quarter + QUARTER <= closed_before}
    due = sorted({*closed, *_silent({*closed, *rolled})}, reverse=True)
    chosen = due[:MOST_QUARTERS]
    stretches = tuple(_stretches(reversed(chosen), changes))
    return Plan(stretches[::-1], has_more=len(due) > len(chosen))


def quarter_of(moment: datetime) -> datetime:
    """Give where the quarter of an hour begins that a moment is in."""
    return moment - timedelta(
        minutes=moment.minute % 15, seconds=moment.second, microseconds=moment.microsecond
    )


def _silent(known: Collection[datetime]) -> Iterable[datetime]:
    in_time = sorted(known)
    for before, after in pairwise(in_time):
        if QUARTER < after - before <= LONGEST_SILENCE:
            for number in range(1, (after - before) // QUARTER):
                yield before + number * QUARTER


def _stretches(quarters: Iterable[datetime], changes: Iterable[datetime]) -> Iterable[Stretch]:
    """Cut where meters change: a stretch's are what they are in each of its quarters."""
    cuts = set()
    for change in changes:
        inside = quarter_of(change)
        cuts |= {inside} if inside == change else {inside, inside + QUARTER}
    stretch: Stretch | None = None
    for quarter in quarters:
        if stretch and quarter == stretch.end_at and quarter not in cuts:
            stretch = Stretch(stretch.start_at, quarter + QUARTER)
            continue
        if stretch:
            yield stretch
        stretch = Stretch(quarter, quarter + QUARTER)
    if stretch:
        yield stretch
