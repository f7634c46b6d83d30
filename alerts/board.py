"""All alerts of a site and every way in which they change; no clock, no files, no network.

Samples, ticks of the clock and what operators do go in; transitions come out, in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from alerts import machine, transitions
from alerts.adopt import adopt_standing, moves
from alerts.evaluate import Evaluator
from alerts.inhibition import Inhibition
from alerts.machine import Moved
from alerts.restore import put_back
from alerts.samples import UNTIMELY, Samples, rounds
from alerts.series import SeriesIndex
from alerts.standing import CODES, LONG_AGO, NEVER, STATES, Chosen, begin, visible
from alerts.watch import Integers, SeriesKey, WatchTable
from facility.alert import ACTIVE, State, Transition
from facility.errors import AlertUnknown
from facility.power_path import Step

_ANNOUNCED = np.isin(np.arange(len(STATES)), [CODES[state] for state in ACTIVE])
"""By code: whether people have been told that something is wrong."""


class Deed(StrEnum):
    """What an operator may do with an alert."""

    ACKNOWLEDGE = "acknowledge"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    TAKE_OUT_OF_SERVICE = "take_out_of_service"
    PUT_BACK = "put_back"


@dataclass(frozen=True, slots=True)
class Action:
    """A deed of an operator's on one alert."""

    alert: str
    deed: Deed
    actor: str
    until_us: int = NEVER
    """End of a shelving."""


