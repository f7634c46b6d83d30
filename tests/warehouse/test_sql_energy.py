"""Golden cases of energy from registers, each with its arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from sql_bench import SqlBench, at


@pytest.fixture(scope="module")
def database() -> SqlBench:
    return SqlBench()


@pytest.fixture
def bench(database) -> SqlBench:
    database.clear()
    database.site()
    return database


def the(rows: list[dict]) -> dict:
    assert len(rows) == 1
    return rows[0]


def steady(power_w: float, seconds: range, *, offset_wh: float = 0) -> list[tuple[float, float]]:
    """Give a register that turns at a constant power; 0 s shows `offset_wh`."""
    return [(s, offset_wh + power_w * s / 3600) for s in seconds]


def test_energy_is_the_difference_of_the_register(bench):
    bench.meter("m")
    bench.read("m", steady(360_000, range(-60, 3661, 10), offset_wh=5e6))
    row = the(bench.energy(0, 3600))
    assert row["energy_wh"] == 360_000
    assert (row["method"], row["flags"]) == ("register", [])
    assert (row["coverage_ratio"], row["measured_ratio"]) == (1, 1)


def test_edges_between_readings_are_interpolated(bench):
    """Readings at 3, 13, ... s: of the step from -7 to 3 s the window holds 3/10."""
    bench.meter("m")
    bench.read("m", [(s, 100.0 * i + 7.0 * i * i) for i, s in enumerate(range(-7, 200, 10))])
    row = the(bench.energy(0, 98))
    # steps 107, 121, ...: the nth is 100 + 7 (2n - 1); cut: 0.3 of the 1st, 0.5 of the 11th
    whole = sum(100 + 7 * (2 * n - 1) for n in range(2, 11))
    assert row["energy_wh"] == pytest.approx(0.3 * 107 + whole + 0.5 * 247, rel=1e-12)


def test_two_rollovers_in_the_window(bench):
    """A UINT32 register in Wh at 250 MW wraps every 2^32 / 250e6 = 17.2 h; 48 h hold two."""
    bench.meter("m", max_power_w=3e8, modulus_wh=2**32)
    hours_to_wrap = 2**32 / 250e6
    assert hours_to_wrap == pytest.approx(17.18, abs=0.01)
    readings = steady(250e6, range(-600, 48 * 3600 + 601, 300), offset_wh=4e9)
    bench.database.execute("update devices set interval_s = 300")
    bench.read("m", [(s, v % 2**32) for s, v in readings])
    row = the(bench.energy(0, 48 * 3600))
    assert row["energy_wh"] == pytest.approx(250e6 * 48, rel=1e-12)
    assert row["flags"] == ["rollover"]
    assert row["coverage_ratio"] == 1


def test_decimal_modulus(bench):
    bench.meter("m", modulus_wh=1e9)
    bench.read("m", [(s, (999_999_900 + s) % 1e9) for s in range(-60, 700, 10)])
    assert the(bench.energy(0, 600))["energy_wh"] == 600
    assert the(bench.energy(0, 600))["flags"] == ["rollover"]


def test_reset_counts_what_the_register_shows_as_a_lower_bound(bench):
    """At 300 s the register begins anew and shows 40 of that step's 100 Wh: 60 Wh are lost."""
    bench.meter("m")
    bench.read("m", [(s, 7e6 + 10 * s) for s in range(-60, 291, 10)])
    bench.read("m", [(s, 40 + 10 * (s - 300)) for s in range(300, 700, 10)])
    row = the(bench.energy(0, 600))
    assert row["energy_wh"] == 6000 - 60
    assert row["flags"] == ["reset"]
    assert row["measured_ratio"] == pytest.approx(1 - 10 / 600)
    assert row["resolution_wh"] >= 60


def test_a_gap_is_bridged_but_not_covered(bench):
    """30 minutes without readings: the total is right, the hour is covered to a half."""
    bench.meter("m")
    bench.read("m", steady(360_000, range(-60, 901, 10), offset_wh=1e6))
    bench.read("m", steady(360_000, range(2700, 3661, 10), offset_wh=1e6))
    row = the(bench.energy(0, 3600))
    assert row["energy_wh"] == 360_000
    assert row["flags"] == ["gap"]
    assert (row["coverage_ratio"], row["measured_ratio"]) == (0.5, 1)


