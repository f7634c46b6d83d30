"""The stream's clock, floods, queries and known points: small parts by themselves."""

from __future__ import annotations

import time

import pyarrow as pa
from alert_rig import T0, Player, rule, us, watch

from alerts.clock import BEHIND_US, StreamClock
from alerts.flood import FLOOD_RULE, RULE, Flood, flood_watches
from alerts.known_points import read_points, write_points
from alerts.queries import Queries
from alerts.watch import ANSWERED, ANY_ROW
from facility.errors import QueryError
from stream.message import Partition

P, Q = Partition("r", "1", 0), Partition("r", "1", 1)


def test_time_stands_still_until_everything_old_is_read():
    clock = StreamClock(T0)
    wall = T0 + us(600)
    assert clock.now(wall) == T0
    clock.assign({P: 0, Q: 7})
    assert (clock.now(wall), clock.is_behind) == (T0, True)
    clock.read(P, 0, T0 // 1000 + 100_000)
    clock.compare({P: 1, Q: 9}, wall)
    assert clock.now(wall) == T0
    clock.read(Q, 7, T0 // 1000 + 50_000)
    assert clock.now(wall) == T0 + us(50)
    clock.read(Q, 8, T0 // 1000 + 599_000)
    clock.compare({P: 1, Q: 9}, wall)
    assert (clock.now(wall), clock.is_behind) == (wall, False)


def test_a_partition_that_falls_behind_stops_the_clock_and_it_never_goes_back():
    clock = StreamClock(T0)
    clock.assign({P: 0})
    clock.read(P, 0, T0 // 1000)
    clock.compare({P: 1}, T0)
    assert clock.now(T0 + us(1)) == T0 + us(1)
    clock.compare({P: 100}, T0 + BEHIND_US + us(2))
    assert clock.now(T0 + us(9)) == T0 + us(1)
    assert clock.is_behind


def test_without_a_broker_nothing_grows_old():
    clock = StreamClock(T0)
    clock.assign({P: 0})
    clock.compare({P: 0}, T0)
    clock.now(T0 + us(1))
    clock.revoke([P])
    assert clock.now(T0 + us(1000)) == T0 + us(1)
    assert clock.next_offset(P) == 0


def test_more_than_ten_new_alerts_in_ten_minutes_are_a_flood():
    hot = rule("hot", owner="ops")
    watches = [watch(f"d-{n}") for n in range(12)]
    player = Player([*watches, *flood_watches("here", [hot])], [hot, RULE])
    flood = Flood()
    told = []
    for at in range(900):
        if at < 12:
            player.sample(at, ((f"d-{at}", "", "q"), 31))
            flood.note(player.told[-1:])
        for key, count in flood.counts("here", T0 + us(at)).items():
            player.sample(at, (key, count))
        told += [(t.state.value, at) for t in player.told if t.rule == FLOOD_RULE][len(told) :]
    assert told == [("firing", 10), ("returned", 607)]
    again = Flood()
    again.note(t for t in player.told if t.rule == FLOOD_RULE)
    assert again.counts("here", T0) == {}, "a flood is none of those that make one"


class Lake:
    """Answers a query as told."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer: pa.Table | Exception = pa.table({"device": ["d"], "value": [0.07]})

    def __call__(self, text: str, limit_s: float) -> pa.Table:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def ask(queries: Queries, player: Player, at: float) -> list[str]:
    told: list[str] = []
    for _ in range(200):
        for samples in queries.turn(T0 + us(at)):
            found = player.board.take(samples, T0 + us(at), T0 + us(at))
            player.told += found
            return [str(t.state) for t in found]
        time.sleep(0.005)
    return told


def test_a_query_fires_for_its_rows_and_a_failure_clears_nothing():
    slow = rule("slow", query="select 1", every_us=us(60))
    watches = [
        watch(
            device, rule="slow", inputs=((device, "slow", ANSWERED),),
            fire=ANY_ROW, clear=ANY_ROW, stale=180,
        )
        for device in ("d", "e")
    ]  # fmt: skip
    player, lake = Player(watches, [slow]), Lake()
    queries = Queries(lake)
    try:
        queries.watch(player.board.table)
        assert ask(queries, player, 0) == ["firing"]
        assert (player.told[0].device, player.told[0].value) == ("d", 0.07)
        assert list(queries.turn(T0 + us(59))) == []
        lake.answer = QueryError("no such table")
        assert ask(queries, player, 60) == []
        lake.answer = pa.table({"value": [1.0]})
        assert ask(queries, player, 90) == [], "after a failure it is asked again sooner"
        assert lake.asked == 3
        player.tick(200)
        assert player.told[-1].state == "no_data"
        lake.answer = pa.table({"device": pa.array(["unknown", "e"])})
        assert sorted(ask(queries, player, 240)) == ["firing", "returned"]
    finally:
        queries.close()


def test_known_points_are_kept_and_a_damaged_file_is_learnt_again(tmp_path):
    path = tmp_path / "alerts-0.points"
    assert read_points(path) == set()
    write_points(path, {("d", "a", "q"), ("d", "", "q")})
    assert read_points(path) == {("d", "a", "q"), ("d", "", "q")}
    write_points(path, ())
    assert read_points(path) == set()
    path.write_bytes(b"ARROW1 no more")
    assert read_points(path) == set()
