"""Which active alerts others explain: one trip is one alert, not one for each child of it.

By each rule's `suppressed_by`, an alert is explained by an active one on the same device or on one
that feeds it, if that began no later than it did, give or take what sampling leaves open. The
first-out, the one that began first, is the cause; where the first-out is itself explained, its
cause is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from graphlib import CycleError, TopologicalSorter

import numpy as np

from alerts.adopt import Moves
from alerts.ragged import Ragged
from alerts.standing import NEVER, Chosen, Core, Standing
from alerts.watch import Integers, RuleFacts, WatchTable
from facility.power_path import Step

MARGIN_US = 1_000_000
"""What a sample takes from a device to the engine, beyond the interval at which it is taken."""


class Inhibition:
    """The suppressors of every watch, and until when it stays suppressed."""

    def __init__(self, table: WatchTable, feeds: Iterable[Step]) -> None:
        """Find each watch's suppressors.

        Raises:
            ValueError: rules explain each other in a circle, on one device or along the feeds.
        """
        refuse_circles(table.rules)
        self.suppressors = _suppressors(table, _upstream(feeds))
        self._slack_us = table.stale_after_us
        self._may_explain = self.suppressors.inverted(len(table))
        self.suppressible = np.flatnonzero(np.diff(self.suppressors.start) > 0)
        self._explains = np.diff(self._may_explain.start) > 0
        self.wait_us = self._wait()
        self._until = np.zeros(len(table), np.int64)
        """NEVER: it is explained; otherwise the end of what comes after that."""
        self.cause = np.full(len(table), -1, np.int64)

    def restore(self, standing: Standing, watch: int) -> None:
        """Take this as explained, if its rule still lets it be."""
        if self.wait_us[watch]:
            standing.suppressed[watch] = True
            self._until[watch] = NEVER

    def begin(self, standing: Standing, now: int) -> None:
        """Find out for all that stands as suppressed whether anything explains it still."""
        self.update(standing, self.suppressible[standing.suppressed[self.suppressible]], now)

    def adopt(self, old: Inhibition, watches: Moves) -> None:
        """Go on with what another one knows of the same watches."""
        self._until[watches.new] = old._until[watches.old]

    def concerned(self, standing: Standing, moved: Chosen, now: int) -> Chosen:
        """Give the watches for which it has to be found out anew whether anything explains them.

        These are such as have moved, those that what has moved may explain, and those whose
        suppression ends.
        """
        _, explained = self._may_explain.of(moved[self._explains[moved]])
        is_over = standing.suppressed[self.suppressible]
        is_over &= self._until[self.suppressible] <= now
        mine = moved[self.wait_us[moved] > 0]
        return np.unique(np.concatenate([mine, explained, self.suppressible[is_over]]))

    def update(self, standing: Standing, watched: Chosen, now: int) -> Chosen:
        """Bring `standing.suppressed` of some up to date; give those where it changed.

        What is explained no more stays suppressed for another on-delay and `stale_after`: what the
        cause did to it does not end in the same instant everywhere.
        """
        before = standing.suppressed[watched]
        explained = np.zeros(len(before), np.bool_)
        active = np.flatnonzero(standing.core[watched] == Core.ACTIVE)
        cause = self._first_out(standing, watched[active])
        explained[active] = cause >= 0
        self.cause[watched[active[cause >= 0]]] = cause[cause >= 0]
        until = self._until[watched]
        ended = ~explained & (until == NEVER)
        until = np.where(explained, NEVER, until)
        until[ended] = now + self.wait_us[watched[ended]] + self._slack_us[watched[ended]]
        self._until[watched] = until
        after = until > now
        standing.suppressed[watched] = after
        self.cause[watched[~after]] = -1
        self._follow(watched[active])
        changed: Chosen = watched[before != after]
        return changed

    def _first_out(self, standing: Standing, watches: Chosen) -> Integers:
        """Give the suppressor of each active watch that began first; -1 where none explains it."""
        origin, suppressor = self.suppressors.of(watches)
        onset = standing.onset[suppressor]
        explains = (
            (standing.core[suppressor] == Core.ACTIVE)
            & ~standing.out_of_service[suppressor]
            & (onset <= standing.onset[watches][origin] + self._slack_us[suppressor])
        )
        origin, suppressor, onset = origin[explains], suppressor[explains], onset[explains]
        order = np.lexsort((suppressor, onset, origin))
        first = order[np.diff(origin[order], prepend=-1) > 0]
        found = np.full(len(watches), -1, np.int64)
        found[origin[first]] = suppressor[first]
        return found

    def _follow(self, watches: Chosen) -> None:
        """Lead each cause back to one that nothing explains; circles were refused."""
        chosen = watches[self.cause[watches] >= 0]
        while len(chosen):
            further = self.cause[self.cause[chosen]]
            chosen, further = chosen[further >= 0], further[further >= 0]
            self.cause[chosen] = further

    def _wait(self) -> Integers:
        """Give how long each watch waits for what may explain it: about one interval of that."""
        wait = np.zeros(len(self._slack_us), np.int64)
        origin, suppressor = self.suppressors.of(np.arange(len(wait)))
        np.maximum.at(wait, origin, self._slack_us[suppressor] // 3 + MARGIN_US)
        return wait


def refuse_circles(rules: Sequence[RuleFacts]) -> None:
    """See that rules do not explain each other in a circle on one device.

    Raises:
        ValueError: naming the circle.
    """
    graph = {
        rule.name: [other.rule for other in rule.suppressed_by if other.at == "device"]
        for rule in rules
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise ValueError(f"rules suppress each other in a circle: {circle}") from None


def _upstream(feeds: Iterable[Step]) -> Mapping[str, AbstractSet[str]]:
    """Give everything that feeds each place, however far up."""
    sources: defaultdict[str, list[str]] = defaultdict(list)
    for source, target in feeds:
        sources[target].append(source)
    above: dict[str, frozenset[str]] = {}
    for place in TopologicalSorter(sources).static_order():
        direct = sources.get(place, ())
        above[place] = frozenset(direct).union(*(above[source] for source in direct))
    return above


def _suppressors(table: WatchTable, upstream: Mapping[str, AbstractSet[str]]) -> Ragged:
    watches_of: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    devices_of: defaultdict[str, set[str]] = defaultdict(set)
    for number, (rule, device) in enumerate(zip(table.rule, table.device, strict=True)):
        name = table.rules[rule].name
        watches_of[name, device].append(number)
        devices_of[name].add(device)
    start, values = [0], list[int]()
    for rule, device in zip(table.rule, table.device, strict=True):
        found = {
            number
            for suppressor in table.rules[rule].suppressed_by
            for place in devices_of[suppressor.rule]
            & ({device} if suppressor.at == "device" else upstream.get(device, frozenset()))
            for number in watches_of[suppressor.rule, place]
        }
        values += sorted(found)
        start.append(len(values))
    return Ragged(np.array(start, np.int64), np.array(values, np.int32))
