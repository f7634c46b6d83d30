"""From a rule and the parts it selects to watches: one function each kind of condition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from alerts import groups
from alerts.condition import (
    Condition,
    Count,
    Judging,
    PathSum,
    Reference,
    Spread,
    Sql,
    microseconds,
)
from alerts.parts import Inventory, Part
from alerts.rule import Rule, Select
from alerts.thresholds import Scale, Thresholds
from alerts.watch import ANSWERED, POLLED, Watch
from facility.site import Place

INTERVALS_UNTIL_STALE = 3
LEAST_STALE_S = 6.0
"""Readings may be a flush and BEHIND_US late (`alerts.clock`) before the engine notices that it is
they, and not the device, that are late."""


class WatchMaker:
    """Makes the watches of rules at one site."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._site = inventory.site
        self._thresholds = Thresholds(inventory)
        self._feeds = [(feed.source, feed.target) for feed in inventory.site.feeds]

    def watches(self, rule: Rule) -> list[Watch]:
        """Give the watches of a rule; parts of which a figure is not known are left out."""
        return list(self._watches(rule, rule.name, rule.select, rule.condition))

    def watches_of_condition(
        self, rule: Rule, name: str, select: Select, condition: Condition
    ) -> list[Watch]:
        """Give the watches of a condition that only suppresses, under a name of its own."""
        plain = rule.model_copy(
            update={"on_delay_seconds": 0.0, "off_delay_seconds": 0.0, "latch": False}
        )
        return list(self._watches(plain, name, select, condition))

    def _watches(
        self, rule: Rule, name: str, select: Select, condition: Condition
    ) -> Iterator[Watch]:
        if isinstance(condition, Sql):
            yield from self._of_query(rule, condition)
        elif select.quantity is None:
            for device in self._inventory.devices(select):
                part = Part(device, "")
                yield _watch(rule, name, part, POLLED, [part], condition.judging(), Scale())
        else:
            judging = condition.judging()
            known = condition if isinstance(condition, Reference) else Reference()
            for shown, members in self._members(condition, self._inventory.parts(select)):
                scale = self._thresholds.at(known, members[0])
                if scale is not None:
                    yield _watch(rule, name, shown, select.quantity, members, judging, scale)

    def _members(
        self, condition: Condition, parts: Sequence[Part]
    ) -> Iterable[tuple[Part, list[Part]]]:
        """Give the part that an alert is shown at, and the parts whose values it comes from."""
        match condition:
            case Spread(across="phases"):
                return groups.phases(parts).items()
            case Spread():
                return groups.siblings(parts).items()
            case PathSum(by="survivors"):
                return [
                    (_with_others(group), group) for group in groups.survivors(parts, self._feeds)
                ]
            case PathSum(by=level) | Count(by=level):
                found = groups.in_places(parts, level)
                return [(Part(group[0].device, ""), group) for group in found]
        return [(part, [part]) for part in parts]

    def _of_query(self, rule: Rule, condition: Sql) -> Iterator[Watch]:
        """Watch the selected devices; where nothing is selected, the site by its name."""
        places = {
            device.id: place_text(device.place) for device in self._inventory.devices(rule.select)
        }
        if rule.select == Select():
            places = {self._site.name: ""}
        default = INTERVALS_UNTIL_STALE * condition.every_seconds
        judging = condition.judging()
        for device, place in places.items():
            yield Watch(
                rule=rule.name,
                device=device,
                component="",
                quantity=ANSWERED,
                place=place,
                measure=judging.measure,
                inputs=((device, rule.name, ANSWERED),),
                fire=judging.fire,
                clear=judging.clear,
                on_delay_us=microseconds(rule.on_delay_seconds),
                off_delay_us=microseconds(rule.off_delay_seconds),
                stale_after_us=microseconds(rule.stale_after_seconds or default),
                latch=rule.latch,
                urgent=rule.urgent,
            )


def place_text(place: Place) -> str:
    """`hall-1/row-2/rack-03`, as far as it is known."""
    return "/".join(name for name in (place.hall, place.row, place.rack) if name)


def _with_others(group: Sequence[Part]) -> Part:
    """Show a sum at its first device; the others stand in the component, which makes it unique."""
    first, *others = group
    names = "".join(f"+{other.device.id}" for other in others)
    return Part(first.device, f"{first.component}{names}")


def _watch(  # noqa: PLR0917 - all of it makes one row
    rule: Rule,
    name: str,
    shown: Part,
    quantity: str,
    members: Sequence[Part],
    judging: Judging,
    scale: Scale,
) -> Watch:
    interval_s = max(part.device.interval_seconds for part in members)
    default = max(LEAST_STALE_S, INTERVALS_UNTIL_STALE * interval_s)
    return Watch(
        rule=name,
        device=shown.device.id,
        component=shown.component,
        quantity=quantity,
        place=place_text(shown.device.place),
        measure=judging.measure,
        inputs=tuple((part.device.id, part.component, quantity) for part in members),
        fire=scale.of(judging.fire),
        clear=scale.of(judging.clear),
        below=judging.below,
        relative_to=scale.relative_to,
        is_added=scale.is_added,
        mask=judging.mask,
        codes=judging.codes,
        window_us=judging.window_us,
        on_delay_us=microseconds(rule.on_delay_seconds),
        off_delay_us=microseconds(rule.off_delay_seconds),
        stale_after_us=microseconds(rule.stale_after_seconds or default),
        latch=rule.latch,
        urgent=rule.urgent,
    )
