"""The site and the profiles, joined: what every command starts from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from collectors.profile import ModbusPoint, Point
from collectors.profile_library import load_profile, profile_names
from collectors.snmp.index import read_component
from facility.counter import CounterFacts
from facility.site import Kafka, Site
from facility.site_file import load_site
from warehouse.location import LakeLocation


def load_checked_site(path: Path) -> Site:
    """Load a site file against the profiles that stand.

    Raises:
        SiteFileError: with every mistake in it.
        ProfileError: a profile of ours is wrong.
    """
    return load_site(path, profiles={name: load_profile(name).protocol for name in profile_names()})


def lake_location(place: Path) -> LakeLocation:
    """Where a lake is: in the directory named, or where the site file named says.

    Raises:
        SiteFileError: it is a file with mistakes.
    """
    if place.is_file():
        return LakeLocation.of(load_site(place).lake)
    return LakeLocation.of_directory(place)


def points_of(profile: str, component: str, *quantities: str) -> Iterator[Point]:
    """The points of a profile that read some quantities of a component."""
    for point in load_profile(profile).points:
        if point.quantity in quantities and read_component(point.component, component) is not None:
            yield point


def counter_facts(profile: str, component: str, quantity: str) -> CounterFacts | None:
    """Modulus and resolution of a profile's counter, in the quantity's unit; None without one."""
    for point in points_of(profile, component, quantity):
        if (facts := point.counter) is not None:
            modulus = None if facts.modulus is None else facts.modulus * point.scale
            if isinstance(point, ModbusPoint) and point.exponent_address is not None:
                modulus = None  # the device states with each reading what a count is worth
            return CounterFacts(modulus=modulus, resolution=facts.resolution * point.scale)
    return None


def kafka_settings(site: Site, embedded_broker: str) -> Kafka:
    """The site's Kafka, or the embedded broker's address in its place."""
    if not embedded_broker:
        return site.kafka
    return site.kafka.model_copy(
        update={"bootstrap_servers": (embedded_broker,), "sasl": None, "tls": None}
    )
