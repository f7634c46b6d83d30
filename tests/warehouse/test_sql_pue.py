"""PUE: a ratio of sums, with the reason where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from sql_bench import SqlBench


@pytest.fixture(scope="module")
def database() -> SqlBench:
    return SqlBench()


@pytest.fixture
def bench(database) -> SqlBench:
    """Utility 1.2 MW and generator 0; UPS output 1 MW; two IT inputs of 0.5 and 0.48 MW."""
    database.clear()
    database.site()
    database.boundary(
        e_dc=["utility", "generator"], e_it_1=["ups_output"], e_it_3=["it_input", "-it_fed_cooling"]
    )
    loads = {"grid": 1.2e6, "gen": 0.0, "ups": 1e6, "it-1": 5e5, "it-2": 4.8e5, "pump": 1e4}
    roles = ["utility", "generator", "ups_output", "it_input", "it_input", "it_fed_cooling"]
    for (name, power_w), role in zip(loads.items(), roles, strict=True):
        database.meter(name, role, max_power_w=2e6)
        database.read(name, [(s, 1e6 + power_w * s / 3600) for s in range(-60, 7261, 10)])
    return database


def the(rows: list[dict]) -> dict:
    assert len(rows) == 1
    return rows[0]


def test_the_ratio_is_of_the_sums(bench):
    row = the(bench.pue(0, 3600, 1))
    assert (row["e_dc_kwh"], row["e_it_kwh"]) == (pytest.approx(1200), pytest.approx(1000))
    assert row["pue_ratio"] == pytest.approx(1.2, rel=1e-12)
    assert (row["name"], row["boundary"], row["category"]) == ("iPUE", "site", 1)
    assert (row["coverage_ratio"], row["reason"], row["missing_meters"]) == (1, None, [])
    assert row["interval_s"] == 3600


def test_subtracted_roles_leave_the_sum(bench):
    row = the(bench.pue(0, 3600, 3))
    assert row["e_it_kwh"] == pytest.approx(500 + 480 - 10, rel=1e-12)
    assert row["pue_ratio"] == pytest.approx(1200 / 970, rel=1e-12)


def test_without_a_category_each_has_a_row(bench):
    rows = bench.ask("from pue('2026-10-01', '2026-10-01 01:00:00', 'window') order by category")
    assert [row["category"] for row in rows] == [1, 2, 3]
    assert rows[1]["pue_ratio"] is None
    assert rows[1]["reason"] == "the boundary has no e_it of category 2"


def test_two_class_half_meters_are_never_further_apart_than_both_at_their_limits(bench):
    """sqrt(3 * (0.5^2 + 0.5^2)) % = 1.22 % is more than 1.005 / 0.995 - 1 = 1.005 %."""
    row = the(bench.pue(0, 3600, 1))
    assert row["accuracy_band_ratio"] == pytest.approx(1.2 * (1.005 / 0.995 - 1), rel=1e-3)


def test_unlike_classes_give_three_standard_deviations(bench):
    """Class 0.2 over 0.05: sqrt(3 * (0.2^2 + 0.01^2)) % is more than 0.21 %; many meters less."""
    question = "select class_error_ratio($a, $b, $c, $d) as band"
    (few,) = bench.ask(question, {"a": 0.002, "b": 0.002, "c": 0.0001, "d": 0.0001})
    assert few["band"] == pytest.approx(0.0021, rel=1e-3)
    many = {"a": 0.002, "b": 0.002, "c": 0.005 / 10**0.5, "d": 0.005}  # ten meters of class 0.5
    (row,) = bench.ask(question, many)
    assert row["band"] == pytest.approx((3 * (0.002**2 + 0.005**2 / 10)) ** 0.5, rel=1e-12)


@pytest.mark.parametrize(("meters", "accuracy_class"), [(2, 0.5), (6, 0.5), (6, 1.0)])
def test_hardly_any_site_has_its_pue_outside_the_band(bench, meters, accuracy_class):
    """Errors as likely anywhere within the class: a utility's meter of 0.2 over some of the IT."""
    rng = np.random.default_rng(1)
    dc = rng.uniform(-0.002, 0.002, 20_000)
    it = rng.uniform(-1, 1, (20_000, meters)).mean(axis=1) * accuracy_class / 100
    spread, limit = accuracy_class / 100 / meters**0.5, accuracy_class / 100
    [[band]] = bench.database.execute(
        "select class_error_ratio(0.002, 0.002, ?, ?)", [spread, limit]
    ).fetchall()
    off = np.abs((1 + dc) / (1 + it) - 1)
    assert (off > band).mean() < 0.003
    assert (off > np.hypot(0.002, spread)).mean() > 0.06  # the root of the sum of squares alone


