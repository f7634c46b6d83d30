"""WUE, CUE, ERF, ERE, REF, MLC and ELC, demand: small numbers, done by hand."""

from __future__ import annotations

import pytest
from sql_bench import SqlBench, at

HOUR = 3600
WINDOW = {"a": at(0), "b": at(2 * HOUR)}
SLOWEST_OPTIMIZER = "statistics_propagation"
"""Planning is nearly all of what so few rows cost, and this is half of it."""


@pytest.fixture(scope="module")
def database() -> SqlBench:
    bench = SqlBench()
    bench.database.execute(f"set disabled_optimizers = '{SLOWEST_OPTIMIZER}'")
    return bench


def rises(power_w: float, until_s: float = 2 * HOUR, start: float = 1e6) -> list:
    """A register of constant power, every 60 s."""
    return [(s, start + power_w * s / HOUR) for s in range(-60, int(until_s) + 61, 60)]


@pytest.fixture
def bench(database) -> SqlBench:
    """1.3 MW from the grid, 1 MW of IT, 0.2 MW cooling, 0.05 MW other; two hours."""
    database.clear()
    database.site()
    database.boundary(e_dc=["utility"], e_it_1=["ups_output"], e_it_3=["it_input"])
    loads = {"utility": 1.3e6, "ups_output": 1.02e6, "it_input": 1e6, "cooling": 2e5, "other": 5e4}
    for role, power_w in loads.items():
        database.meter(role, role, interval_s=60, max_power_w=2e6)
        database.read(role, rises(power_w))
    return database


def device(bench: SqlBench, name: str, role: str, hall: str = "hall-1") -> None:
    bench.insert("devices", name, "p", role, 60, hall, "", "")


def one(bench: SqlBench, question: str, **where: object) -> dict:
    found = [row for row in bench.ask(question, WINDOW) if where.items() <= row.items()]
    assert len(found) == 1, found
    return found[0]


def by_basis(bench: SqlBench, question: str) -> dict[str, dict]:
    return {row["basis"]: row for row in bench.ask(question, WINDOW)}


def water(bench: SqlBench, name: str, litres_per_hour: float, kind: str) -> None:
    device(bench, name, "water_meter")
    bench.factor("water_intake", name, kind)
    bench.read(name, rises(litres_per_hour, start=500), "water_volume_l")


def test_wue_is_all_water_over_it_energy(bench):
    """(900 + 300) L/h over 1,000 kWh/h = 1.2 L/kWh; potable alone 0.9."""
    water(bench, "water/city", 900, "potable")
    water(bench, "water/rain", 300, "rain")
    device(bench, "water/submeter", "water_meter")  # not named as an intake: not counted again
    bench.read("water/submeter", rises(700, start=500), "water_volume_l")
    found = by_basis(bench, "from wue($a, $b)")
    site = found["site"]
    assert (site["it_category"], site["reason"]) == (3, None)
    assert site["water_l"] == pytest.approx(2400)
    assert site["wue_l_per_kwh"] == pytest.approx(1.2)
    assert site["coverage_ratio"] == 1
    assert found["potable"]["wue_l_per_kwh"] == pytest.approx(0.9)
    assert found["source"]["reason"] == "grid_water_l_per_kwh is not stated"
    cat_1 = one(bench, "from wue($a, $b, category := 1)", basis="site")
    assert cat_1["wue_l_per_kwh"] == pytest.approx(1200 / 1020)


def test_source_water_is_stated_apart(bench):
    """1.8 L/kWh for the first hour, 2.2 for the second, times 1,300 kWh each."""
    water(bench, "water/city", 900, "potable")
    bench.factor("grid_water_l_per_kwh", "", 1.8, from_s=0, to_s=HOUR)
    bench.factor("grid_water_l_per_kwh", "", 2.2, from_s=HOUR, to_s=2 * HOUR)
    source = one(bench, "from wue($a, $b)", basis="source")
    assert source["water_l"] == pytest.approx(1800 + 1.8 * 1300 + 2.2 * 1300)
    assert source["wue_l_per_kwh"] == pytest.approx((1800 + 5200) / 2000)