def test_a_gap_over_an_edge_is_spread_evenly_and_widens_the_error(bench):
    """At most 1 MW for 900 s on each side of the edge; 180 kWh flowed: 90 +- 90 kWh in each."""
    bench.meter("m")
    bench.read("m", steady(360_000, range(-60, 2701, 10), offset_wh=1e6))
    bench.read("m", steady(360_000, range(4500, 7261, 10), offset_wh=1e6))
    first, second = bench.energy(0, 7200, "hour")
    assert first["energy_wh"] == second["energy_wh"] == pytest.approx(360_000, rel=1e-12)
    assert first["resolution_wh"] == pytest.approx(90_000, rel=1e-3)
    assert (first["flags"], first["coverage_ratio"]) == (["gap"], 0.75)


@pytest.mark.parametrize(("wrong", "flag"), [(9e9, "spike"), (0.0, "dip"), (1.9e6, "dip")])
def test_one_reading_out_of_line_is_left_out(bench, wrong, flag):
    bench.meter("m")
    readings = dict(steady(360_000, range(-60, 3661, 10), offset_wh=2e6))
    readings[1500] = wrong
    bench.read("m", readings.items())
    row = the(bench.energy(0, 3600))
    assert row["energy_wh"] == pytest.approx(360_000, rel=1e-12)
    assert row["flags"] == [flag]
    assert row["coverage_ratio"] == 1  # 20 s between its neighbours: no gap


def test_a_dip_of_minutes_that_recovers_is_left_out(bench):
    """The meter shows 0, 0, 5, 6 ... for 5 minutes, then goes on from where it was."""
    bench.meter("m")
    readings = dict(steady(360_000, range(-60, 3661, 10), offset_wh=2e6))
    readings.update({s: max(0, s - 1250) / 10 for s in range(1200, 1500, 10)})
    bench.read("m", readings.items())
    row = the(bench.energy(0, 3600))
    assert row["energy_wh"] == pytest.approx(360_000, rel=1e-12)
    assert row["flags"] == ["dip", "gap"]
    assert row["coverage_ratio"] == pytest.approx(1 - 310 / 3600)


def test_dips_one_after_the_other(bench):
    bench.meter("m")
    readings = dict(steady(360_000, range(-60, 3661, 10), offset_wh=2e6))
    readings.update({1000: 0.0, 1020: 0.0, 1040: 0.0, 1050: 3.0, 2000: 9e9})
    bench.read("m", readings.items())
    row = the(bench.energy(0, 3600))
    assert row["energy_wh"] == pytest.approx(360_000, rel=1e-12)
    assert row["flags"] == ["dip", "spike"]


def test_a_jump_for_good_is_not_energy(bench):
    """Another meter put in its place, its register far ahead: that step's energy is unknown."""
    bench.meter("m")
    bench.read("m", steady(360_000, range(-60, 1801, 10), offset_wh=1e6))
    bench.read("m", steady(360_000, range(1810, 3661, 10), offset_wh=8e8))
    row = the(bench.energy(0, 3600))
    assert row["energy_wh"] == pytest.approx(360_000 - 1000, rel=1e-12)
    assert row["flags"] == ["lost"]
    assert row["measured_ratio"] == pytest.approx(1 - 10 / 3600)


def test_a_small_setback_takes_back_what_the_rise_before_was_too_much(bench):
    """1 MW could give 3333 Wh in 10 s, so +2000 is believed; the -1000 after it makes it good."""
    bench.meter("m")
    readings = dict(steady(180_000, range(-60, 3661, 10), offset_wh=2e6))
    readings[1500] += 1500
    bench.read("m", readings.items())
    row = the(bench.energy(0, 1510))
    assert row["energy_wh"] == pytest.approx(75_500, rel=1e-12)
    assert row["flags"] == ["setback"]
    assert the(bench.energy(0, 3600))["energy_wh"] == pytest.approx(180_000, rel=1e-12)


