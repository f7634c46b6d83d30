"""Parts that are judged together: phases, siblings, those of a place, those that share a load."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from graphlib import TopologicalSorter
from typing import TypeVar

from alerts.parts import Part, place_key
from facility.power_path import Step

_PHASE = re.compile(r"(?:^|/)phase\.[^./]+$")
_NUMBERED = re.compile(r"[0-9]+$")

Key = TypeVar("Key", bound=Hashable)


def phases(parts: Iterable[Part]) -> dict[Part, list[Part]]:
    """Group phases by what they are phases of."""
    return _of_several(parts, lambda component: _without(_PHASE, component))


def siblings(parts: Iterable[Part]) -> dict[Part, list[Part]]:
    """Group parts of a device that differ in their last number alone, by what they share."""
    return _of_several(parts, lambda component: _without(_NUMBERED, component))


def in_places(parts: Iterable[Part], level: str) -> list[list[Part]]:
    """Group parts by device or place, each group in order of its devices."""
    return list(_grouped(parts, lambda part: _where(part, level)).values())


def survivors(parts: Sequence[Part], feeds: Iterable[Step]) -> list[list[Part]]:
    """Group like parts of devices on each of which the load of the others falls when they fail.

    Those are what is met first on all ways up from a load; and where no load tells, what stands in
    one rack.
    """
    of_device = _grouped(parts, lambda part: part.device.id)
    shared = _shared_loads(of_device.keys(), feeds)
    known = {name for names in shared for name in names}
    rest = _grouped(
        (part for part in parts if part.device.id not in known and part.device.place.rack),
        lambda part: (part.device.role, place_key(part.device.place, "rack")),
    )
    shared |= {frozenset(part.device.id for part in group) for group in rest.values()}
    found = []
    for names in sorted(shared, key=sorted):
        alike = _grouped(
            (part for name in sorted(names) for part in of_device[name]),
            lambda part: part.component,
        )
        found += [group for group in alike.values() if len(group) > 1]
    return found


def _shared_loads(chosen: AbstractSet[str], feeds: Iterable[Step]) -> set[frozenset[str]]:
    """Give the sets of chosen devices that loads draw from, where there are several."""
    sources: defaultdict[str, list[str]] = defaultdict(list)
    for source, target in feeds:
        sources[target].append(source)
    fed_by: dict[str, frozenset[str]] = {}
    for place in TopologicalSorter(sources).static_order():
        above = (fed_by[source] for source in sources.get(place, ()))
        fed_by[place] = frozenset({place}) if place in chosen else frozenset().union(*above)
    return {names for names in fed_by.values() if len(names) > 1}


def _of_several(parts: Iterable[Part], stem: Callable[[str], str | None]) -> dict[Part, list[Part]]:
    groups: defaultdict[Part, list[Part]] = defaultdict(list)
    for part in parts:
        if (whole := stem(part.component)) is not None:
            groups[Part(part.device, whole)].append(part)
    return {whole: group for whole, group in groups.items() if len(group) > 1}


def _without(ending: re.Pattern[str], component: str) -> str | None:
    found = ending.search(component)
    return None if found is None else component[: found.start()].rstrip(".")


def _where(part: Part, level: str) -> tuple[str, ...] | None:
    return (part.device.id,) if level == "device" else place_key(part.device.place, level)


def _grouped(parts: Iterable[Part], key: Callable[[Part], Key | None]) -> dict[Key, list[Part]]:
    """Group parts, in order of device and component; what has no key is left out."""
    groups: defaultdict[Key, list[Part]] = defaultdict(list)
    for part in sorted(parts, key=lambda part: (part.device.id, part.component)):
        if (found := key(part)) is not None:
            groups[found].append(part)
    return dict(groups)