def test_a_water_meter_that_fell_loses_the_step_and_a_silent_one_leaves_no_wue(bench):
    """The rain meter was reset within a minute: 300 / 60 = 5 L of it are not counted."""
    water(bench, "water/city", 900, "potable")
    water(bench, "water/rain", 300, "rain")
    bench.database.execute(
        "update readings set value = value - 400 where device = 'water/rain' and ts > $1",
        [at(HOUR)],
    )
    site = one(bench, "from wue($a, $b)", basis="site")
    assert site["water_l"] == pytest.approx(1800 + 600 - 5)
    bench.database.execute(
        "delete from readings where device = 'water/rain' and ts > $1", [at(HOUR)]
    )
    found = by_basis(bench, "from wue($a, $b)")
    assert found["site"]["wue_l_per_kwh"] is None
    assert found["site"]["reason"] == "too little was read of water/rain"
    assert found["potable"]["wue_l_per_kwh"] == pytest.approx(0.9)
    bench.database.execute("delete from factors")
    assert one(bench, "from wue($a, $b)", basis="site")["reason"] == (
        "water_intake in the site file names no water meter"
    )


def test_cue_is_hourly_carbon_times_hourly_energy(bench):
    """1.3 MWh at 0.3 and 0.9 at 0.7: not 2.2 MWh at their mean 0.5."""
    bench.database.execute("delete from readings where device = 'utility'")
    register = [(s, 1e6 + (1.3e6 * s if s < HOUR else 1.3e6 * HOUR + 9e5 * (s - HOUR)) / HOUR)
                for s in range(-60, 2 * HOUR + 61, 60)]  # fmt: skip
    bench.read("utility", register)
    bench.factor("carbon_kg_per_kwh", "grid_location", 0.3, from_s=-HOUR, to_s=HOUR)
    bench.factor("carbon_kg_per_kwh", "grid_location", 0.7, from_s=HOUR, to_s=3 * HOUR)
    bench.factor("carbon_kg_per_kwh", "grid_market", 0.1)
    found = by_basis(bench, "from cue($a, $b)")
    location, market = found["location"], found["market"]
    assert location["reason"] is None
    assert location["carbon_kg"] == pytest.approx(1300 * 0.3 + 900 * 0.7)
    assert location["cue_kg_per_kwh"] == pytest.approx((390 + 630) / 2000)
    assert market["cue_kg_per_kwh"] == pytest.approx(2200 * 0.1 / 2000)
    hours = bench.ask("from cue($a, $b, 'hour') where basis = 'location' order by all", WINDOW)
    assert sorted(row["carbon_kg"] for row in hours) == pytest.approx([390, 630])


def test_an_hour_without_a_factor_is_named(bench):
    bench.factor("carbon_kg_per_kwh", "grid_location", 0.3, from_s=0, to_s=1.5 * HOUR)
    found = by_basis(bench, "from cue($a, $b)")
    row = found["location"]
    assert row["cue_kg_per_kwh"] is None
    assert row["reason"] == (
        "carbon_kg_per_kwh of grid_location is not stated for 1 of 2 hours, "
        "first 2026-10-01 01:00+00"
    )
    assert found["market"]["reason"] == "carbon_kg_per_kwh of grid_market is not stated"


def test_fuel_and_district_cooling_have_carbon_too(bench):
    """A bill of 480 L over 48 h: 20 L in these two hours, 9.9 kWh each; 50 kW of heat taken up."""
    bench.factor("carbon_kg_per_kwh", "grid_market", 0.1)
    bench.factor("fuel_used", "diesel", 480, from_s=-24 * HOUR, to_s=24 * HOUR)
    row = one(bench, "from cue($a, $b)", basis="market")
    assert "fuel_kwh_per_unit of diesel is not stated" in row["reason"]
    bench.factor("fuel_kwh_per_unit", "diesel", 9.9)
    bench.factor("carbon_kg_per_kwh", "diesel", 0.27)
    bench.factor("source_energy_ratio", "diesel", 0.5)
    device(bench, "heat/district", "heat_meter")
    bench.factor("heat_use", "heat/district", "district_cooling")
    bench.factor("carbon_kg_per_kwh", "district_cooling", 0.05)
    bench.read("heat/district", rises(5e4), "cooling_energy_wh")
    row = one(bench, "from cue($a, $b)", basis="market")
    assert row["carbon_kg"] == pytest.approx(2600 * 0.1 + 20 * 9.9 * 0.27 + 100 * 0.05)
    carriers = {r["carrier"]: r for r in bench.ask("from carrier_energy($a, $b)", WINDOW)}
    assert carriers["diesel"]["weighted_kwh"] == pytest.approx(20 * 9.9 * 0.5)
    assert carriers["district_cooling"]["energy_kwh"] == pytest.approx(100)
    assert carriers["district_cooling"]["reason"] == (
        "source_energy_ratio of district_cooling is not stated"
    )


