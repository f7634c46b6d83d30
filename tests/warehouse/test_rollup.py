"""Roll-ups: when, beside sinks, after crashes, and what stays when readings go."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rollup_bench import RollupBench, Row
from sql_bench import START, at

from warehouse.lake import FORMAT, Lake
from warehouse.rollup import plan as planning
from warehouse.rollup import quarters as quarters_module
from warehouse.rollup import roll_up as job
from warehouse.rollup.plan import MOST_QUARTERS, QUARTER, Stretch, plan
from warehouse.rollup.roll_up import roll_up
from warehouse.sink import ENGINE

CHILD = Path(__file__).parent / "rollup_child.py"
HOUR_S = 3600
LATE_S = 2 * HOUR_S


@pytest.fixture
def bench(lake) -> RollupBench:
    bench = RollupBench(lake)
    bench.insert("sites", "demo", "UTC", 2e6, "site", 0.99)
    bench.meter("m")
    return bench


def steady(start_s: int, end_s: int, *, power_w: float = 360_000, name: str = "m") -> list[Row]:
    return [
        (second, name, "energy_imported_wh", 5e6 + power_w * second / 3600, 0)
        for second in range(start_s, end_s, 10)
    ]


def energy(bench: RollupBench, start_s: float, end_s: float, basis: str = "roll-ups") -> dict:
    [row] = bench.ask(
        "from energy($a, $b, basis := $c)", {"a": at(start_s), "b": at(end_s), "c": basis}
    )
    return row


def covered(bench: RollupBench) -> list[datetime]:
    rows = bench.ask("from covered_quarters order by quarter_at")
    return [row["quarter_at"] for row in rows]


def test_minutes_say_what_there_was(bench):
    values = [(10, 5.0, 0), (20, 7.0, 0), (30, 99.0, 4), (40, 3.0, 3), (50, None, 2)]
    bench.commit([(s, "m", "active_power_w", value, quality) for s, value, quality in values])
    bench.commit([(70, "m", "active_power_w", None, 4)])
    bench.roll_up(LATE_S)
    first, second = bench.ask("from readings_1m order by minute_at")
    assert (first["lowest"], first["highest"], first["mean"], first["last"]) == (3, 7, 5, 3)
    assert (first["readings"], first["worst_quality"]) == (5, 4)
    assert (second["mean"], second["readings"], second["minute_at"]) == (None, 1, at(60))


def test_a_quarter_waits_for_its_end_and_for_what_is_on_its_way(bench):
    bench.commit(steady(0, 1800))
    bench.roll_up(900 + 119)
    assert covered(bench) == []
    bench.roll_up(900 + 120)
    assert covered(bench) == [START]
    assert [row["quarter_at"] for row in bench.ask("from arrivals")] == [at(900)]


def test_late_data_is_answered_at_once_and_rolled_up_again(bench):
    """A gap of 600 s is bridged at first; then it turns out that the register stood still in it."""
    rows = steady(-HOUR_S, HOUR_S)
    late = [(s, "m", "energy_imported_wh", 5e6 + 36_000, 0) for s in range(1000, 1600, 10)]
    bench.commit([row for row in rows if not 1000 <= row[0] < 1600 and row[0] < 1600] + rows[-1:])
    bench.roll_up(LATE_S)
    assert len(covered(bench)) == 8
    bench.commit(late)
    assert at(900) not in covered(bench)
    assert energy(bench, 0, 1800) == energy(bench, 0, 1800, "readings")
    bench.roll_up(LATE_S)
    assert at(900) in covered(bench)
    assert energy(bench, 0, 1800)["energy_wh"] == pytest.approx(
        energy(bench, 0, 1800, "readings")["energy_wh"], rel=1e-12
    )
    times = bench.ask(f"from rolled_quarters where quarter_at = '{at(900)}' order by rolled_up_at")
    assert len(times) == 2
    assert times[0]["readings"] < times[1]["readings"]
    assert times[0]["arrived_at"] < times[1]["arrived_at"]


def test_an_outage_is_known_to_be_empty(bench):
    bench.commit(steady(0, 900) + steady(4 * HOUR_S, 4 * HOUR_S + 900))
    bench.roll_up(5 * HOUR_S)
    assert len(covered(bench)) == 17
    row = energy(bench, 0, 4 * HOUR_S + 600)
    assert row["energy_wh"] == pytest.approx(360_000 * (4 + 1 / 6), rel=1e-9)
    assert row["flags"] == ["gap"]


def test_a_wrong_clock_holds_nothing_up(bench):
    """1970, 1912, 2100 and 2300 beside a quarter of today."""
    day_s = 86_400
    wrong = [-START.timestamp(), -114 * 365 * day_s, 74 * 365 * day_s, 275 * 365 * day_s]
    bench.commit([(s, "m", "active_power_w", 5.0, 0) for s in wrong] + steady(0, 900))
    bench.roll_up(HOUR_S)
    assert covered(bench) == [datetime(1970, 1, 1, tzinfo=UTC), START]
    assert len(bench.ask("from arrivals")) == 1
    assert energy(bench, 0, 800)["energy_wh"] == pytest.approx(80_000)


def test_arrivals_of_a_fast_clock_do_not_pile_up(bench):
    for _ in range(3):
        rows = ", ".join(["('2100-01-01', 'readings', now(), uuid())"] * 100)
        bench.lake.connection.execute(f"insert into arrivals values {rows}")
    bench.roll_up(0)
    assert len(bench.ask("from arrivals")) == 1


def test_roll_ups_outlive_their_readings(bench):
    """Retention drops files whole; what comes late for them changes nothing any more."""
    bench.commit(steady(-HOUR_S, 3 * HOUR_S))
    bench.roll_up(4 * HOUR_S)
    before = energy(bench, 0, 2 * HOUR_S)
    cut = energy(bench, 100, 2 * HOUR_S + 17)
    bench.lake.connection.execute("delete from readings")
    assert energy(bench, 0, 2 * HOUR_S) == before
    row = energy(bench, 100, 2 * HOUR_S + 17)
    assert row["energy_wh"] == pytest.approx(cut["energy_wh"], rel=1e-3)
    assert abs(row["energy_wh"] - cut["energy_wh"]) <= row["resolution_wh"]
    bench.commit([(1234.5, "m", "energy_imported_wh", 7e6, 0)])
    bench.roll_up(4 * HOUR_S)
    assert bench.ask("from arrivals") == []
    assert energy(bench, 0, 2 * HOUR_S) == before


def test_a_meter_that_is_swapped_inside_a_quarter_is_cut_there(bench):
    """From 1234.5 s on the device is another meter; that is told when the readings are gone."""
    connection = bench.lake.connection
    connection.execute("update meters set valid_to = ?", [at(1234.5)])
    bench.insert("meters", "new", "m", "", "utility", 0.5, 1e6, None, 1.0, since=at(1234.5))
    bench.commit(steady(-HOUR_S, HOUR_S))
    question = "from energy($a, $b) order by meter"
    window = {"a": at(0), "b": at(2700)}
    from_readings = bench.ask(question, window)
    bench.roll_up(LATE_S)
    connection.execute("delete from readings")
    old, new = bench.ask(question, window)
    assert old["energy_wh"] == pytest.approx(123_450, rel=1e-12)
    assert new["energy_wh"] == pytest.approx(146_550, rel=1e-12)
    assert [row["energy_wh"] for row in from_readings] == pytest.approx([123_450, 146_550])


def test_days_and_months_are_made_of_quarters(bench, monkeypatch):
    """A meter read every 5 minutes in Seoul, from 30 September to 1 November."""
    monkeypatch.setattr(planning, "MOST_QUARTERS", 33 * 96)
    connection = bench.lake.connection
    connection.execute("update sites set time_zone = 'Asia/Seoul'")
    connection.execute("update devices set interval_s = 300")
    days_s = 32 * 86_400
    rows = [(s, "m", "energy_imported_wh", 5e6 + 10.0 * s, 0) for s in range(-86_400, days_s, 300)]
    bench.commit(rows)
    bench.roll_up(days_s + HOUR_S)
    grains = bench.ask("select grain, count(*) as n from covered_periods group by all order by all")
    assert grains == [{"grain": "day", "n": 32}, {"grain": "month", "n": 1}]
    assert [row["kind"] for row in bench.ask("from energy_1mo")] == ["run"]
    window = {"a": at(-9 * HOUR_S), "b": at(31 * 86_400 - 9 * HOUR_S)}
    sources = bench.ask(
        "select source, count(*) as n from energy_sources($a, $b) group by all", window
    )
    assert {row["source"]: row["n"] for row in sources} == {"month": 1, "quarter": 8}
    [row] = bench.ask("from energy($a, $b)", window)
    assert row["energy_wh"] == 10.0 * 31 * 86_400
    bench.commit([(5 * 86_400.0 + 7, "m", "energy_imported_wh", 5e6 + 10.0 * (5 * 86_400 + 7), 0)])
    sources = bench.ask(
        "select source, count(*) as n from energy_sources($a, $b) group by all", window
    )
    assert {row["source"]: row["n"] for row in sources} == {
        "day": 30,
        "quarter": 95 + 8,
        "readings": 1,
    }
    bench.roll_up(days_s + HOUR_S)
    sources = bench.ask("select distinct source from energy_sources($a, $b) order by all", window)
    assert [row["source"] for row in sources] == ["month", "quarter"]


@pytest.fixture(params=["sqlite", "postgres"])
def shared(request) -> Iterator[RollupBench]:
    """A lake that several may open, with either catalogue."""
    if request.param == "sqlite":
        yield request.getfixturevalue("bench")
        return
    place = request.getfixturevalue("postgres_lake")()
    with Lake.create_or_open(place, settings=ENGINE) as lake:
        bench = RollupBench(lake)
        bench.insert("sites", "demo", "UTC", 2e6, "site", 0.99)
        bench.meter("m")
        yield bench


def test_sinks_go_on_beside_roll_ups(shared):
    """While one thread commits, two others roll up; nothing is lost, and nothing stands twice."""
    rows = steady(0, 3 * HOUR_S)
    done = threading.Event()

    def roll_up_all_the_time() -> None:
        with Lake.create_or_open(shared.lake.location, settings=ENGINE) as lake:
            while not done.is_set():
                roll_up(lake, now=at(LATE_S))

    with ThreadPoolExecutor(2) as pool:
        rolling = [pool.submit(roll_up_all_the_time) for _ in range(2)]
        try:
            for first in range(0, len(rows), 180):
                shared.commit(rows[first : first + 180 : 2])
                shared.commit(rows[first + 1 : first + 180 : 2])
        finally:
            done.set()
        for each in rolling:
            each.result(60)
    shared.roll_up(4 * HOUR_S)
    assert len(covered(shared)) == 12
    [minutes] = shared.ask("select count(*) as rows, sum(readings) as readings from readings_1m")
    assert (minutes["rows"], minutes["readings"]) == (180, len(rows))
    assert len(shared.ask("from energy_15m")) == 12
    from_readings = energy(shared, 0, 10_000, "readings")
    assert energy(shared, 0, 10_000)["energy_wh"] == pytest.approx(
        from_readings["energy_wh"], rel=1e-12
    )


@pytest.mark.parametrize("step", ["written", "before_commit", "in_transaction", "after_commit"])
def test_a_roll_up_killed_at_any_step_loses_nothing_and_doubles_nothing(empty_lake, tmp_path, step):
    directory = tmp_path / "lake"
    shutil.copytree(empty_lake, directory)
    with Lake.create_or_open(directory, settings=ENGINE) as lake:
        bench = RollupBench(lake)
        bench.meter("m")
        bench.commit(steady(0, 4 * HOUR_S))
    died = subprocess.run(
        [sys.executable, CHILD, directory, step],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    with Lake.create_or_open(directory, settings=ENGINE) as lake:
        bench = RollupBench(lake)
        assert len(covered(bench)) == (16 if step == "after_commit" else 0)
        bench.roll_up(5 * HOUR_S)
        assert len(bench.ask("from energy_15m")) == 16
        [minutes] = bench.ask("select sum(readings) as readings from readings_1m")
        assert minutes["readings"] == 1440


def test_a_lake_of_before_is_upgraded_and_rolled_up(empty_lake, tmp_path):
    directory = tmp_path / "lake"
    shutil.copytree(empty_lake, directory)
    with Lake.create_or_open(directory, settings=ENGINE) as lake:
        bench = RollupBench(lake)
        bench.meter("m")
        bench.commit(steady(0, 1800))
        for table in ("arrivals", "rolled_quarters", "rolled_periods", *job.TABLES):
            lake.connection.execute(f"drop table {table}")
        lake.connection.execute("update lake_format set version = 1")
    with Lake.create_or_open(directory, settings=ENGINE) as lake:
        bench = RollupBench(lake)
        assert bench.ask("from lake_format") == [{"version": FORMAT}]
        bench.roll_up(HOUR_S)
        assert covered(bench) == [START, at(900)]


def quarters(*numbers: int) -> list[datetime]:
    return [START + number * QUARTER for number in numbers]


def stretch(first: int, end: int) -> Stretch:
    return Stretch(START + first * QUARTER, START + end * QUARTER)


def test_the_latest_quarters_come_first_and_silence_between_is_filled():
    found = plan(quarters(0, 1, 4), quarters(3), [], closed_before=START + 5 * QUARTER)
    assert found.stretches == (stretch(4, 5), stretch(0, 3))
    assert not found.has_more


def test_a_stretch_ends_where_a_meter_changes():
    changes = [START + 2 * QUARTER, START + 4 * QUARTER + timedelta(seconds=1)]
    found = plan(quarters(*range(7)), [], changes, closed_before=START + 7 * QUARTER)
    assert found.stretches[::-1] == (stretch(0, 2), stretch(2, 4), stretch(4, 5), stretch(5, 7))


def test_much_is_rolled_up_in_parts(bench, monkeypatch):
    monkeypatch.setattr(quarters_module, "MOST_IN_STRETCH", 100)
    monkeypatch.setattr(quarters_module, "MOST_READINGS", 20)
    bench.commit(steady(0, 1800))
    bench.roll_up(HOUR_S)
    assert len(bench.ask("from rolled_quarters")) == 2
    assert len(bench.ask("from readings_1m")) == 30
    assert energy(bench, 0, 1500) == energy(bench, 0, 1500, "readings")


def test_no_run_is_longer_than_it_may_be():
    count = MOST_QUARTERS + 5
    found = plan(quarters(*range(count)), [], [], closed_before=START + count * QUARTER)
    assert found.has_more
    assert sum(len(s.quarters) for s in found.stretches) == MOST_QUARTERS
    assert found.stretches[0].end_at == START + count * QUARTER


def test_a_clock_that_was_wrong_fills_no_decades():
    long_ago = datetime(1970, 1, 1, tzinfo=UTC)
    found = plan([long_ago, START], [], [], closed_before=START + QUARTER)
    assert [s.start_at for s in found.stretches] == [START, long_ago]