@pytest.mark.parametrize(("dead", "category"), [("grid", 1), ("gen", 1), ("it-2", 3), ("pump", 3)])
def test_a_dead_meter_gives_null_and_its_name_not_a_better_number(bench, dead, category):
    bench.database.execute("delete from readings where device = ?", [dead])
    row = the(bench.pue(0, 3600, category))
    assert row["pue_ratio"] is None
    assert row["missing_meters"] == [dead]
    assert dead in row["reason"]


@pytest.mark.parametrize("dead", ["grid", "ups"])
def test_a_meter_that_dies_in_the_hour_gives_null(bench, dead):
    bench.database.execute(
        "delete from readings where device = ? and ts > '2026-10-01 00:40:00+00'", [dead]
    )
    row = the(bench.pue(0, 3600, 1))
    assert (row["pue_ratio"], row["missing_meters"]) == (None, [dead])


def test_a_bridged_gap_under_the_minimum_gives_null_for_coverage(bench):
    bench.database.execute(
        "delete from readings where device = 'grid' and ts between "
        "'2026-10-01 00:20:05+00' and '2026-10-01 00:40:05+00'"
    )
    row = the(bench.pue(0, 3600, 1))
    assert (row["pue_ratio"], row["missing_meters"]) == (None, [])
    assert row["coverage_ratio"] == pytest.approx(1 - 1210 / 3600)
    assert row["reason"] == "coverage 0.6639 is under the site's minimum of 0.99"
    bench.database.execute("update sites set minimum_coverage_ratio = 0.6")
    assert the(bench.pue(0, 3600, 1))["pue_ratio"] == pytest.approx(1.2, rel=1e-12)


def test_no_it_energy_is_no_ratio(bench):
    bench.database.execute("update readings set value = 5 where device = 'ups'")
    row = the(bench.pue(0, 3600, 1))
    assert (row["pue_ratio"], row["reason"]) == (None, "the IT energy is not above 0")


def test_a_role_without_meters_is_named(bench):
    bench.database.execute("delete from meters where meter_role = 'generator'")
    row = the(bench.pue(0, 3600, 1))
    assert (row["pue_ratio"], row["reason"]) == (None, "no meter has the role generator")


def test_no_boundary(bench):
    bench.database.execute("delete from boundary_terms")
    row = the(bench.pue(0, 3600, 1))
    assert row["pue_ratio"] is None
    assert row["reason"] == "the site has no boundary with an e_dc in this period"


def test_the_total_of_the_parts_is_not_the_mean_of_the_ratios(bench):
    """First hour 1200/1000, second 1200/400: together 2400/1400, not the mean of 1.2 and 3."""
    bench.database.execute(
        "update readings set value = 1e6 + 1e6 + (value - 2e6) * 0.4 "
        "where device = 'ups' and ts > '2026-10-01 01:00:00+00'"
    )
    first, second = bench.pue(0, 7200, 1, "hour")
    assert (first["pue_ratio"], second["pue_ratio"]) == (
        pytest.approx(1.2, rel=1e-12),
        pytest.approx(3, rel=1e-12),
    )
    assert the(bench.pue(0, 7200, 1))["pue_ratio"] == pytest.approx(2400 / 1400, rel=1e-12)