def test_what_generators_deliver_needs_a_factor_of_its_own(bench):
    bench.factor("carbon_kg_per_kwh", "grid_market", 0.1)
    bench.meter("genset", "generator", interval_s=60, max_power_w=2e6)
    bench.read("genset", rises(1e5))
    row = one(bench, "from cue($a, $b)", basis="market")
    assert row["reason"] == "carbon_kg_per_kwh of generator is not stated"
    bench.factor("carbon_kg_per_kwh", "generator", 0.8)
    row = one(bench, "from cue($a, $b)", basis="market")
    assert row["carbon_kg"] == pytest.approx(2600 * 0.1 + 200 * 0.8)


def test_a_corrected_table_corrects_the_past_and_a_changed_figure_does_not(bench):
    """The factor was 0.1 until 01:00, then 0.2; of a table, what came later counts."""
    insert = "insert into factors values ($f, $s, $v, null, $af, $at, $vf, $vt)"
    figure = {"f": "carbon_kg_per_kwh", "s": "grid_market", "af": None, "at": None}
    first = figure | {"v": 0.1, "vf": at(-1e6), "vt": at(HOUR)}
    second = figure | {"v": 0.2, "vf": at(HOUR), "vt": None}
    table = {"f": "carbon_kg_per_kwh", "s": "grid_location", "af": at(0), "at": at(2 * HOUR)}
    wrong = table | {"v": 9, "vf": at(-1e6), "vt": at(1e6)}
    right = table | {"v": 0.3, "vf": at(1e6), "vt": None}
    for row in (first, second, wrong, right):
        bench.database.execute(insert, row)
    found = by_basis(bench, "from cue($a, $b)")
    assert found["market"]["carbon_kg"] == pytest.approx(1300 * 0.1 + 1300 * 0.2)
    assert found["location"]["carbon_kg"] == pytest.approx(2600 * 0.3)


def test_reused_heat_is_reported_and_earns_no_pue(bench):
    """0.26 of 1.3 MW: ERF 0.2; PUE 1.3 and ERE 1.3 x (1 - 0.2)."""
    row = one(bench, "from erf($a, $b)")
    assert row["reason"] == "heat_use in the site file names no heat meter of reuse"
    device(bench, "heat/town", "heat_meter")
    bench.factor("heat_use", "heat/town", "reuse")
    bench.read("heat/town", rises(2.6e5), "cooling_energy_wh")
    assert one(bench, "from erf($a, $b)")["erf_ratio"] == pytest.approx(0.2)
    assert one(bench, "from ere($a, $b)")["ere_ratio"] == pytest.approx(1.3 * 0.8)
    assert one(bench, "from pue($a, $b)", category=3)["pue_ratio"] == pytest.approx(1.3)


def test_ref_adds_certificates_contracts_and_what_the_roof_gives(bench):
    """30 % and 20 % of 2.6 MWh, and 0.2 - 0.05 MW for two hours, of 2.6 MWh."""
    row = one(bench, "from ref($a, $b)", basis="total")
    assert (row["ref_ratio"], row["reason"]) == (None, "renewable_ratio is not stated")
    bench.factor("renewable_ratio", "goo", 0.3)
    bench.factor("renewable_ratio", "ppa", 0.2)
    assert one(bench, "from ref($a, $b)", basis="total")["ref_ratio"] == pytest.approx(0.5)
    for name, role, power_w in (("roof", "on_site_generation", 2e5), ("out", "export", 5e4)):
        bench.meter(name, role, interval_s=60, max_power_w=2e6)
        bench.read(name, rises(power_w))
    row = one(bench, "from ref($a, $b)", basis="total")
    assert (row["ref_ratio"], row["reason"]) == (None, "renewable_ratio of on_site is not stated")
    bench.factor("renewable_ratio", "on_site", 1.0)
    parts = {row["basis"]: row for row in bench.ask("from ref($a, $b)", WINDOW)}
    assert parts["goo"]["e_res_kwh"] == pytest.approx(780)
    assert parts["on_site"]["e_res_kwh"] == pytest.approx(300)
    assert parts["total"]["ref_ratio"] == pytest.approx((780 + 520 + 300) / 2600)


