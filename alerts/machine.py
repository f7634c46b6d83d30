"""The state machine of all alerts at once: pure steps over columns.

A sample says of a watch that it is in breach, clear, or between the two, and that holds until the
next sample, at most until it is stale. A breach that has lasted for the on-delay makes the alert
active; a clear spell that has lasted for the off-delay ends it. Between the two nothing changes,
and both delays begin anew: a value that wanders inside the dead band is silent. So is one that is
stale: it neither fires nor clears.

Each step changes the standing and gives the watches whose visible state it may have changed, with
the event time of each. The order of steps for a sample is `end_delays` and `expire` up to its time,
`observe`, `end_delays` again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from alerts.standing import LONG_AGO, NEVER, Chosen, Core, Standing
from alerts.watch import Flags, Floats, Integers, Measure, WatchTable

START_US = 60_000_000
"""How long collectors may take to begin, when all is started together."""

Moved: TypeAlias = tuple[Chosen, Integers]
"""Watches, and the event time of each."""


class Verdict(IntEnum):
    """What a sample says of a watch."""

    UNKNOWN = 0
    """Nothing: as if there had been no sample."""
    BREACH = 1
    BETWEEN = 2
    CLEAR = 3


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """What the machine needs to know of the watches."""

    on_delay_us: Integers
    off_delay_us: Integers
    stale_after_us: Integers
    latch: Flags
    on_silence: Flags
    """Its condition is that there is no sample, so it is never without data."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Samples of watches, each watch once."""

    watches: Chosen
    at: Integers
    since: Integers
    """The oldest of its inputs: from it on the sample ages."""
    verdict: npt.NDArray[np.uint8]
    value: Floats
    threshold: Floats


def terms_of(table: WatchTable, on_delay_us: Integers) -> Terms:
    """Take from a table what the machine needs; the on-delays may be longer than the table's."""
    return Terms(
        on_delay_us=on_delay_us,
        off_delay_us=table.off_delay_us,
        stale_after_us=table.stale_after_us,
        latch=table.latch,
        on_silence=table.measure == Measure.SILENCE,
    )


def await_first(standing: Standing, terms: Terms, now: int) -> None:
    """Begin to wait, at `now`, for the first sample of what watches for silence."""
    waiting = terms.on_silence & (standing.fresh_until == LONG_AGO)
    standing.fresh[waiting] = True
    standing.fresh_until[waiting] = now + np.maximum(terms.stale_after_us[waiting], START_US)


def due(standing: Standing, now: int) -> Chosen:
    """Give the watches that the clock alone may change: few, and cheaper found than looked at."""
    return np.flatnonzero(
        (standing.breached_at != NEVER)
        | (standing.core == Core.ACTIVE)
        | (standing.fresh & (standing.fresh_until <= now))
    )


def end_delays(standing: Standing, terms: Terms, chosen: Chosen, now: Integers | int) -> Moved:
    """Fire and clear what has been so for its delay by `now`, as far as samples are fresh."""
    fresh_until = standing.fresh_until[chosen]
    by = np.minimum(now, np.where(terms.on_silence[chosen], NEVER, fresh_until))
    active = standing.core[chosen] == Core.ACTIVE
    over = standing.over[chosen]
    due = standing.breached_at[chosen] + terms.on_delay_us[chosen]
    fires = (due <= by) & (~active | over)
    done = standing.cleared_at[chosen] + terms.off_delay_us[chosen]
    clears = (done <= by) & active & ~over
    _fire(standing, chosen[fires])
    _clear(standing, terms, chosen[clears])
    return (
        np.concatenate([chosen[fires], chosen[clears]]),
        np.concatenate([due[fires], done[clears]]),
    )


