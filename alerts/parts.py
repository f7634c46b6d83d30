"""Which parts of which devices a rule selects."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import translate
from functools import cache, cached_property
from typing import NamedTuple

from alerts.offers import Offer, Offers
from alerts.rule import Select
from facility.site import Device, Place, Site

_NAME_IN_BRACES = re.compile(r"\{[^{}]*\}")


class Part(NamedTuple):
    """A part of a device; the component is empty for the device itself."""

    device: Device
    component: str


class Inventory:
    """The devices of a site and their parts, to be selected from."""

    def __init__(self, site: Site, offers: Offers) -> None:
        self.site = site
        self._offers = offers
        self._groups: defaultdict[tuple[str, str], list[Device]] = defaultdict(list)
        for device in site.devices:
            self._groups[device.role, device.profile].append(device)
        profiles = {profile for _, profile in self._groups}
        self._fixed = {profile: frozenset(offers.fixed(profile)) for profile in profiles}

    def devices(self, select: Select) -> Iterator[Device]:
        """Give the devices that fit, whatever they offer."""
        for role, profile in self._groups:
            yield from self._fitting(select, role, profile)

    def parts(self, select: Select) -> list[Part]:
        """Give the parts that fit and give the selected quantity."""
        found: list[Part] = []
        for role, profile in self._groups:
            if not _has_role_and_profile(select, role, profile):
                continue
            fixed = _chosen(select, self._offers.fixed(profile))
            has_table = any(quantity == select.quantity for _, quantity in self._tables(profile))
            for device in self._fitting(select, role, profile) if fixed or has_table else ():
                shown = _chosen(select, self._offers.shown_by(device)) if has_table else ()
                components = sorted({*fixed, *shown}) if shown else fixed
                found += [Part(device, component) for component in components]
        return found

    def awaits_parts(self, select: Select) -> bool:
        """Whether devices that fit have tables whose rows would fit, once they are known."""
        return any(
            _chosen(select, [(_NAME_IN_BRACES.sub("1", c), q) for c, q in self._tables(profile)])
            and any(True for _ in self._fitting(select, role, profile))
            for role, profile in self._groups
        )

    def offers(self, device: Device, component: str, quantity: str) -> bool:
        """Whether a part of a device gives a quantity."""
        key = (component, quantity)
        return key in self._fixed[device.profile] or key in self._offers.shown_by(device)

    @cached_property
    def by_place(self) -> dict[tuple[str, ...], list[Device]]:
        """Devices by hall, by hall and row, by hall, row and rack, and all under the empty key."""
        found: defaultdict[tuple[str, ...], list[Device]] = defaultdict(list)
        for device in self.site.devices:
            for level in ("rack", "row", "hall", "site"):
                if (key := place_key(device.place, level)) is not None:
                    found[key].append(device)
        return found

    def _tables(self, profile: str) -> list[Offer]:
        return self._offers.tables(profile)

    def _fitting(self, select: Select, role: str, profile: str) -> Iterator[Device]:
        if not _has_role_and_profile(select, role, profile):
            return
        devices = self._groups[role, profile]
        if not (select.device or select.hall or select.row or select.rack):
            yield from devices
            return
        for device in devices:
            place = device.place
            if (
                fits(device.id, select.device)
                and fits(place.hall, select.hall)
                and fits(place.row, select.row)
                and fits(place.rack, select.rack)
            ):
                yield device


def place_key(place: Place, level: str) -> tuple[str, ...] | None:
    """Give by what devices in one place are known; None where it is in no such place."""
    match level:
        case "rack":
            return (place.hall, place.row, place.rack) if place.rack else None
        case "row":
            return (place.hall, place.row) if place.row else None
        case "hall":
            return (place.hall,) if place.hall else None
    return ()


def fits(text: str, patterns: Sequence[str]) -> bool:
    """Whether a text is of any of the patterns; without patterns, any is."""
    return not patterns or any(_compiled(pattern).match(text) for pattern in patterns)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern))


def _has_role_and_profile(select: Select, role: str, profile: str) -> bool:
    return (not select.role or role in select.role) and fits(profile, select.profile)


def _chosen(select: Select, offers: Iterable[Offer]) -> list[str]:
    return [
        component
        for component, quantity in offers
        if quantity == select.quantity and fits(component, select.component)
    ]
