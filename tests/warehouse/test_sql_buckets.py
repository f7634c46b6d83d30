"""Periods: aligned in the site's time zone, cut at the window."""

from __future__ import annotations

import duckdb
import pytest
from sql_bench import SqlBench


@pytest.fixture(scope="module")
def bench() -> SqlBench:
    return SqlBench()


def periods(bench: SqlBench, start: str, end: str, grain: str | None) -> list[tuple[str, float]]:
    """Give each period's start, in UTC, and its hours."""
    rows = bench.ask(
        "select period_start_at, seconds_between(period_start_at, period_end_at) / 3600 as hours "
        "from buckets($a, $b, $g) order by bucket",
        {"a": start, "b": end, "g": grain},
    )
    return [(row["period_start_at"].strftime("%m-%d %H:%M"), row["hours"]) for row in rows]


@pytest.fixture
def seoul(bench) -> SqlBench:
    bench.clear()
    bench.site(time_zone="Asia/Seoul")
    return bench


@pytest.fixture
def new_york(bench) -> SqlBench:
    bench.clear()
    bench.site(time_zone="America/New_York")
    return bench


def test_a_window_is_one_period(seoul):
    whole = [("10-01 00:10", 1.5)]
    assert periods(seoul, "2026-10-01 00:10:00+00", "2026-10-01 01:40:00+00", "window") == whole
    assert periods(seoul, "2026-10-01 00:10:00+00", "2026-10-01 01:40:00+00", None) == whole


def test_days_begin_at_local_midnight_and_the_window_cuts_them(seoul):
    """Midnight in Seoul is 15:00 UTC the day before."""
    assert periods(seoul, "2026-10-01 14:00:00+00", "2026-10-02 16:00:00+00", "day") == [
        ("10-01 14:00", 1),
        ("10-01 15:00", 24),
        ("10-02 15:00", 1),
    ]


def test_days_of_23_and_25_hours(new_york):
    spring = periods(new_york, "2026-03-07 05:00:00+00", "2026-03-10 04:00:00+00", "day")
    assert spring == [("03-07 05:00", 24), ("03-08 05:00", 23), ("03-09 04:00", 24)]
    autumn = periods(new_york, "2026-10-31 04:00:00+00", "2026-11-03 05:00:00+00", "1 day")
    assert [hours for _, hours in autumn] == [24, 25, 24]


def test_hours_of_a_day_that_changes_its_clock(new_york):
    hours = periods(new_york, "2026-11-01 04:00:00+00", "2026-11-02 05:00:00+00", "hour")
    assert len(hours) == 25
    assert {length for _, length in hours} == {1}


def test_quarter_hours_months_and_years(seoul):
    quarters = periods(seoul, "2026-10-01 00:10:00+00", "2026-10-01 00:40:00+00", "15 minutes")
    assert quarters == [
        ("10-01 00:10", pytest.approx(5 / 60)),
        ("10-01 00:15", 0.25),
        ("10-01 00:30", pytest.approx(10 / 60)),
    ]
    months = periods(seoul, "2025-12-31 15:00:00+00", "2026-03-31 15:00:00+00", "month")
    assert [hours / 24 for _, hours in months] == [31, 28, 31]
    assert len(periods(seoul, "2024-12-31 15:00:00+00", "2026-12-31 15:00:00+00", "year")) == 2


def test_a_grain_that_does_not_divide_the_day_starts_anew_each_day(seoul):
    odd = periods(seoul, "2026-10-01 15:00:00+00", "2026-10-03 15:00:00+00", "7 hours")
    assert [hours for _, hours in odd] == [7, 7, 7, 3] * 2


def test_a_window_that_ends_before_it_begins(seoul):
    with pytest.raises(duckdb.Error, match="which is not after its start"):
        periods(seoul, "2026-10-02 00:00:00+00", "2026-10-01 00:00:00+00", "window")


def test_a_grain_that_is_none(seoul):
    with pytest.raises(duckdb.Error, match="fortnightly"):
        periods(seoul, "2026-10-01 00:00:00+00", "2026-10-02 00:00:00+00", "fortnightly")


def test_only_twelve_months_are_called_pue(new_york):
    new_york.boundary(e_dc=["utility"], e_it_1=["ups_output"])
    year = "from pue('2025-11-01 04:00:00+00', '2026-11-01 04:00:00+00', 'window', 1)"
    assert new_york.ask(year)[0]["name"] == "PUE"
    month = "from pue('2026-10-01 04:00:00+00', '2026-11-01 04:00:00+00', 'window', 1)"
    assert new_york.ask(month)[0]["name"] == "iPUE"
