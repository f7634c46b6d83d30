"""Register beside integrated power, day by day."""

from __future__ import annotations

import pytest
from sql_bench import SqlBench

DAY_S = 24 * 3600
SEOUL_MIDNIGHT_S = 15 * 3600
WINDOW = {"a": "2026-10-01 15:00:00+00", "b": "2026-10-03 15:00:00+00"}
DAYS = "from reconciliation($a, $b) order by meter, period_start_at"


@pytest.fixture(scope="module")
def database() -> SqlBench:
    return SqlBench()


@pytest.fixture
def bench(database) -> SqlBench:
    """Two days in Seoul of a meter at 360 kW, register and power read every 5 minutes."""
    database.clear()
    database.site(time_zone="Asia/Seoul")
    database.meter("m", interval_s=300)
    times = range(SEOUL_MIDNIGHT_S, SEOUL_MIDNIGHT_S + 2 * DAY_S + 1, 300)
    database.read("m", [(s, 5e6 + 100.0 * s) for s in times])
    database.read("m", [(s, 360_000.0) for s in times], "active_power_w")
    return database


def power_times(bench: SqlBench, factor: float, since: str) -> None:
    bench.database.execute(
        "update readings set value = value * $1 where quantity = 'active_power_w' and ts > $2",
        [factor, since],
    )


def test_each_local_day_has_a_row_with_both(bench):
    rows = bench.ask(DAYS, WINDOW)
    assert len(rows) == 2
    for row in rows:
        assert row["register_wh"] == pytest.approx(8_640_000, rel=1e-12)
        assert row["integrated_wh"] == pytest.approx(8_640_000, rel=1e-12)
        assert row["difference_ratio"] == pytest.approx(0, abs=1e-12)
        assert (row["verdict"], row["reason"]) == ("agrees", None)


@pytest.mark.parametrize(("factor", "verdict"), [(1.02, "differs"), (0.96, "alarm"), (-1, "alarm")])
def test_the_day_in_which_they_part_is_named(bench, factor, verdict):
    power_times(bench, factor, "2026-10-02 15:00:00+00")
    first, second = bench.ask(DAYS, WINDOW)
    assert first["verdict"] == "agrees"
    assert second["verdict"] == verdict
    assert second["difference_ratio"] == pytest.approx(factor - 1, abs=0.01)
    (found,) = bench.ask("from registers_agree_with_power($a, $b)", WINDOW)
    assert found["period_start_at"] == second["period_start_at"]
    assert found["is_alarm"] == (verdict == "alarm")


def test_a_register_that_stands_still_while_power_flows_is_an_alarm(bench):
    bench.database.execute("update readings set value = 7 where quantity = 'energy_imported_wh'")
    rows = bench.ask(DAYS, WINDOW)
    assert [(row["register_wh"], row["verdict"]) for row in rows] == [(0, "alarm")] * 2


def test_half_a_day_without_power_readings_is_no_comparison(bench):
    bench.database.execute(
        "delete from readings where quantity = 'active_power_w' and ts > '2026-10-03 03:00:00+00'"
    )
    second = bench.ask(DAYS, WINDOW)[1]
    assert (second["verdict"], second["reason"]) == (
        None,
        "the power was read for less than 0.9 of it",
    )
    assert second["register_wh"] == pytest.approx(8_640_000, rel=1e-12)


def test_swings_between_readings_are_no_difference(bench):
    """60 and 660 kW in turn: more than 1 % is missed, and no more than sampling leaves open."""
    bench.database.execute(
        "update readings set value = if(epoch(ts)::bigint // 1200 % 2 = 0, 60000, 660000) "
        "where quantity = 'active_power_w'"
    )
    bench.database.execute("update readings set value = value * 1.015 where value > 1e6")
    for row in bench.ask(DAYS, WINDOW):
        assert abs(row["difference_ratio"]) > 0.01
        assert row["verdict"] == "agrees"