def expire(standing: Standing, terms: Terms, chosen: Chosen, now: Integers | int) -> Moved:
    """Note what has had no fresh sample by `now`; only a fresh one leads on from there."""
    fresh_until = standing.fresh_until[chosen]
    stale = fresh_until <= now
    on_silence = terms.on_silence[chosen]
    silent = chosen[stale & on_silence & (standing.breached_at[chosen] == NEVER)]
    standing.breached_at[silent] = standing.fresh_until[silent]
    standing.cleared_at[silent] = NEVER
    standing.value[silent] = standing.threshold[silent] = terms.stale_after_us[silent] / 1e6
    lost = stale & ~on_silence & standing.fresh[chosen]
    unknown = chosen[lost]
    standing.fresh[unknown] = False
    standing.breached_at[unknown] = standing.cleared_at[unknown] = NEVER
    seen = standing.core[unknown] == Core.ACTIVE
    return unknown[seen], fresh_until[lost][seen]


def merged(moved: Moved, other: Moved) -> Moved:
    """Give the watches of both, each once; where both have one, with the first one's time."""
    new = ~np.isin(other[0], moved[0])
    return np.concatenate([moved[0], other[0][new]]), np.concatenate([moved[1], other[1][new]])


def observe(standing: Standing, terms: Terms, judged: Judged, now: int) -> Moved:
    """Take samples in.

    Those that are not newer than what was seen change nothing; nor do those that are stale by `now`
    already, as what a collector kept while the broker was away.
    """
    fresh_until = judged.since + terms.stale_after_us[judged.watches]
    news = (
        (judged.verdict != Verdict.UNKNOWN)
        & (judged.at > standing.seen_at[judged.watches])
        & (fresh_until > now)
    )
    chosen, at, verdict = judged.watches[news], judged.at[news], judged.verdict[news]
    back = ~standing.fresh[chosen]
    standing.seen_at[chosen] = at
    standing.fresh[chosen] = True
    standing.fresh_until[chosen] = fresh_until[news]
    standing.value[chosen] = judged.value[news]
    standing.threshold[chosen] = judged.threshold[news]
    for times, means in (
        (standing.breached_at, Verdict.BREACH),
        (standing.cleared_at, Verdict.CLEAR),
    ):
        times[chosen] = np.where(verdict == means, np.minimum(times[chosen], at), NEVER)
    seen = back & (standing.core[chosen] == Core.ACTIVE)
    return chosen[seen], at[seen]


def stale_on_arrival(terms: Terms, judged: Judged, now: int) -> int:
    """Count what `observe` leaves out because it came too late."""
    late = judged.since + terms.stale_after_us[judged.watches] <= now
    return int((late & (judged.verdict != Verdict.UNKNOWN)).sum())


def acknowledge(standing: Standing, chosen: Chosen) -> None:
    """Somebody has taken notice; what is over leaves the list."""
    active = standing.core[chosen] == Core.ACTIVE
    standing.acknowledged[chosen[active & ~standing.over[chosen]]] = True
    _end(standing, chosen[~active | standing.over[chosen]])


def shelve(standing: Standing, chosen: Chosen, until: int) -> None:
    """Show nothing of these before `until`; they are evaluated all the same."""
    standing.shelved_until[chosen] = until


def end_shelving(standing: Standing, now: int) -> Moved:
    """Take down what has been shelved long enough."""
    until = standing.shelved_until
    chosen = np.flatnonzero((until > LONG_AGO) & (until <= now))
    at = until[chosen]
    until[chosen] = LONG_AGO
    return chosen, at


def _fire(standing: Standing, chosen: Chosen) -> None:
    standing.core[chosen] = Core.ACTIVE
    standing.over[chosen] = standing.acknowledged[chosen] = standing.announced[chosen] = False
    standing.onset[chosen] = standing.breached_at[chosen]


def _clear(standing: Standing, terms: Terms, chosen: Chosen) -> None:
    """End what is active; what latches stays, if people have seen it."""
    latched = terms.latch[chosen] & standing.announced[chosen]
    standing.over[chosen[latched]] = True
    ends = chosen[~latched]
    unseen = standing.acknowledged[ends] | ~standing.announced[ends]
    standing.core[ends[~unseen]] = Core.RETURNED
    _end(standing, ends[unseen])


def _end(standing: Standing, chosen: Chosen) -> None:
    standing.core[chosen] = Core.NORMAL
    standing.over[chosen] = standing.acknowledged[chosen] = standing.announced[chosen] = False
