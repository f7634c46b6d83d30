"""What urgent rules watch, for whoever carries readings to the engine: these must not wait."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from alerts.offers import Offers
from alerts.parts import Inventory, fits
from alerts.rule import Rule
from facility.alert_settings import Alerts
from facility.point import PointTable
from facility.site import Site

LATE_S = 2.0
"""A delay is counted from the sample's own time, so a rule with a longer one fires no sooner for a
sample that comes sooner."""


class UrgentPoints:
    """Says of a device's points which ones urgent rules watch or compare with."""

    def __init__(self, rules: Iterable[Rule], site: Site) -> None:
        inventory = Inventory(site, Offers({}))
        self._rules: defaultdict[str, list[Rule]] = defaultdict(list)
        for rule in rules:
            if _hurries(rule, site.alerts):
                for device in inventory.devices(rule.select):
                    self._rules[device.id].append(rule)

    def __call__(self, points: PointTable) -> npt.NDArray[np.bool_]:
        """Give a flag for each row."""
        rules = self._rules.get(points.device, ())
        flags = [
            any(_concerns(rule, component, quantity) for rule in rules)
            for component, quantity in zip(points.components, points.quantities, strict=True)
        ]
        return np.array(flags, np.bool_)


def _hurries(rule: Rule, settings: Alerts) -> bool:
    is_on = rule.enabled and rule.name not in settings.switched_off
    is_known = settings.site_values.keys() >= set(rule.site_values)
    is_watched = rule.urgent and rule.on_delay_seconds < LATE_S
    return is_on and is_known and is_watched and rule.select.quantity is not None


def _concerns(rule: Rule, component: str, quantity: str) -> bool:
    if quantity == rule.select.quantity:
        return fits(component, rule.select.component)
    return any(quantity in each.names for each in rule.references() if each.at == "device")
