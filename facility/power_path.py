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


def find_cycles(steps: Iterable[Step]) -> list[list[str]]:
    """Find cycles, each as `[a, b, a]`, until breaking one step of each would leave none."""
    sources = _sources(steps)
    cycles: list[list[str]] = []
    while True:
        try:
            TopologicalSorter(sources).prepare()
        except CycleError as error:
            cycle: list[str] = error.args[1]
            cycles.append(cycle)
            sources[cycle[1]].discard(cycle[0])
        else:
            return cycles


def in_series(
    steps: Iterable[Step], marks: Mapping[str, AbstractSet[Mark]]
) -> Iterator[tuple[str, str, Mark]]:
    """Give (upstream, downstream, mark) where a marked place is fed by one of the same mark.

    `upstream` is the nearest such place on some way. A path with cycles gives nothing.
    """
    sources = _sources(steps)
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


def _sources(steps: Iterable[Step]) -> dict[str, set[str]]:
    sources: defaultdict[str, set[str]] = defaultdict(set)
    for source, target in steps:
        sources[target].add(source)
    return dict(sources)
