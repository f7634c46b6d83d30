"""Rules resolved against a site: what the engine watches, and what became of each rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alerts import flood
from alerts.condition import microseconds
from alerts.offers import Offers
from alerts.parts import Inventory
from alerts.rule import Rule, Select
from alerts.rule_file import PlacedRule
from alerts.watch import RuleFacts, Suppressor, Watch, WatchTable, build_table
from alerts.watches import WatchMaker
from facility.garbage import collector_paused
from facility.site import Site


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a rule at a site."""

    placed: PlacedRule
    watches: int
    off_because: str = ""
    """Empty where it is watched."""
    is_unmatched: bool = False
    """It is on, and no device of the site offers what it watches."""
    lacks: tuple[str, ...] = ()
    """The site values that it waits for."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """The watches of a site, and what became of each rule, in the rules' order."""

    table: WatchTable
    outcomes: tuple[Outcome, ...]

    def unmatched(self) -> list[PlacedRule]:
        """Give the site's own rules that match no device: most likely a slip of the pen."""
        return [
            outcome.placed
            for outcome in self.outcomes
            if outcome.is_unmatched and not outcome.placed.is_of_pack
        ]


def resolve(rules: Sequence[PlacedRule], site: Site, offers: Offers) -> Resolution:
    """Find what rules watch at a site.

    Args:
        rules: as `alerts.rule_file.load_rules` gives them.
        site: the site.
        offers: what its devices offer.
    """
    with collector_paused():
        return _resolve(rules, site, offers)


def _resolve(rules: Sequence[PlacedRule], site: Site, offers: Offers) -> Resolution:
    inventory = Inventory(site, offers)
    maker = WatchMaker(inventory)
    outcomes: list[Outcome] = []
    facts: list[RuleFacts] = []
    watches: list[Watch] = []
    for placed in rules:
        rule = placed.rule
        if (off := _off(placed, inventory)) is not None:
            outcomes.append(off)
            continue
        found = maker.watches(rule)
        if not found:
            outcomes.append(_nothing_found(placed, inventory))
            continue
        outcomes.append(Outcome(placed, len(found)))
        facts.append(_facts(rule))
        watches += found
        for name, suppressing in _suppressing(rule, maker):
            facts.append(_hidden_facts(rule, name))
            watches += suppressing
    watches += flood.flood_watches(site.name, facts)
    return Resolution(build_table([*facts, flood.RULE], watches), tuple(outcomes))


def _off(placed: PlacedRule, inventory: Inventory) -> Outcome | None:
    rule, settings = placed.rule, inventory.site.alerts
    if not rule.enabled:
        return Outcome(placed, 0, "not enabled in its file")
    if rule.name in settings.switched_off:
        return Outcome(placed, 0, "switched off by the site")
    lacks = tuple(name for name in rule.site_values if name not in settings.site_values)
    if lacks and (inventory.parts(rule.select) or inventory.awaits_parts(rule.select)):
        return Outcome(placed, 0, f"the site states no {', '.join(lacks)}", lacks=lacks)
    return _nothing_found(placed, inventory) if lacks else None


def _nothing_found(placed: PlacedRule, inventory: Inventory) -> Outcome:
    select = placed.rule.select
    if select.quantity is None:
        return Outcome(placed, 0, "no device is selected", is_unmatched=True)
    if inventory.awaits_parts(select):
        return Outcome(placed, 0, "waits for the devices' parts to be read")
    if inventory.parts(select):
        reason = "no selected part has all that it is compared with, or another to compare"
        return Outcome(placed, 0, reason, is_unmatched=True)
    return Outcome(placed, 0, f"no selected device offers {select.quantity}", is_unmatched=True)


def _facts(rule: Rule) -> RuleFacts:
    return RuleFacts(
        name=rule.name,
        priority=rule.priority,
        class_=rule.class_,
        message=rule.message,
        response=rule.response,
        owner=rule.owner,
        suppressed_by=tuple(
            Suppressor(each.rule or _hidden_name(rule, number), each.at)
            for number, each in enumerate(rule.suppress_when)
        ),
        by_rows=rule.sql is None or rule.sql.above is None,
        query="" if rule.sql is None else rule.sql.query,
        every_us=0 if rule.sql is None else microseconds(rule.sql.every_seconds),
        query_limit_s=0.0 if rule.sql is None else rule.sql.timeout_seconds,
    )


def _suppressing(rule: Rule, maker: WatchMaker) -> Iterator[tuple[str, list[Watch]]]:
    """Give the watches of the conditions under which a rule is not to be heard of."""
    for number, each in enumerate(rule.suppress_when):
        if each.quantity is None:
            continue
        found = {"quantity": each.quantity, "component": each.component}
        select = rule.select.model_copy(update=found) if each.at == "device" else Select(**found)
        name = _hidden_name(rule, number)
        yield name, maker.watches_of_condition(rule, name, select, each.condition)


def _hidden_name(rule: Rule, number: int) -> str:
    return f"{rule.name}/{number}"


def _hidden_facts(rule: Rule, name: str) -> RuleFacts:
    return RuleFacts(
        name=name, priority=rule.priority, class_=rule.class_, message="", is_announced=False
    )
