"""PUE's relatives: by hall, at an instant, by supply; and what counts on which side."""

from __future__ import annotations

import duckdb
import pytest
from sql_bench import SqlBench, at

HOUR_S = 3600
WINDOW = {"a": at(0), "b": at(HOUR_S)}
KILOWATTS = {
    # meter: role, hall, kW
    "grid": ("utility", "", 1300),
    "genset": ("generator", "", 20),
    "ups-1": ("ups_output", "hall-1", 620),
    "ups-2": ("ups_output", "hall-2", 420),
    "it-1": ("it_input", "hall-1", 600),
    "it-2": ("it_input", "hall-2", 400),
    "pump-1": ("it_fed_cooling", "hall-1", 10),
    "crah-1": ("cooling", "hall-1", 30),
    "crah-2": ("cooling", "hall-2", 60),
    "light-1": ("other", "hall-1", 6),
    "chiller": ("cooling", "", 100),
}


@pytest.fixture(scope="module")
def database() -> SqlBench:
    return SqlBench()


@pytest.fixture
def bench(database) -> SqlBench:
    database.clear()
    database.site()
    database.boundary(
        e_dc=["utility", "generator"],
        e_it_1=["ups_output", "-it_fed_cooling"],
        e_it_3=["it_input", "-it_fed_cooling"],
    )
    for name, (role, hall, kilowatts) in KILOWATTS.items():
        database.meter(name, role, max_power_w=2e6)
        database.database.execute("update devices set hall = ? where device = ?", [hall, name])
        seconds = range(-60, HOUR_S + 61, 10)
        database.read(name, [(s, 1e6 + kilowatts * 1e3 * s / 3600) for s in seconds])
        database.read(name, [(s, kilowatts * 1e3) for s in seconds], "active_power_w")
    return database


def halls(bench: SqlBench, category: int, shared: str = "left out") -> dict[str, dict]:
    rows = bench.ask(
        "from ppue($a, $b, category := $c, shared := $s)", {**WINDOW, "c": category, "s": shared}
    )
    return {row["hall"]: row for row in rows}


def test_a_halls_partial_pue_is_what_enters_it_over_its_it(bench):
    """Hall 1: (620 + 30 + 6) / (600 - 10); hall 2: (420 + 60) / 400. The chiller is neither's."""
    found = halls(bench, 3)
    assert found["hall-1"]["ppue_ratio"] == pytest.approx(656 / 590, rel=1e-12)
    assert found["hall-2"]["ppue_ratio"] == pytest.approx(480 / 400, rel=1e-12)
    row = found["hall-1"]
    assert (row["supply_role"], row["shared_rule"], row["e_shared_kwh"]) == (
        "ups_output",
        "left out",
        0,
    )
    assert (row["boundary"], row["coverage_ratio"], row["missing_meters"]) == ("site", 1, [])
    # class 0.5 each: of 620, 30 and 6, and of 600 and 10
    dc = (620**2 + 30**2 + 6**2) ** 0.5 * 0.005 / 656
    it = (600**2 + 10**2) ** 0.5 * 0.005 / 590
    at_most = (656 + 0.005 * 656) / (590 - 0.005 * 610) - 656 / 590
    assert row["accuracy_band_ratio"] == pytest.approx(
        min(656 / 590 * (3 * (dc**2 + it**2)) ** 0.5, at_most)
    )


def test_category_1_books_the_losses_below_the_ups_as_it(bench):
    assert halls(bench, 1)["hall-1"]["ppue_ratio"] == pytest.approx(656 / 610, rel=1e-12)


def test_shared_out_the_halls_add_up_to_the_site(bench):
    """Of 1320 no hall counts 1320 - 656 - 480 = 184: 184 x 590 / 990 and 184 x 400 / 990."""
    found = halls(bench, 3, "by IT energy")
    assert found["hall-1"]["e_shared_kwh"] == pytest.approx(184 * 590 / 990, rel=1e-9)
    assert found["hall-1"]["ppue_ratio"] == pytest.approx((656 + 184 * 590 / 990) / 590)
    weighted = sum(row["ppue_ratio"] * row["e_it_kwh"] for row in found.values())
    (site,) = bench.pue(0, HOUR_S, 3)
    assert weighted / 990 == pytest.approx(site["pue_ratio"], rel=1e-12)


