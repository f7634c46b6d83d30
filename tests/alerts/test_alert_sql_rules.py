"""Rules that are SQL: a query that takes too long is a named failure, and nobody waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from alert_rig import T0, Player, rule, us, watch
from prometheus_client import REGISTRY

from alerts import queries as module
from alerts.queries import Queries
from alerts.watch import ANSWERED, ANY_ROW
from busway.alert import _asking
from facility.errors import QueryError, QueryTooSlow
from warehouse.lake import Lake
from warehouse.location import LakeLocation

ENDLESS = "select count(*) as value, 'd' as device from range(1000000) a, range(1000000) b"


def board(*names: str, limit_s: float = 60.0) -> Player:
    rules = [rule(n, query=n, every_us=us(60), query_limit_s=limit_s) for n in names]
    watches = [
        watch("d", rule=n, inputs=(("d", n, ANSWERED),), fire=ANY_ROW, clear=ANY_ROW, stale=180)
        for n in names
    ]
    return Player(watches, rules)


def failures(name: str, reason: str) -> float:
    labels = {"rule": name, "reason": reason}
    return REGISTRY.get_sample_value("busway_alert_failed_queries_total", labels) or 0.0


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_duckdb_is_interrupted_at_the_limit_and_answers_again(tmp_path: Path) -> None:
    place = LakeLocation.of_directory(tmp_path / "lake")
    Lake.create_or_open(place).close()
    ask = _asking(place)
    started = time.monotonic()
    with pytest.raises(QueryTooSlow, match=r"no answer within 0\.3 s"):
        ask(ENDLESS, 0.3)
    assert time.monotonic() - started < 8
    assert ask("select 'd' as device", 30.0)["device"].to_pylist() == ["d"]
    with pytest.raises(QueryError, match="nowhere"):
        ask("from nowhere", 30.0)


def test_an_interrupted_query_is_a_named_state_of_its_rule_until_it_answers() -> None:
    player = board("slow-1")
    answers = iter([QueryTooSlow("no answer within 60 s"), pa.table({"device": ["d"]})])
    limits: list[float] = []

    def ask(_: str, limit_s: float) -> pa.Table:
        limits.append(limit_s)
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    queries = Queries(ask)
    try:
        queries.watch(player.board.table)
        before = failures("slow-1", "time_limit")
        until(lambda: not list(queries.turn(T0)) and bool(queries.failing))
        assert queries.failing == {"slow-1": "time_limit: no answer within 60 s"}
        assert failures("slow-1", "time_limit") - before == 1
        until(lambda: bool(list(queries.turn(T0 + us(60)))))
        assert queries.failing == {}
        assert limits == [60.0, 60.0]
    finally:
        queries.close()


def test_one_that_cannot_be_interrupted_stops_neither_others_nor_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "HANGS_S", 0.05)
    player, released = board("hangs-1", "well-1", limit_s=0.05), threading.Event()

    def ask(text: str, _: float) -> pa.Table:
        if text == "hangs-1":
            released.wait(30)
        return pa.table({"device": ["d"]})

    queries = Queries(ask)
    try:
        queries.watch(player.board.table)
        found: list[int] = []

        def turn() -> bool:
            started = time.monotonic()
            found.extend(len(samples) for samples in queries.turn(T0))
            assert time.monotonic() - started < 1, "the engine's thread does not wait"
            return bool(found) and "hangs-1" in queries.failing

        until(turn)
        assert queries.failing["hangs-1"].startswith("time_limit: it does not end")
        started = time.monotonic()
        queries.close()
        assert time.monotonic() - started < 1
    finally:
        released.set()
        queries.close()
