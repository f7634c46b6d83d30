"""Questions about the power path, a directed graph from the supply to the loads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from graphlib import CycleError, TopologicalSorter
from typing import TypeVar

Step = tuple[str, str]
"""(source, target)."""

Mark = TypeVar("Mark")


def find_cycles(steps: Iterable[Step]) -> Iterator[list[str]]:
    """Give cycles, each as `[a, b, a]`; without the last step of each there would be none.

    A walk in depth, in linear time: a step to a place on the way walked so far closes a cycle.
    """
    targets = _grouped(steps)
    done: set[str] = set()
    for start in targets:
        way = [] if start in done else [start]
        onward = [iter(targets[place]) for place in way]
        position = dict.fromkeys(way, 0)
        while way:
            for target in onward[-1]:
                if target in position:
                    yield [*way[position[target] :], target]
                elif target not in done:
                    position[target] = len(way)
                    way.append(target)
                    onward.append(iter(targets.get(target, ())))
                    break
            else:
                onward.pop()
                done.add(way[-1])
                del position[way.pop()]


def in_series(
    steps: Iterable[Step], marks: Mapping[str, AbstractSet[Mark]]
) -> Iterator[tuple[str, str, Mark]]:
    """Give (upstream, downstream, mark) where a marked place is fed by one of the same mark.

    `upstream` is the nearest such place on some way. A path with cycles gives nothing.
    """
    sources = _grouped((target, source) for source, target in steps)
    above: dict[str, dict[Mark, str]] = {}
    """What stands on the way to a place, the place included: the nearest place of each mark."""
    with suppress(CycleError):
        for place in TopologicalSorter(sources).static_order():
            feeding = [above[source] for source in sources.get(place, ()) if above[source]]
            nearest = {mark: name for marked in feeding for mark, name in marked.items()}
            for mark in marks.get(place, ()):
                if mark in nearest:
                    yield nearest[mark], place, mark
                nearest[mark] = place
            above[place] = nearest


def _grouped(steps: Iterable[Step]) -> dict[str, list[str]]:
    grouped: defaultdict[str, list[str]] = defaultdict(list)
    for one, other in steps:
        grouped[one].append(other)
    return dict(grouped)
