"""From a site file to the parts of a plant: who feeds whom, which racks there are."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from facility.roles import DeviceRole
from facility.site import Device, Place, Site

OBSERVERS = frozenset(
    {
        DeviceRole.GPU_NODE,
        DeviceRole.SERVER,
        DeviceRole.WEATHER_STATION,
        DeviceRole.WATER_METER,
        DeviceRole.HEAT_METER,
        DeviceRole.ENVIRONMENT,
    }
)
"""Devices that tell about something, and are no part of the power path themselves."""

RACK_SUPPLIES = (DeviceRole.RACK_PDU, DeviceRole.POWER_SHELF)
NODES_OF_AN_UNLISTED_RACK = 18
"""Compute trays of an NVL72-like rack whose power shelves are listed, but not its nodes."""

COOLING_ROLES = (
    DeviceRole.CHILLER,
    DeviceRole.CDU,
    DeviceRole.AIR_HANDLER,
    DeviceRole.COOLING_TOWER,
    DeviceRole.PUMP,
)
COMPLETED_ROLES = (*COOLING_ROLES, DeviceRole.OTHER_LOAD_METER)
"""What every data centre has: where the site lists none, the plant adds one that nobody polls."""


@dataclass(frozen=True, slots=True)
class Part:
    """A vertex of the power path: a device, a node that nobody polls, or what a rack consumes."""

    id: str
    role: DeviceRole | None
    """None for a rack's load, and for a node whose name tells no role."""
    place: Place
    fed_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rack:
    """IT equipment at one place."""

    part: str
    """Id of the Part that stands for its load."""
    place: Place
    nodes: tuple[str, ...]
    """Its GPU nodes' device ids, or made-up ids where the site lists only its power shelves."""


@dataclass(frozen=True, slots=True)
class Topology:
    """All parts (racks' loads among them) and the racks."""

    parts: tuple[Part, ...]
    racks: tuple[Rack, ...]


def role_of_node(node: str) -> DeviceRole | None:
    """Tell a node's role from its name: `hall-1/transformer-2` is a transformer."""
    name = node.rsplit("/", 1)[-1].replace("_", "-")
    roles = (role for role in DeviceRole if role not in OBSERVERS)
    fitting = [role for role in roles if name.startswith(role.value.replace("_", "-"))]
    return max(fitting, key=len, default=None)


def read_topology(site: Site) -> Topology:
    """Find the parts and racks of a site, completed by the cooling and lighting it must have."""
    fed_by: dict[str, list[str]] = defaultdict(list)
    for device in site.devices:
        fed_by[device.id].extend(device.fed_by)
    for feed in site.feeds:
        if feed.source not in fed_by[feed.target]:
            fed_by[feed.target].append(feed.source)
    parts = [
        Part(device.id, device.role, device.place, tuple(fed_by[device.id]))
        for device in site.devices
        if device.role not in OBSERVERS
    ]
    parts += [Part(node, role_of_node(node), Place(), tuple(fed_by[node])) for node in site.nodes]
    racks, loads = _racks(site, fed_by)
    parts += loads
    return Topology(tuple(parts + _missing(parts)), tuple(racks))


def _racks(site: Site, fed_by: dict[str, list[str]]) -> tuple[list[Rack], list[Part]]:
    members: dict[Place, list[Device]] = defaultdict(list)
    for device in site.devices:
        if device.role in (*RACK_SUPPLIES, DeviceRole.GPU_NODE, DeviceRole.SERVER):
            members[_rack_place(device, fed_by)].append(device)
    racks, loads = [], []
    for place, devices in members.items():
        part = "/".join(filter(None, (place.hall, place.row, place.rack, "it-load")))
        loads.append(Part(part, None, place, _supplies(devices, fed_by)))
        racks.append(Rack(part, place, _nodes(part, devices)))
    return racks, loads


def _rack_place(device: Device, fed_by: dict[str, list[str]]) -> Place:
    """Equipment without a rack in its place is one with what shares its supply."""
    if device.place.rack:
        return device.place
    supply = fed_by[device.id] if device.role not in RACK_SUPPLIES else [device.id]
    return device.place.model_copy(update={"rack": "+".join(sorted(supply)) or "unplaced"})


def _supplies(devices: list[Device], fed_by: dict[str, list[str]]) -> tuple[str, ...]:
    """Return the last supplies before the IT equipment: its PDUs or shelves, else its `fed_by`."""
    supplies = [device.id for device in devices if device.role in RACK_SUPPLIES]
    inner = {source for supply in supplies for source in fed_by[supply]}
    last = [supply for supply in supplies if supply not in inner]
    return tuple(last or dict.fromkeys(s for device in devices for s in fed_by[device.id]))


def _nodes(part: str, devices: list[Device]) -> tuple[str, ...]:
    nodes = tuple(device.id for device in devices if device.role is DeviceRole.GPU_NODE)
    if not nodes and any(device.role is DeviceRole.POWER_SHELF for device in devices):
        nodes = tuple(f"{part}/node-{n:02}" for n in range(1, NODES_OF_AN_UNLISTED_RACK + 1))
    return nodes


def _missing(parts: list[Part]) -> list[Part]:
    """Return the cooling and lighting that the site does not list, fed as the listed would be."""
    of_role: dict[DeviceRole | None, list[str]] = defaultdict(list)
    for part in parts:
        of_role[part.role].append(part.id)
    utility = of_role[DeviceRole.UTILITY_METER]
    cooling = of_role[DeviceRole.COOLING_METER] or utility
    return [
        Part(
            f"unlisted/{role}", role, Place(), tuple(cooling if role in COOLING_ROLES else utility)
        )
        for role in COMPLETED_ROLES
        if not of_role[role]
    ]
