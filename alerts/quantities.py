"""Which quantities rules are about."""

from __future__ import annotations

from collections.abc import Iterable

from alerts.condition import Reference
from alerts.rule import Rule
from facility.catalogue import load_catalogue


def quantities_of(rules: Iterable[Rule]) -> frozenset[str]:
    """Give every quantity that a rule selects, compares with, or is suppressed by."""
    named: set[str | None] = set()
    for rule in rules:
        conditions = [rule.condition, *(s.condition for s in rule.suppress_when if s.quantity)]
        named.add(rule.select.quantity)
        named.update(suppression.quantity for suppression in rule.suppress_when)
        for condition in conditions:
            if isinstance(condition, Reference):
                named.update(condition.names)
    return frozenset(name for name in load_catalogue() if name in named)
