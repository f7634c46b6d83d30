"""From what a threshold refers to, to the numbers and readings that it is."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from alerts.condition import Reference
from alerts.parts import Inventory, Part, fits, place_key
from alerts.watch import SeriesKey
from facility.catalogue import load_catalogue
from facility.site import Device, Site


class Scale(NamedTuple):
    """A threshold is `number * factor + offset`, times or plus the reading of a series."""

    factor: float = 1.0
    offset: float = 0.0
    relative_to: SeriesKey | None = None
    is_added: bool = False

    def of(self, number: float) -> float:
        """Give the threshold, but for the reading."""
        return number * self.factor + self.offset


class Thresholds:
    """What names in thresholds come to at each device of a site."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._site = inventory.site
        self._known = _known_of_site(inventory.site)

    def at(self, reference: Reference, part: Part) -> Scale | None:
        """Give what a condition refers to at a part; None where something of it is not known."""
        if not reference.names:
            return Scale()
        reading = next((name for name in reference.names if name in load_catalogue()), None)
        numbers = {
            name: self._figure(name, part.device) for name in reference.names if name != reading
        }
        key = None if reading is None else self._reading(reading, reference.at, part)
        if (reading is not None and key is None) or None in numbers.values():
            return None
        known = {name: value for name, value in numbers.items() if value is not None}
        return Scale(
            factor=prod(known[name] for name in reference.of if name != reading),
            offset=sum(known[name] for name in reference.plus if name != reading),
            relative_to=key,
            is_added=reading in reference.plus,
        )

    def _figure(self, name: str, device: Device) -> float | None:
        if name in self._known:
            return self._known[name].get(device.id, self._known[name].get(""))
        for given in self._site.alerts.site_values.get(name, ()):
            if (
                (given.role is None or given.role == device.role)
                and (given.profile is None or given.profile == device.profile)
                and fits(device.id, (given.device,))
            ):
                return given.value
        return None

    def _reading(self, quantity: str, level: str, part: Part) -> SeriesKey | None:
        """Find the series: of the part, of what it is part of, or of another device of the place.

        Of several other devices, the first by name that offers it as a whole counts.
        """
        if level == "device":
            component = part.component
            while not self._inventory.offers(part.device, component, quantity):
                if not component:
                    return None
                component = component.rpartition("/")[0]
            return part.device.id, component, quantity
        key = place_key(part.device.place, level)
        others = () if key is None else self._inventory.by_place.get(key, ())
        names = [other.id for other in others if self._inventory.offers(other, "", quantity)]
        return (min(names), "", quantity) if names else None


def _known_of_site(site: Site) -> dict[str, dict[str, float]]:
    """Figures by name and device; under the empty device, those of the whole site."""
    power = {
        meter.device: meter.max_power_kw * 1000
        for meter in site.meters
        if meter.max_power_kw is not None
    }
    provisioned = {} if site.provisioned_mw is None else {"": site.provisioned_mw * 1e6}
    return {"max_power_w": power, "provisioned_w": provisioned}
