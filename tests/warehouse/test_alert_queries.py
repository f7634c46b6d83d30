"""The pack's queries: what they answer on a lake that is well, on one that is not, and on an empty.

`now()` is put in as a time of the test's own.
"""

from __future__ import annotations

import pytest
from sql_bench import SqlBench, at

from alerts.rule_file import load_pack

HOUR = 3600
QUERIES = {placed.rule.name: placed.rule.sql for placed in load_pack() if placed.rule.sql}


@pytest.fixture(scope="module")
def database() -> SqlBench:
    return SqlBench()


@pytest.fixture
def bench(database) -> SqlBench:
    database.clear()
    database.database.execute("delete from readings_1m")
    database.site()
    return database


def answers(bench: SqlBench, rule: str, now_s: float) -> dict[object, object]:
    """Value by device."""
    text = QUERIES[rule].query.replace("now()", f"timestamptz '{at(now_s).isoformat()}'")
    return {row["device"]: row["value"] for row in bench.ask(text)}


def flows(bench: SqlBench, name: str, power_w: float, hours: float = 1, **facts) -> None:
    """A meter through which a constant power flows, read once a minute."""
    bench.meter(name, max_power_w=4e6, interval_s=60, **facts)
    seconds = range(-60, round(hours * HOUR) + 120, 60)
    bench.read(name, [(s, 1e6 + power_w * s / HOUR) for s in seconds])
    bench.read(name, [(s, power_w) for s in seconds], "active_power_w")


def test_every_query_of_the_pack_is_tried_here() -> None:
    assert set(QUERIES) == {
        "demand-high",
        "demand-very-high",
        "energy-unbalanced",
        "pue-below-one",
        "values-out-of-range",
    }


@pytest.mark.parametrize("rule", ["demand-high", "demand-very-high"])
@pytest.mark.parametrize(("limit_kw", "value"), [(2000, 0.5), (1010, 1000 / 1010)])
def test_demand_is_forecast_against_the_contract(bench, rule, limit_kw, value) -> None:
    flows(bench, "utility", 1e6, role="utility")
    bench.factor("demand_limit_kw", "", limit_kw)
    found = answers(bench, rule, HOUR - 300)
    assert found == {"demo": pytest.approx(value)}
    assert (found["demo"] > QUERIES[rule].above) == (value > 0.98)


def test_demand_that_cannot_be_told_is_no_value(bench) -> None:
    assert answers(bench, "demand-high", HOUR) == {"demo": None}


@pytest.mark.parametrize(("below_w", "sections"), [(1e6, 0), (1.3e6, 1)])
def test_sections_that_do_not_add_up_are_counted(bench, below_w, sections) -> None:
    flows(bench, "above", 1e6, hours=24, role="feeder")
    flows(bench, "below", below_w, hours=24, role="feeder")
    bench.insert("feeds", "above", "below")
    assert answers(bench, "energy-unbalanced", 24 * HOUR) == {"demo": sections}


@pytest.mark.parametrize(("it_w", "is_wrong"), [(0.8e6, False), (1.1e6, True)])
def test_pue_of_the_last_day_must_not_be_below_one(bench, it_w, is_wrong) -> None:
    bench.boundary(e_dc=["utility"], e_it_1=["ups_output"])
    flows(bench, "utility", 1e6, hours=24, role="utility")
    flows(bench, "ups", it_w, hours=24, role="ups_output")
    found = answers(bench, "pue-below-one", 24 * HOUR)
    assert found == {"demo": pytest.approx(1 - 1e6 / it_w, abs=1e-4)}
    assert (found["demo"] > QUERIES["pue-below-one"].above) == is_wrong


def test_pue_that_cannot_be_told_is_no_value(bench) -> None:
    assert answers(bench, "pue-below-one", 24 * HOUR) == {"demo": None}


def test_the_share_of_minutes_out_of_range_is_told_by_device(bench) -> None:
    minutes = [(at(60 * m), "d", "", "q", 0.0, 1.0, 0.5, 1.0, 6, int(m == 7)) for m in range(50)]
    bench.database.executemany(
        "insert into readings_1m values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", minutes
    )
    assert answers(bench, "values-out-of-range", HOUR) == {"d": pytest.approx(0.02)}
    assert answers(bench, "values-out-of-range", 3 * HOUR) == {}
