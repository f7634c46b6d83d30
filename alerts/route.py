"""Whom an alert is told, with which others, and what of its changes is news; no clock, no I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from alerts.notice import SEVERITIES, Status
from facility.alert import State, Transition
from facility.alert_routes import DAYS, Maintenance, Match, Route
from facility.alert_settings import Alerts
from facility.site import Place, Site

Labels = Mapping[str, str]
NO_PLACE = Place()
REPEATED = frozenset({State.FIRING, State.NO_DATA})
"""What is told again until somebody acknowledges it."""


@dataclass(frozen=True, slots=True)
class Target:
    """A hook, and the group in which an alert is told there."""

    hook: str
    group: str
    """Names the group, for ever; JSON."""
    labels: Labels
    route: Route


class Router:
    """The routes of one site."""

    def __init__(self, site: Site) -> None:
        self.site = site.name
        self._settings: Alerts = site.alerts
        self._routes = site.alerts.routes or (Route(hooks=tuple(site.alerts.hooks)),)
        self._places = {device.id: device.place for device in site.devices}
        self._zone = ZoneInfo(site.time_zone)

    def labels(self, transition: Transition) -> dict[str, str]:
        """Say what an alert is, in names that stay the same for as long as it lasts."""
        place = self._places.get(transition.device, NO_PLACE)
        found = {
            "alertname": transition.rule,
            "site": self.site,
            "rule": transition.rule,
            "device": transition.device,
            "component": transition.component,
            "quantity": transition.quantity,
            "priority": str(transition.priority),
            "severity": SEVERITIES[transition.priority],
            "class": transition.class_,
            "owner": transition.owner,
            "hall": place.hall,
            "row": place.row,
            "rack": place.rack,
        }
        return {name: value for name, value in found.items() if value}

    def targets(self, labels: Labels) -> list[Target]:
        """Give each hook that an alert goes to, once."""
        found: dict[str, Target] = {}
        for number, route in enumerate(self._routes):
            if not fits(route.match, labels):
                continue
            group: dict[str, str] = {
                name: labels[name] for name in route.group_by if name in labels
            }
            key = json.dumps([number, group], ensure_ascii=False)
            for hook in route.hooks:
                found.setdefault(hook, Target(hook, key, group, route))
            if not route.go_on:
                break
        return list(found.values())

    def maintained(self, now: datetime) -> Iterator[Maintenance]:
        """Give the maintenance that goes on now."""
        return (each for each in self._settings.maintenance if _goes_on(each, now, self._zone))


def fits(match: Match, labels: Labels) -> bool:
    """Tell whether an alert is meant; what it has no label of is an empty text."""
    return all(
        any(_pattern(str(wanted)).fullmatch(labels.get(name.rstrip("_"), "")) for wanted in allowed)
        for name, allowed in match
        if allowed
    )


def is_quiet(labels: Labels, quieted: Iterable[Match]) -> bool:
    """Tell whether a silence or maintenance is for an alert."""
    return any(fits(match, labels) for match in quieted)


def news(
    state: State, told: Status | None, *, quiet: bool, takes_acknowledgements: bool
) -> Status | None:
    """Say what there is to tell of an alert, given what was told last; None: nothing.

    No data tells nobody that it is over, and neither does a silence, a shelving or a suppression;
    that something told is over is told in a silence as well.
    """
    is_open = told in {Status.FIRING, Status.ACKNOWLEDGED}
    match state:
        case State.FIRING if told is not Status.FIRING and not quiet:
            return Status.FIRING
        case State.NO_DATA if not is_open and not quiet:
            return Status.FIRING
        case State.ACKNOWLEDGED if told is Status.FIRING and takes_acknowledgements:
            return Status.ACKNOWLEDGED
        case State.NORMAL | State.RETURNED if is_open:
            return Status.RESOLVED
    return None


def _goes_on(maintenance: Maintenance, now: datetime, zone: ZoneInfo) -> bool:
    if maintenance.starts_at is not None and maintenance.ends_at is not None:
        return maintenance.starts_at <= now < maintenance.ends_at
    local = now.astimezone(zone)
    begins, ends, at = maintenance.from_time, maintenance.to_time, local.time()
    today, yesterday = (DAYS[(local - timedelta(days=back)).weekday()] for back in (0, 1))
    if begins < ends:
        return today in maintenance.days and begins <= at < ends
    return (today in maintenance.days and at >= begins) or (
        yesterday in maintenance.days and at < ends
    )


@lru_cache(1024)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, text.split("*"))), re.DOTALL)
