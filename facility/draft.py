"""The expanded site, each part with the entry it came from, before it is known to be sound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from facility.mistakes import Finding, Origin, Step
from facility.site import Device, Factor, Meter


class Edge(NamedTuple):
    """A step of the power path, and the field that declares it."""

    source: str
    target: str
    origin: Origin
    field: tuple[Step, ...]


class StatedFactor(NamedTuple):
    """A factor, and the field that states it."""

    factor: Factor
    origin: Origin
    field: tuple[Step, ...]


@dataclass
class Draft:
    """Filled by `facility.site_expansion`, judged by `facility.site_checks`."""

    devices: list[tuple[Device, Origin]] = field(default_factory=list)
    nodes: list[tuple[str, Origin]] = field(default_factory=list)
    feeds: list[Edge] = field(default_factory=list)
    meters: list[tuple[Meter, Origin]] = field(default_factory=list)
    factors: list[StatedFactor] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    """What was already wrong with single entries."""
    broken_names: set[str] = field(default_factory=set)
    """Ids of devices whose entry is otherwise wrong: who refers to them is not to blame."""
    has_lost_names: bool = False
    """Some entry is so wrong that not even its ids are known."""
    has_lost_meters: bool = False
    """Some meter's entry is wrong, or selects no device."""

    def edges(self) -> Iterator[Edge]:
        """Give every step of the power path: `fed_by` of the devices, then the feeds."""
        for device, origin in self.devices:
            for index, source in enumerate(device.fed_by):
                yield Edge(source, device.id, origin, ("fed_by", index))
        yield from self.feeds
