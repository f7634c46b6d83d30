"""From a site file to the parts of a plant: who feeds whom, and the racks at the end."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from facility.roles import DeviceRole
from facility.site import Place, Site
from simulator.plant.rack_listing import FedBy, Rack, listed_racks

OBSERVERS = frozenset(
    {
        DeviceRole.GPU_NODE,
        DeviceRole.SERVER,
        DeviceRole.INFERENCE_SERVER,
        DeviceRole.WEATHER_STATION,
        DeviceRole.WATER_METER,
        DeviceRole.HEAT_METER,
        DeviceRole.ENVIRONMENT,
    }
)
"""Devices that tell about something, and are no part of the power path themselves."""

COOLING_ROLES = (
    DeviceRole.CHILLER,
    DeviceRole.CDU,
    DeviceRole.AIR_HANDLER,
    DeviceRole.COOLING_TOWER,
    DeviceRole.PUMP,
)
COMPLETED_ROLES = (*COOLING_ROLES, DeviceRole.OTHER_LOAD_METER)
"""What every data centre has: where the site lists none, the plant adds one that nobody polls."""

IT_SUPPLIES = (
    DeviceRole.UTILITY_METER,
    DeviceRole.FEEDER_METER,
    DeviceRole.UPS,
    DeviceRole.UPS_OUTPUT_METER,
    DeviceRole.PDU_OUTPUT_METER,
)
"""Where IT equipment hangs in a site that lists no rack at all."""


@dataclass(frozen=True, slots=True)
class Part:
    """A vertex of the power path: a device, a node that nobody polls, or what a rack consumes."""

    id: str
    role: DeviceRole | None
    """None for a rack's load, and for a node whose name tells no role."""
    place: Place
    fed_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Topology:
    """All parts (racks' loads among them) and the racks."""

    parts: tuple[Part, ...]
    racks: tuple[Rack, ...]


def read_topology(site: Site) -> Topology:
    """Find the parts and racks of a site, completed by the cooling and lighting it must have."""
    fed_by = _sources(site)
    parts = [
        Part(device.id, device.role, device.place, tuple(fed_by[device.id]))
        for device in site.devices
        if device.role not in OBSERVERS
    ]
    parts += _nodes(site, fed_by)
    racks = listed_racks(site.devices, fed_by) or _racks_behind(parts)
    parts += [Part(rack.part, None, rack.place, rack.fed_by) for rack in racks]
    return Topology(tuple(parts + _missing(parts)), racks)


def _sources(site: Site) -> dict[str, list[str]]:
    fed_by: dict[str, list[str]] = defaultdict(list)
    for device in site.devices:
        fed_by[device.id].extend(device.fed_by)
    for feed in site.feeds:
        if feed.source not in fed_by[feed.target]:
            fed_by[feed.target].append(feed.source)
    return fed_by


def _nodes(site: Site, fed_by: FedBy) -> list[Part]:
    """Give each node the role that its name tells.

    A node below a device of its role, such as the busbar `ups-a` that UPS modules feed, is none.
    """
    roles = {device.id: device.role for device in site.devices}
    parts = []
    for node in site.nodes:
        role = role_of_node(node)
        sources = fed_by[node]
        above = {roles.get(s) for s in (*sources, *(s for near in sources for s in fed_by[near]))}
        parts.append(Part(node, None if role in above else role, Place(), tuple(sources)))
    return parts


def role_of_node(node: str) -> DeviceRole | None:
    """Tell a node's role from its name: `hall-1/transformer-2` is a transformer."""
    name = node.rsplit("/", 1)[-1].replace("_", "-")
    roles = (role for role in DeviceRole if role not in OBSERVERS)
    fitting = [role for role in roles if name.startswith(role.value.replace("_", "-"))]
    return max(fitting, key=len, default=None)


def _racks_behind(parts: list[Part]) -> tuple[Rack, ...]:
    """Return an ordinary rack behind each supply that, by the site file, feeds nothing."""
    feeding = {source for part in parts for source in part.fed_by}
    ends = [part for part in parts if part.role in IT_SUPPLIES and part.id not in feeding]
    return tuple(Rack(f"it-load:{end.id}", end.place, (), (end.id,)) for end in ends)


def _missing(parts: list[Part]) -> list[Part]:
    """Return the cooling and lighting that the site does not list, fed as the listed would be."""
    of_role: dict[DeviceRole | None, list[str]] = defaultdict(list)
    for part in parts:
        of_role[part.role].append(part.id)
    utility = of_role[DeviceRole.UTILITY_METER]
    cooling = of_role[DeviceRole.COOLING_METER] or utility
    return [
        Part(
            f"unlisted:{role}", role, Place(), tuple(cooling if role in COOLING_ROLES else utility)
        )
        for role in COMPLETED_ROLES
        if not of_role[role]
    ]
