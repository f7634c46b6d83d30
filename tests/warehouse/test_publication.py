"""What was published: given again to the last digit, and told from what it is now, with the why."""

from __future__ import annotations

import math
from datetime import datetime

import pytest
from rollup_bench import RollupBench
from sql_bench import BEGINNING, at

from facility.errors import QueryError
from warehouse.lake import Lake
from warehouse.publication import EXACT, publish_pue
from warehouse.query import run_sql

HOUR_S = 3600
WINDOW = {"from_at": at(0), "to_at": at(HOUR_S)}
HISTORY = "from pue_history($from_at, $to_at) order by category"
GAP = range(3310, 3900, 10)
"""Seconds whose readings of the utility's meter come late."""


def register(power_w: float, second: float) -> float:
    """At a power that varies, so that no energy is a round number."""
    return 1e6 + power_w * (second + 40 * math.sin(second / 700)) / 3600


def readings(device: str, power_w: float, seconds) -> list[tuple]:
    return [(s, device, "energy_imported_wh", round(register(power_w, s), 3), 0) for s in seconds]


@pytest.fixture
def bench(lake) -> RollupBench:
    """Utility and UPS for two hours; the utility's readings lack ten minutes about one o'clock."""
    bench = RollupBench(lake)
    bench.insert("sites", "demo", "UTC", 2e6, "site", 0.9)
    for total, category, role in (("e_dc", 0, "utility"), ("e_it", 1, "ups_output")):
        bench.insert("boundary_terms", "site", total, category, role, 1)
    bench.meter("grid")
    bench.meter("ups", "ups_output")
    seconds = range(-60, 2 * HOUR_S, 10)
    bench.commit(readings("grid", 9e5, [s for s in seconds if s not in GAP]))
    bench.commit(readings("ups", 7e5, seconds))
    return bench


def publish(bench: RollupBench, note: str = "to the owner"):
    return publish_pue(bench.lake, at(0), at(HOUR_S), "window", note=note)


def history(bench: RollupBench) -> list[dict]:
    return bench.ask(HISTORY, WINDOW)


def test_what_was_published_is_kept_with_what_it_is_the_sum_of(bench):
    published = publish(bench)
    (row,) = bench.ask("from pue_publications")
    assert (row["publication"], row["note"]) == (str(published.number), "to the owner")
    figures = published.figures.to_pylist()
    assert [{name: row[name] for name in figures[0]}] == figures
    sums = bench.ask(
        "select total, sum(sign * energy_wh) / 1000 as kwh from publication_parts group by all"
    )
    kwh = {total["total"]: total["kwh"] for total in sums}
    assert kwh["e_dc"] / kwh["e_it"] == pytest.approx(row["pue_ratio"], rel=1e-12)


def test_as_of_then_every_digit_comes_again(bench):
    bench.roll_up(3 * HOUR_S)
    published = publish(bench)
    bench.commit(readings("grid", 9e5, GAP))
    bench.roll_up(3 * HOUR_S)
    question = "from pue($from_at, $to_at) where pue_ratio is not null"
    with Lake.open_read_only(
        bench.lake.directory, settings=EXACT, as_of=published.as_of_at
    ) as then:
        assert run_sql(then, question, WINDOW).to_pylist() == published.figures.to_pylist()
    assert bench.ask(question, WINDOW) != published.figures.to_pylist()


def test_late_readings_are_told_with_their_meter_and_time(bench):
    publish(bench, "first")
    before = bench.ask("select now() as now")[0]["now"]
    bench.commit(readings("grid", 9e5, GAP))
    publish(bench, "second")
    rows = {row["note"]: row for row in history(bench)}
    assert (rows["second"]["is_restated"], rows["second"]["why"]) == (False, None)
    row = rows["first"]
    assert row["is_restated"]
    change = row["e_dc_kwh"] - row["published_e_dc_kwh"]
    assert row["why"] == f"late readings of grid ({change:+.6g} kWh)"
    assert isinstance(row["changed_at"], datetime)
    assert row["changed_at"] >= before
    # the truth by hand: what the register really showed at the hour, less what it showed at 0 s
    true_kwh = (register(9e5, HOUR_S) - register(9e5, 0)) / 1000
    assert row["e_dc_kwh"] == pytest.approx(true_kwh, rel=1e-8)
    assert row["published_e_dc_kwh"] != pytest.approx(true_kwh, rel=1e-6)
    # rolled up, the arrival is told of just the same
    bench.roll_up(3 * HOUR_S)
    (again,) = [row for row in history(bench) if row["note"] == "first"]
    assert (again["why"], again["is_restated"]) == (row["why"], True)
    assert again["changed_at"] == row["changed_at"]


def test_a_corrected_factor_is_told(bench):
    fuel = ("fuel_used", "diesel", 10, None, at(0), at(HOUR_S))
    bench.insert("factors", *fuel)
    bench.insert("factors", "fuel_kwh_per_unit", "diesel", 9.9, None, None, None)
    bench.insert("factors", "source_energy_ratio", "diesel", 1, None, None, None)
    publish(bench)
    bench.insert("factors", *fuel[:2], 30, *fuel[3:], since=at(5 * HOUR_S))
    (row,) = history(bench)
    assert row["why"] == "corrected factors of diesel (+198 kWh)"
    assert row["changed_at"] == at(5 * HOUR_S)
    assert row["e_dc_kwh"] - row["published_e_dc_kwh"] == pytest.approx(198)


def test_a_changed_boundary_is_told(bench):
    publish(bench)
    bench.insert("boundary_terms", "site", "e_dc", 0, "ups_output", 1, since=BEGINNING)
    (row,) = history(bench)
    assert row["why"].startswith("changed boundary: ups is new in it (+")


def test_no_figure_is_not_published(bench):
    with pytest.raises(QueryError, match=r"nothing to publish: .* of the meters gave too little"):
        publish_pue(bench.lake, at(9 * HOUR_S), at(10 * HOUR_S), "window")
