"""Transitions of alerts come to rest in the lake like everything else, each once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sink_feed import ListFeed, make_sink, message, run_to_end

from facility.alert import State, Transition, alert_id, from_batch, to_batch
from facility.reading import TOPICS
from stream.message import Partition
from warehouse.query import run_sql

AT = datetime(2026, 3, 1, 12, 0, 0, 250_000, UTC)
FIRST = Transition(
    happened_at=AT, decided_at=AT, alert=alert_id("hot", "d", ""), number=1, rule="hot",
    device="d", component="", quantity="inlet_temperature_c", priority=2, class_="cooling",
    state=State.FIRING, previous=State.NORMAL, value=33.0, threshold=32.0, message="33 at d",
    response="look", owner="ops",
)  # fmt: skip
SHELVED = replace(
    FIRST, happened_at=AT + timedelta(seconds=9), number=2, state=State.SHELVED,
    previous=State.FIRING, actor="kim", until_at=AT + timedelta(hours=1),
)  # fmt: skip
OTHER = replace(
    FIRST, alert=alert_id("dark", "e", ""), rule="dark", device="e", state=State.SUPPRESSED,
    cause=FIRST.alert, value=None, threshold=None,
)  # fmt: skip


@pytest.fixture
def stored(lake):
    told = (FIRST, OTHER, SHELVED)
    log = [
        message(seq, to_batch(one), topic=TOPICS["alerts"], collector="alerts-0")
        for seq, one in enumerate(told, 1)
    ]
    feed = ListFeed({Partition(TOPICS["alerts"], "t-1", 0): [*log, log[0], log[2]]})
    run_to_end(make_sink(lake, feed), feed)
    return lake


def test_each_is_stored_once_and_unchanged(stored):
    rows = from_batch(run_sql(stored, "from alerts order by happened_at, number, device"))
    assert rows == [FIRST, OTHER, SHELVED]


def test_the_last_of_each_alert(stored):
    assert from_batch(run_sql(stored, "from last_alerts order by device")) == [SHELVED, OTHER]