def test_it_that_stands_in_no_hall_cannot_be_shared_out(bench):
    bench.database.execute("update devices set hall = '' where device = 'it-2'")
    row = halls(bench, 3, "by IT energy")["hall-1"]
    assert row["ppue_ratio"] is None
    assert "stand in no hall" in row["reason"]
    assert halls(bench, 3)["hall-1"]["reason"] is None


@pytest.mark.parametrize("dead", ["it-1", "ups-1", "crah-1"])
def test_a_dead_meter_takes_its_own_halls_figure_only(bench, dead):
    bench.database.execute("delete from readings where device = ?", [dead])
    found = halls(bench, 3)
    assert (found["hall-1"]["ppue_ratio"], found["hall-1"]["missing_meters"]) == (None, [dead])
    assert found["hall-2"]["ppue_ratio"] == pytest.approx(1.2)


def test_it_that_is_fed_past_the_halls_meters_is_said(bench):
    bench.database.execute("update readings set value = value / 2 where device = 'ups-2'")
    assert "is fed past them" in halls(bench, 3)["hall-2"]["reason"]


def test_a_rule_that_is_none(bench):
    with pytest.raises(duckdb.Error, match="there is no rule by area"):
        halls(bench, 3, "by area")


def test_the_ratio_of_powers_at_an_instant(bench):
    rows = bench.ask("from power_ratio($b) order by category", {"b": at(HOUR_S)})
    assert [row["category"] for row in rows] == [1, 3]
    assert rows[1]["power_ratio"] == pytest.approx(1320 / 990, rel=1e-12)
    assert (rows[1]["p_dc_mw"], rows[1]["oldest_reading_at"]) == (1.32, at(HOUR_S))


def test_no_ratio_of_powers_where_a_meter_is_late(bench):
    bench.database.execute("delete from readings where device = 'it-2' and ts > $1", [at(3550)])
    (row,) = bench.ask("from power_ratio($b, 3)", {"b": at(HOUR_S)})
    assert (row["power_ratio"], row["missing_meters"]) == (None, ["it-2"])
    assert row["reason"] == "no power was read in time of it-2"


def test_supplies_apart_and_their_weights(bench):
    """Half of 200 L of diesel, 9.9 kWh each, in the hour; 50 kW of heat taken up by a network."""
    bench.factor("fuel_used", "diesel", 200, from_s=-HOUR_S, to_s=HOUR_S)
    bench.factor("heat_use", "heat", "district_cooling")
    bench.insert("devices", "heat", "p", "heat_meter", 60, "", "", "")
    bench.read("heat", [(s, 5e4 * s / 3600) for s in range(0, 3601, 60)], "cooling_energy_wh")
    (row,) = bench.pue(0, HOUR_S, 1)
    assert row["reason"] == (
        "fuel_kwh_per_unit of diesel is not stated; source_energy_ratio of diesel is not stated; "
        "carbon_kg_per_kwh of diesel is not stated; "
        "source_energy_ratio of district_cooling is not stated"
    )
    bench.factor("fuel_kwh_per_unit", "diesel", 9.9)
    bench.factor("source_energy_ratio", "diesel", 0.35)
    bench.factor("source_energy_ratio", "district_cooling", 0.4)
    (row,) = bench.pue(0, HOUR_S, 1)
    carriers = 100 * 9.9 * 0.35 + 50 * 0.4
    assert row["e_carriers_kwh"] == pytest.approx(carriers)
    assert row["pue_ratio"] == pytest.approx((1320 + carriers) / 1030, rel=1e-9)

    found = {row["supply"]: row for row in bench.ask("from supplies($a, $b)", WINDOW)}
    assert sorted(found) == ["diesel", "district_cooling", "generator", "utility"]
    assert found["generator"]["energy_kwh"] == pytest.approx(20)
    assert found["diesel"]["in_e_dc_kwh"] == pytest.approx(346.5)
    total = sum(row["in_e_dc_kwh"] for row in found.values())
    assert total == pytest.approx(row["e_dc_kwh"])
    assert found["utility"]["share_ratio"] == pytest.approx(1300 / total)


