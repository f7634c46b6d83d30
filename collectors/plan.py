"""Which devices are to be polled and how, and what a changed site file changes in that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from collectors.growth import NO_LIMITS, Limits, power_limits
from collectors.shard import Shard
from facility.site import Device, Place, Site


@dataclass(frozen=True, slots=True)
class Planned:
    """A device as far as polling goes; while this stays equal, its connection is left alone."""

    device: Device
    credentials: tuple[object, ...]
    limits: Limits


Plan = Mapping[str, Planned]


def plan_for(site: Site, shard: Shard) -> Plan:
    """The devices of a shard, by id."""
    stores = (site.snmp_credentials, site.http_credentials, site.modbus_credentials)
    limits = power_limits(site)
    return {
        device.id: Planned(
            device.model_copy(update={"place": Place(), "fed_by": ()}),
            tuple(store.get(device.credential or "") for store in stores),
            limits.get(device.id, NO_LIMITS),
        )
        for device in shard.share(site.devices)
    }


@dataclass(frozen=True, slots=True)
class Change:
    """What to stop and what to start; a device that differs is in both."""

    stop: tuple[str, ...]
    start: tuple[str, ...]


def change_between(old: Plan, new: Plan) -> Change:
    """The least that makes the new plan of the old."""

    def differing(these: Iterable[str]) -> tuple[str, ...]:
        return tuple(device for device in these if old.get(device) != new.get(device))

    return Change(stop=differing(old), start=differing(new))