def test_a_register_renewed_less_often_than_it_is_read(bench):
    """Renewed once a minute and read every 10 s: a step of 60 s' energy is believed."""
    bench.meter("m", max_power_w=400_000)
    bench.read("m", [(s, 1e6 + 100 * (s // 60 * 60)) for s in range(-120, 3721, 10)])
    row = the(bench.energy(0, 3600))
    assert row["energy_wh"] == 360_000
    assert (row["flags"], row["measured_ratio"]) == ([], 1)


def test_float32_register(bench):
    """Of 1e8 kWh a float32 shows every eighth: 2^(26 - 23) kWh; 1 MW moves it once in 28.8 s."""
    bench.meter("m", resolution_wh=1000)
    exact = [(s, 1e8 + s / 3.6) for s in range(-60, 3661, 10)]
    bench.read("m", [(s, float(np.float32(kwh)) * 1000) for s, kwh in exact])
    row = the(bench.energy(0, 3600))
    assert row["flags"] == []
    assert abs(row["energy_wh"] - 1e6) <= 8000
    assert 8000 <= row["resolution_wh"] <= 3 * 8000


def test_a_coarse_register_says_so(bench):
    """0.1 kWh steps at 8 kW: one in 45 s, and a minute holds 133 Wh: one or two of them."""
    bench.meter("m", resolution_wh=100, max_power_w=11_000)
    bench.read("m", [(s, (8000 * (s + 997) / 3600) // 100 * 100) for s in range(-60, 200, 5)])
    bench.database.execute("update devices set interval_s = 5")
    row = the(bench.energy(2, 62))
    assert abs(row["energy_wh"] - 8000 / 60) <= row["resolution_wh"]
    assert row["resolution_wh"] >= 100


def test_power_narrows_what_a_coarse_register_leaves_open(bench):
    """The register allows 133 +- 100 Wh; power between 7.9 and 8.1 kW, of class 0.5, far less."""
    bench.meter("m", resolution_wh=100, max_power_w=11_000)
    bench.read("m", [(s, (8000 * (s + 997) / 3600) // 100 * 100) for s in range(-60, 200, 5)])
    power = [(s, 8000.0 + (100 if s % 2 else -100)) for s in range(-60, 200, 5)]
    bench.read("m", power, "active_power_w")
    bench.database.execute("update devices set interval_s = 5")
    row = the(bench.energy(2, 62))
    assert row["method"] == "register+power"
    assert row["energy_wh"] == pytest.approx(8000 / 60, rel=1e-3)
    assert row["resolution_wh"] == pytest.approx((8100 * 1.005 - 8000) / 60, rel=0.02)


def test_power_that_swings_leaves_the_register_alone(bench):
    """Between 0 and 16 kW a minute holds 0 to 267 Wh: no news."""
    bench.meter("m", resolution_wh=100, max_power_w=11_000)
    bench.read("m", [(s, (8000 * (s + 997) / 3600) // 100 * 100) for s in range(-60, 200, 5)])
    bench.read("m", [(s, 16_000.0 * (s % 2)) for s in range(-60, 200, 5)], "active_power_w")
    bench.database.execute("update devices set interval_s = 5")
    assert the(bench.energy(2, 62))["method"] == "register"


def test_the_delay_of_answers_is_part_of_the_error(bench):
    """An answer 2 s late may hold 2 s less: at 1 MW at most 556 Wh."""
    bench.meter("m")
    bench.read("m", steady(360_000, range(-60, 7261, 10), offset_wh=1e6))
    prompt = the(bench.energy(0, 7200))["resolution_wh"]
    bench.database.execute(
        "insert into polls values ('2026-10-01 00:00:00+00', 'm', 'read', 1, 1, 2.0, null)"
    )
    late = the(bench.energy(0, 7200))["resolution_wh"]
    assert late - prompt == pytest.approx(1e6 * 2 / 3600, rel=1e-9)


def test_substituted_readings_count_but_do_not_cover(bench):
    bench.meter("m")
    bench.read("m", steady(360_000, range(-60, 1800, 10)))
    bench.read("m", steady(360_000, range(1800, 2400, 10)), quality=3)
    bench.read("m", steady(360_000, range(2400, 3661, 10)))
    row = the(bench.energy(0, 3600))
    assert row["energy_wh"] == pytest.approx(360_000, rel=1e-12)
    assert row["flags"] == ["substituted"]
    assert row["coverage_ratio"] == pytest.approx(1 - 610 / 3600)


@pytest.mark.parametrize("quality", [1, 2, 4])
def test_uncertain_stale_and_bad_readings_count_as_missing(bench, quality):
    """Ten minutes of them are a gap from the last good one, 1790 s, to the next, 2400 s."""
    bench.meter("m")
    bench.read("m", steady(360_000, range(-60, 1800, 10)))
    bench.read(
        "m", [(s, None if quality == 4 else 1.0) for s in range(1800, 2400, 10)], quality=quality
    )
    bench.read("m", steady(360_000, range(2400, 3661, 10)))
    row = the(bench.energy(0, 3600))
    assert row["energy_wh"] == pytest.approx(360_000, rel=1e-12)
    assert row["flags"] == ["gap"]
    assert row["coverage_ratio"] == pytest.approx(1 - 610 / 3600)


def test_a_meter_without_a_register_is_integrated(bench):
    """0, 1, 2 ... kW in steps of 10 s: from 5 s to 35 s the mean is 2 kW, for 30 s."""
    bench.meter("m", resolution_wh=None)
    bench.read("m", [(s, 100.0 * s) for s in range(-100, 200, 10)], "active_power_w")
    row = the(bench.energy(5, 35))
    assert row["energy_wh"] == pytest.approx(2000 * 30 / 3600, rel=1e-12)
    assert (row["method"], row["coverage_ratio"], row["measured_ratio"]) == ("integrated", 1, 1)
    # a change of 1 kW in 10 s, early or late in the step, is 5 kJ to either side
    assert row["resolution_wh"] == pytest.approx(3 * 1000 * 10 / 2 / 3600, rel=1e-12)


def test_a_silent_register_falls_back_to_power(bench):
    bench.meter("m")
    bench.read("m", [(s, 7200.0) for s in range(-60, 700, 10)], "active_power_w")
    bench.read("m", [(s, None) for s in range(-60, 700, 10)], quality=4)
    row = the(bench.energy(0, 600))
    assert (row["method"], row["energy_wh"]) == ("integrated", pytest.approx(1200, rel=1e-12))


def test_each_meter_has_its_own_power_in_whatever_order_meters_are_listed(bench):
    """A list made without an order may have another one each time that it is worked out."""
    meters = {f"m{n}": 3600.0 * n for n in range(1, 31)}
    for meter, power_w in meters.items():
        bench.meter(meter, resolution_wh=None)
        bench.read(meter, [(s, power_w) for s in range(-10, 30, 10)], "active_power_w")
    rows = bench.ask(
        "from power_energy($from_at, $to_at, 'window', 'all', 'readings', (select"
        " list({'device': device, 'component': component} order by random()) from meters))",
        {"from_at": at(0), "to_at": at(10)},
    )
    found = {row["meter"]: row["energy_wh"] for row in rows}
    assert found == {meter: power_w * 10 / 3600 for meter, power_w in meters.items()}


STILL_RUNS = (
    "select count(*) as runs, sum(steps) as steps from power_runs($from_at, $to_at, $grain,"
    " 'readings', (select list({'device': device, 'component': component, 'cell_us': cell_us,"
    " 'slot_us': slot_us}) from metered_points($from_at, $to_at)))"
)


def test_a_power_that_stays_the_same_is_a_run_a_cell(bench):
    """1,441 readings in 17 cells: 3,600 W over what is asked, cells cut at its edges or not."""
    bench.meter("m", resolution_wh=None)
    bench.read("m", [(s, 3600.0) for s in range(0, 14401, 10)], "active_power_w")
    asked = {"from_at": at(0), "to_at": at(14400), "grain": "window"}
    (found,) = bench.ask(STILL_RUNS, asked)
    assert found == {"runs": 17, "steps": 16 * 59}
    for start_s, end_s in ((0, 14400), (905, 14123.5), (1799.5, 5400)):
        row = the(bench.energy(start_s, end_s))
        assert row["energy_wh"] == pytest.approx(end_s - start_s, rel=1e-12)
        assert row["coverage_ratio"] == pytest.approx(1, rel=1e-12)
    hours = bench.energy(450, 12345, "hour")
    assert sum(row["energy_wh"] for row in hours) == pytest.approx(12345 - 450, rel=1e-12)


@pytest.mark.parametrize("quality", [3, 4])
def test_a_still_cell_with_a_doubt_or_a_gap_in_it_is_judged_by_its_readings(bench, quality):
    """50 s without a good reading in the second cell."""
    bench.meter("m", resolution_wh=None)
    power = dict.fromkeys(range(0, 3601, 10), 3600.0)
    doubtful = [(s, power.pop(s)) for s in range(1310, 1350, 10)]
    bench.read("m", power.items(), "active_power_w")
    bench.read("m", doubtful, "active_power_w", quality=quality)
    row = the(bench.energy(0, 3600))
    assert row["coverage_ratio"] == pytest.approx(1 - 50 / 3600)
    assert row["energy_wh"] == pytest.approx(3600 - 50 * (quality == 4))


def test_integration_stops_at_gaps_and_never_extrapolates(bench):
    """Readings to 290 s and from 330 s: 40 s are over 3 intervals, and nothing after 480 s."""
    bench.meter("m", resolution_wh=None)
    times = [s for s in range(0, 481, 10) if not 290 < s < 330]
    bench.read("m", [(s, 7200.0) for s in times], "active_power_w")
    row = the(bench.energy(0, 600))
    assert row["energy_wh"] == pytest.approx(2 * (290 + 150), rel=1e-12)
    assert row["measured_ratio"] == pytest.approx(440 / 600)
    assert row["coverage_ratio"] == row["measured_ratio"]
    assert not row["is_complete"]


def test_a_meter_without_any_reading_has_no_energy(bench):
    bench.meter("m")
    row = the(bench.energy(0, 600))
    assert (row["method"], row["energy_wh"], row["coverage_ratio"]) == ("none", None, 0)


def test_a_meter_moved_to_another_device_is_counted_on_both(bench):
    """1000 Wh per 10 s on the old device to 300 s, 2000 on the new one from then."""
    bench.meter("m")
    bench.insert("devices", "new", "p", "feeder_meter", 10, "hall-2", "", "")
    bench.database.execute("update meters set valid_to = '2026-10-01 00:05:00+00'")
    bench.insert("meters", "m", "new", "", "utility", 0.5, 1e6, None, 1)
    bench.database.execute(
        "update meters set valid_from = '2026-10-01 00:05:00+00' where device = 'new'"
    )
    bench.read("m", [(s, 1e6 + 100.0 * s) for s in range(-60, 301, 10)])
    bench.read("new", [(s, 5e8 + 200.0 * s) for s in range(200, 701, 10)])
    row = the(bench.energy(0, 600))
    assert row["energy_wh"] == 100 * 300 + 200 * 300
    assert (row["device"], row["hall"], row["coverage_ratio"]) == ("new", "hall-2", 1)


def test_a_meter_is_charged_only_with_the_time_it_was_in_force(bench):
    bench.meter("m")
    bench.database.execute("update meters set valid_from = '2026-10-01 00:30:00+00'")
    bench.read("m", steady(360_000, range(1800, 3661, 10)))
    row = the(bench.energy(0, 3600))
    assert (row["energy_wh"], row["coverage_ratio"]) == (pytest.approx(180_000), 1)


def test_only_the_roles_asked_for(bench):
    bench.meter("m", "utility")
    bench.meter("n", "cooling")
    bench.meter("o", "other")
    rows = bench.ask("from energy('2026-10-01', '2026-10-02', roles := 'cooling,other')")
    assert {row["meter"] for row in rows} == {"n", "o"}


def test_fast_polls_and_slow_ones(bench):
    """Cells are shorter for fast polls; a meter read every 20 minutes has one reading in each."""
    for name, interval_s in {"fast": 1, "medium": 5, "slow": 1200}.items():
        bench.meter(name, interval_s=interval_s)
        bench.read(name, steady(360_000, range(-3600, 10801, interval_s), offset_wh=9e6))
    for row in bench.energy(600, 7800):
        assert row["energy_wh"] == pytest.approx(720_000, rel=1e-12)
        assert (row["coverage_ratio"], row["flags"]) == (1, [])