def test_mlc_and_elc_make_up_pue(bench):
    """MLC 0.2; of 1.3 - 0.2 - 0.05 = 1.05 MW 1.0 arrives; 0.2 + 1.05 + 0.05 = PUE 1.3."""
    parts = {row["component"]: row["ratio"] for row in bench.ask("from mlc_elc($a, $b)", WINDOW)}
    assert parts["mlc"] == pytest.approx(0.2)
    assert parts["elc"] == pytest.approx(1 - 1 / 1.05)
    assert parts["mlc"] + 1 / (1 - parts["elc"]) + 0.05 == pytest.approx(1.3)
    bench.database.execute("delete from meters where meter = 'other'")
    elc = one(bench, "from mlc_elc($a, $b)", component="elc")
    assert (elc["ratio"], elc["reason"]) == (None, "no meter has the role other")


def test_a_dead_it_meter_leaves_nothing_that_is_divided_by_it(bench):
    bench.factor("carbon_kg_per_kwh", "grid_market", 0.1)
    bench.database.execute("delete from readings where device = 'it_input'")
    row = one(bench, "from cue($a, $b)", basis="market")
    assert row["cue_kg_per_kwh"] is None
    assert row["reason"].startswith("e_it: too little was read of it_input")


def test_demand_is_the_highest_quarter_of_an_hour_against_the_contract(bench):
    """1.3 MW, and 1.7 from 00:30 to 00:45; mean (7 x 1.3 + 1.7) / 8 = 1.35."""
    bench.factor("demand_limit_kw", "", 2000)
    bench.database.execute(
        "update readings set value = value + 4e5 / 3600 * least(epoch(ts - $1), 900) "
        "where device = 'utility' and ts > $1",
        [at(1800)],
    )
    row = one(bench, "from demand($a, $b)")
    assert row["peak_kw"] == pytest.approx(1700)
    assert row["peak_start_at"] == at(1800)
    assert row["peak_ratio"] == pytest.approx(0.85)
    assert row["mean_kw"] == pytest.approx(1350)
    assert row["load_factor_ratio"] == pytest.approx(1350 / 1700)
    assert (row["coverage_ratio"], row["reason"]) == (1, None)


def test_demand_is_forecast_to_the_end_of_the_present_tariff_period(bench):
    """At 00:05 1.3 MW were mean for 5 minutes and 1.9 MW flow now: (5 x 1.3 + 10 x 1.9) / 15."""
    bench.factor("demand_limit_kw", "", 2000)
    bench.read("utility", [(s, 1.9e6) for s in range(0, 361, 60)], "active_power_w")
    row = bench.ask("from demand($a, $b)", {"a": at(-HOUR), "b": at(300)})[0]
    assert row["present_start_at"] == at(0)
    assert row["forecast_kw"] == pytest.approx((5 * 1300 + 10 * 1900) / 15)
    assert row["forecast_ratio"] == pytest.approx(1700 / 2000)


def test_tariff_periods_are_the_contracts_and_begin_at_local_midnight(bench):
    bench.factor("demand_period_minutes", "", 30)
    row = one(bench, "from demand($a, $b)")
    assert (row["peak_kw"], row["limit_kw"]) == (pytest.approx(1300), None)
    short = bench.ask("from demand($a, $b)", {"a": at(60), "b": at(1790)})[0]
    assert (short["peak_kw"], short["reason"]) == (None, "no tariff period lies in it whole")
    assert short["present_start_at"] is None