class Board:
    """The alerts of one table of watches. Times are microseconds; `decided_us` is the wall's."""

    def __init__(
        self,
        table: WatchTable,
        feeds: Iterable[Step],
        *,
        points: Iterable[SeriesKey] = (),
        quantities: Iterable[str] = (),
    ) -> None:
        """Make it; `points` and `quantities` are those of `SeriesIndex`.

        Raises:
            ValueError: rules explain each other in a circle.
        """
        self.table = table
        self.index = SeriesIndex(table.series, points, quantities)
        self.standing = begin(len(table))
        self.number_of = {alert: number for number, alert in enumerate(table.alert)}
        self._inhibition = Inhibition(table, feeds)
        wait_us = np.where(table.urgent, 0, self._inhibition.wait_us)
        on_delay_us = np.maximum(table.on_delay_us, wait_us)
        self._terms = machine.terms_of(table, on_delay_us)
        self._evaluator = Evaluator(table)
        self._waiting: list[Transition] = []
        self._is_announced = np.array([rule.is_announced for rule in table.rules], np.bool_)

    def start(
        self,
        last: Iterable[Transition],
        now: int,
        *,
        may_return: Callable[[Transition], bool] = lambda _: False,
    ) -> list[Transition]:
        """Go on from the last transition of each alert, and await samples from `now` on.

        What has no watch is ended, unless it may have one again when its device shows the part that
        it is of.
        """
        orphans = self._put_back(last, now)
        self._waiting = [orphan for orphan in orphans if may_return(orphan)]
        machine.await_first(self.standing, self._terms, now)
        self._inhibition.begin(self.standing, now)
        known = np.flatnonzero(self.standing.number)  # a rule may have changed meanwhile
        told = self._tell((known, np.full(len(known), now)), now)
        ended = [orphan for orphan in orphans if not may_return(orphan)]
        return told + [transitions.tell_end(orphan, now) for orphan in ended]

    def adopt(self, old: Board, now: int) -> None:
        """Go on where another board was left. What it watched is watched here, and more."""
        watches = moves(old.table.alert, self.table.alert)
        adopt_standing(old.standing, self.standing, watches)
        self._evaluator.adopt(old._evaluator, watches, moves(old.table.series, self.table.series))
        self._inhibition.adopt(old._inhibition, watches)
        self._waiting = self._put_back(old._waiting, now)
        machine.await_first(self.standing, self._terms, now)
        self._inhibition.begin(self.standing, now)

    def take(self, samples: Samples, now: int, decided_us: int) -> list[Transition]:
        """Judge samples that have come by `now`."""
        told: list[Transition] = []
        for part in rounds(samples, len(self.table.series)):
            judged = self._evaluator.take(part.series, part.at, part.value, part.uncertain)
            watches, at = judged.watches, judged.at
            told += self._tell(self._end_delays(watches, at), decided_us)
            told += self._tell(machine.expire(self.standing, self._terms, watches, at), decided_us)
            UNTIMELY.inc(machine.stale_on_arrival(self._terms, judged, now))
            back = machine.observe(self.standing, self._terms, judged, now)
            moved = self._end_delays(watches, at)
            told += self._tell(machine.merged(moved, back), decided_us)
        return told

    def tick(self, now: int, decided_us: int) -> list[Transition]:
        """End delays, shelvings and suppressions by the clock, and find what is stale."""
        told = self._tell(machine.end_shelving(self.standing, now), decided_us)
        due = machine.due(self.standing, now)
        told += self._tell(self._end_delays(due, now), decided_us)
        told += self._tell(machine.expire(self.standing, self._terms, due, now), decided_us)
        told += self._tell(self._end_delays(due, now), decided_us)
        over = self._inhibition.concerned(self.standing, due[:0], now)
        changed = self._inhibition.update(self.standing, over, now)
        return told + self._tell((changed, np.full(len(changed), now)), decided_us)

    def act(self, action: Action, now: int, decided_us: int) -> list[Transition]:
        """Do what an operator wants; the deed is told even where it changes nothing that is seen.

        Raises:
            AlertUnknown: there is no such alert.
        """
        if (number := self.number_of.get(action.alert)) is None:
            raise AlertUnknown(f"no alert has the id {action.alert!r}")
        chosen = np.array([number])
        if action.deed is Deed.ACKNOWLEDGE:
            machine.acknowledge(self.standing, chosen)
        elif action.deed is Deed.SHELVE:
            self.standing.shelved_until[chosen] = action.until_us
        elif action.deed is Deed.UNSHELVE:
            self.standing.shelved_until[chosen] = LONG_AGO
        else:
            self.standing.out_of_service[chosen] = action.deed is Deed.TAKE_OUT_OF_SERVICE
        return self._tell((chosen, np.array([now])), decided_us, actor=action.actor)

    def counts(self) -> dict[State, int]:
        """Say how many alerts are in each state, pending ones and all."""
        standing = self.standing
        counts = np.bincount(standing.shown, minlength=len(STATES))
        found = {state: int(counts[CODES[state]]) for state in STATES}
        pending = (standing.shown == CODES[State.NORMAL]) & (standing.breached_at < NEVER)
        found[State.PENDING] = int(pending.sum())
        found[State.NORMAL] -= found[State.PENDING]
        return found

    def _put_back(self, last: Iterable[Transition], now: int) -> list[Transition]:
        return put_back(last, self.number_of, self.standing, self._terms, self._inhibition, now=now)

    def _end_delays(self, watches: Chosen, now: Integers | int) -> Moved:
        return machine.end_delays(self.standing, self._terms, watches, now)

    def _tell(self, moved: Moved, decided_us: int, *, actor: str = "") -> list[Transition]:
        """Give the transitions of what has moved and looks different now, causes first."""
        watches, at = moved
        if not len(watches):
            return []
        latest = int(at.max())
        if len(concerned := self._inhibition.concerned(self.standing, watches, latest)):
            changed = self._inhibition.update(self.standing, concerned, latest)
            also = np.setdiff1d(changed, watches)
            watches = np.concatenate([watches, also])
            at = np.concatenate([at, np.full(len(also), latest)])
        state = visible(self.standing, watches)
        self.standing.announced[watches] |= _ANNOUNCED[state]
        changed = np.flatnonzero((state != self.standing.shown[watches]) | bool(actor))
        order = changed[np.lexsort((state[changed] == CODES[State.SUPPRESSED], at[changed]))]
        return [
            told
            for place in order
            if (
                told := self._change(
                    int(watches[place]), state[place], at[place], decided_us, actor
                )
            )
        ]

    def _change(
        self, watch: int, state: np.uint8, at: np.int64, decided_us: int, actor: str
    ) -> Transition | None:
        """Count and tell one transition; None where the rule is not announced."""
        previous = self.standing.shown[watch]
        self.standing.shown[watch] = state
        if not self._is_announced[self.table.rule[watch]]:
            return None
        self.standing.number[watch] += 1
        cause = self._inhibition.cause[watch] if state == CODES[State.SUPPRESSED] else -1
        return transitions.tell(
            self.table,
            self.standing,
            watch,
            previous=int(previous),
            at_us=int(at),
            decided_us=decided_us,
            cause=self.table.alert[cause] if cause >= 0 else None,
            actor=actor,
        )
