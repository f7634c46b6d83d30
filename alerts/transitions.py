"""Transitions as they are told: facts of the rule, state, value and message of one watch."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from alerts.message import render
from alerts.standing import LONG_AGO, STATES, Standing
from alerts.watch import WatchTable
from facility.alert import State, Transition
from facility.catalogue import load_catalogue

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def tell(
    table: WatchTable,
    standing: Standing,
    watch: int,
    *,
    previous: int,
    at_us: int,
    decided_us: int,
    cause: str | None,
    actor: str,
) -> Transition:
    """Put into words how a watch stands now; `previous` is the code of the state before."""
    rule = table.rules[table.rule[watch]]
    value, threshold = _known(standing.value[watch]), _known(standing.threshold[watch])
    quantity = load_catalogue().get(table.quantity[watch])
    until_us = int(standing.shelved_until[watch])
    names = {
        "value": value,
        "threshold": threshold,
        "device": table.device[watch],
        "component": table.component[watch],
        "quantity": table.quantity[watch],
        "unit": quantity.unit if quantity else "",
        "place": table.place[watch],
    }
    return Transition(
        happened_at=moment(at_us),
        decided_at=moment(decided_us),
        alert=table.alert[watch],
        number=int(standing.number[watch]),
        rule=rule.name,
        device=table.device[watch],
        component=table.component[watch],
        quantity=table.quantity[watch],
        priority=rule.priority,
        class_=rule.class_,
        state=STATES[standing.shown[watch]],
        previous=STATES[previous],
        value=value,
        threshold=threshold,
        message=render(rule.message, names),
        response=rule.response,
        owner=rule.owner,
        cause=cause,
        actor=actor,
        until_at=moment(until_us) if until_us > LONG_AGO else None,
    )


def tell_end(last: Transition, now_us: int) -> Transition:
    """End an alert whose rule or device is no longer there."""
    return replace(
        last,
        happened_at=moment(now_us),
        decided_at=moment(now_us),
        number=last.number + 1,
        state=State.NORMAL,
        previous=last.state,
        message=f"No longer watched. {last.message}",
        cause=None,
        actor="",
        until_at=None,
    )


def moment(at_us: int) -> datetime:
    """Give microseconds since 1970 as a time, exactly."""
    return _EPOCH + timedelta(microseconds=int(at_us))


def microseconds(at: datetime) -> int:
    """Give a time as microseconds since 1970, exactly."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
