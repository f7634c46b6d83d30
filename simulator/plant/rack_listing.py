"""Which racks a site lists: equipment of one rack found together, and what feeds it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from facility.roles import DeviceRole
from facility.site import Device, Place

SUPPLIES = (DeviceRole.RACK_PDU, DeviceRole.POWER_SHELF)
CONSUMERS = (DeviceRole.GPU_NODE, DeviceRole.SERVER)
NODES_OF_AN_UNLISTED_RACK = 18
"""Compute trays of an NVL72-like rack whose power shelves are listed, but not its nodes."""

FedBy = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Rack:
    """IT equipment in one place."""

    part: str
    """Id of the part of the power path that stands for its load."""
    place: Place
    nodes: tuple[str, ...]
    """Its GPU nodes' device ids, or made-up ids where the site lists only its power shelves."""
    fed_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Group:
    """Devices of one place and one folder of ids (`hall-1/rack-7` of `hall-1/rack-7/pdu-a`)."""

    place: Place
    folder: str
    supplies: tuple[Device, ...]
    consumers: tuple[Device, ...]

    @property
    def id(self) -> str:
        return ":".join(("it-load", self.folder, *dict(self.place).values()))


def listed_racks(devices: Iterable[Device], fed_by: FedBy) -> tuple[Rack, ...]:
    """Find the racks: supplies (PDUs, power shelves) and consumers (GPU nodes, servers) together.

    Names of racks may repeat from row to row, so a rack is known by its place and by the folder of
    its devices' ids. Consumers apart from their supplies are fed by what they state; supplies that
    feed such consumers carry no load of their own.
    """
    groups = _groups(devices, fed_by)
    elsewhere = _supplies_above(
        [device for group in groups if not group.supplies for device in group.consumers], fed_by
    )
    return tuple(
        Rack(group.id, group.place, _nodes(group), _sources(group, fed_by))
        for group in groups
        if group.consumers or not elsewhere.intersection(d.id for d in group.supplies)
    )


def _groups(devices: Iterable[Device], fed_by: FedBy) -> list[_Group]:
    members: dict[tuple[Place, str], list[Device]] = defaultdict(list)
    for device in devices:
        if device.role in SUPPLIES or device.role in CONSUMERS:
            members[device.place, _folder(device, fed_by)].append(device)
    with_supplies: dict[Place, list[tuple[Place, str]]] = defaultdict(list)
    for key, found in members.items():
        if any(device.role in SUPPLIES for device in found):
            with_supplies[key[0]].append(key)
    for key in list(members):
        mates = with_supplies[key[0]]
        if len(mates) == 1 and key not in mates and not any(fed_by[d.id] for d in members[key]):
            members[mates[0]] += members.pop(key)
    return [
        _Group(
            place,
            folder,
            tuple(device for device in found if device.role in SUPPLIES),
            tuple(device for device in found if device.role in CONSUMERS),
        )
        for (place, folder), found in members.items()
    ]


def _folder(device: Device, fed_by: FedBy) -> str:
    """Folder of the device's id; without rack and folder, what it shares with its like: supply."""
    folder = device.id.rpartition("/")[0]
    if device.place.rack or folder:
        return folder
    return device.id if device.role in SUPPLIES else "+".join(sorted(fed_by[device.id]))


def _supplies_above(consumers: Iterable[Device], fed_by: FedBy) -> set[str]:
    """Everything upstream of the consumers."""
    above: set[str] = set()
    waiting = [source for device in consumers for source in fed_by[device.id]]
    while waiting:
        source = waiting.pop()
        if source not in above:
            above.add(source)
            waiting += fed_by[source]
    return above


def _sources(group: _Group, fed_by: FedBy) -> tuple[str, ...]:
    """Return the last supplies before the equipment, else what the equipment is fed by."""
    supplies = [device.id for device in group.supplies]
    inner = {source for supply in supplies for source in fed_by[supply]}
    last = [supply for supply in supplies if supply not in inner]
    return tuple(last or dict.fromkeys(s for device in group.consumers for s in fed_by[device.id]))


def _nodes(group: _Group) -> tuple[str, ...]:
    nodes = tuple(d.id for d in group.consumers if d.role is DeviceRole.GPU_NODE)
    if not nodes and any(device.role is DeviceRole.POWER_SHELF for device in group.supplies):
        count = range(1, NODES_OF_AN_UNLISTED_RACK + 1)
        return tuple(f"{group.id}:node-{number:02}" for number in count)
    return nodes
