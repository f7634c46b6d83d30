"""What devices offer: their parts and quantities, by profile, and what reading them has shown.

Rules are resolved against these. The parts of a table (outlets, GPUs) are not known before the
device has been read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from alerts.watch import SeriesKey
from facility.site import Device

Offer = tuple[str, str]
"""(component, quantity)."""


@dataclass(frozen=True, slots=True)
class Offers:
    """Which device offers what."""

    by_profile: Mapping[str, tuple[Offer, ...]]
    """Components as the profile names them; in a table with names in braces: `outlet.{outlet}`."""
    shown: Mapping[str, AbstractSet[Offer]] = field(default_factory=dict)
    """By device: what was read of it; it may hold what the profile tells as well."""

    def with_shown(self, keys: Iterable[SeriesKey]) -> Offers:
        """Add what devices have shown."""
        by_device: defaultdict[str, set[Offer]] = defaultdict(set)
        for device, component, quantity in keys:
            by_device[device].add((component, quantity))
        shown = {name: set(offers) for name, offers in self.shown.items()}
        for name, offers in by_device.items():
            shown[name] = shown.get(name, set()) | offers
        return replace(self, shown=shown)

    def fixed(self, profile: str) -> list[Offer]:
        """Give what every device of a profile has."""
        offers = dict.fromkeys(self.by_profile.get(profile, ()))  # fallbacks name a point again
        return [offer for offer in offers if "{" not in offer[0]]

    def tables(self, profile: str) -> list[Offer]:
        """Give what a device of a profile has any number of."""
        return [offer for offer in self.by_profile.get(profile, ()) if "{" in offer[0]]

    def shown_by(self, device: Device) -> AbstractSet[Offer]:
        """Give what was read of a device."""
        return self.shown.get(device.id, frozenset())