def feed(bench: SqlBench, *pairs: tuple[str, str]) -> None:
    for source, target in pairs:
        bench.insert("feeds", source, target)


def faults(bench: SqlBench) -> set[tuple]:
    rows = bench.ask("from cooling_is_not_counted_as_it($a, $b)", WINDOW)
    return {(row["meter"], row["total"], row["category"], row["fault"]) for row in rows}


def test_pumps_behind_it_meters_must_be_taken_off(bench):
    feed(bench, ("grid", "ups-1"), ("ups-1", "it-1"), ("it-1", "pump-1"))
    assert faults(bench) == set()
    bench.database.execute("delete from boundary_terms where sign < 0 and category = 3")
    assert faults(bench) == {("pump-1", "e_it", 3, "counts as IT")}


def test_pumps_beside_it_meters_must_not_be_taken_off(bench):
    """Fed from the UPS past the racks: behind category 1's meters, and not behind category 3's."""
    feed(bench, ("grid", "ups-1"), ("ups-1", "it-1"), ("ups-1", "pump-1"))
    assert faults(bench) == {("pump-1", "e_it", 3, "taken off twice")}


def test_pumps_that_e_dc_adds_to_the_utilitys_count_twice(bench):
    feed(bench, ("grid", "ups-1"), ("ups-1", "it-1"), ("it-1", "pump-1"))
    bench.insert("boundary_terms", "site", "e_dc", 0, "it_fed_cooling", 1)
    assert faults(bench) == {("pump-1", "e_dc", 0, "counts twice")}


@pytest.mark.parametrize(
    ("zone", "start", "end", "hours"),
    [
        ("Asia/Seoul", "2026-10-24 15:00", "2026-10-26 15:00", [24, 24]),
        ("Europe/Berlin", "2026-10-24 22:00", "2026-10-26 23:00", [25, 24]),
        ("Europe/Berlin", "2026-03-27 23:00", "2026-03-29 22:00", [24, 23]),
    ],
)
def test_days_are_the_sites_own_and_may_have_23_or_25_hours(database, zone, start, end, hours):
    """1.2 MW over 1 MW: a day holds as many MWh as it has hours."""
    database.clear()
    database.site(time_zone=zone)
    database.boundary(e_dc=["utility"], e_it_1=["ups_output"])
    (window,) = database.ask(f"select timestamptz '{start}:00+00' a, timestamptz '{end}:00+00' b")
    first, last = (int((moment - at(0)).total_seconds()) for moment in window.values())
    for name, role, power_w in (("grid", "utility", 1.2e6), ("ups", "ups_output", 1e6)):
        database.meter(name, role, interval_s=300, max_power_w=2e6)
        seconds = range(first - 300, last + 301, 300)
        database.read(name, [(s, 1e12 + power_w * s / 3600) for s in seconds])
    rows = database.ask("from pue($a, $b, 'day', 1) order by period_start_at", window)
    assert [row["interval_s"] / 3600 for row in rows] == hours
    assert [row["e_it_kwh"] for row in rows] == [pytest.approx(1000 * h, rel=1e-9) for h in hours]
    assert [row["pue_ratio"] for row in rows] == [pytest.approx(1.2, rel=1e-9)] * 2
    (whole,) = database.ask("from pue($a, $b, 'window', 1)", window)
    assert whole["e_dc_kwh"] == pytest.approx(1200 * sum(hours), rel=1e-9)
