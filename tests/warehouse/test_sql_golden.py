"""The cases by which the rules for registers are known, each reckoned by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sql_bench import SqlBench

DAY_S = 24 * 3600
UINT32 = 2**32


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


def test_a_day_with_two_rollovers_a_reset_and_half_an_hour_without_readings(bench):
    """The utility's register wraps twice and is exact; the UPS's loses the minute it was reset in.

    200 MW for 24 h are 4 800 000 kWh. A UINT32 of Wh that shows 4.2e9 wraps after
    (2^32 - 4.2e9) / 200e6 = 0.475 h, and again 2^32 / 200e6 = 21.475 h later, at 21.95 h.

    1.6 MW for 24 h are 38 400 kWh. Reset at 10:00:00 on a reading, it shows 0, and what passed in
    that minute, 1.6 MW / 60 = 26.667 kWh, is not to be known: 38 373.333 kWh. The half hour
    without readings, 15:00 to 15:30, is bridged, and not covered.
    """
    bench.boundary(e_dc=["utility"], e_it_1=["ups_output"])
    bench.meter("grid", interval_s=60, max_power_w=250e6, modulus_wh=UINT32)
    bench.meter("ups", "ups_output", interval_s=60, max_power_w=2e6)
    minutes = range(-60, DAY_S + 61, 60)
    bench.read("grid", [(s, (4_200_000_000 + 200_000_000 * s // 3600) % UINT32) for s in minutes])
    reset_s, gap = 10 * 3600, range(15 * 3600 + 60, 15 * 3600 + 1800, 60)
    shown = {s: 1.6e6 * (s - (reset_s if s >= reset_s else -DAY_S)) / 3600 for s in minutes}
    bench.read("ups", [(s, wh) for s, wh in shown.items() if s not in gap])

    ups, grid = sorted(bench.energy(0, DAY_S), key=lambda row: row["meter_role"] == "utility")
    assert grid["energy_wh"] == pytest.approx(4_800_000_000, rel=1e-12)
    assert (grid["flags"], grid["coverage_ratio"]) == (["rollover"], 1)
    assert ups["energy_wh"] == pytest.approx(38_400_000 - 1_600_000 / 60, rel=1e-12)
    assert ups["flags"] == ["gap", "reset"]
    assert ups["measured_ratio"] == pytest.approx(1 - 60 / DAY_S, rel=1e-12)
    assert ups["coverage_ratio"] == pytest.approx(1 - (60 + 1800) / DAY_S, rel=1e-12)
    # all of the minute's energy could have been more: it is in the error, and a PUE needs coverage
    assert ups["resolution_wh"] >= 2e6 / 60
    assert the(bench.pue(0, DAY_S, 1))["reason"] == (
        "coverage 0.9785 is under the site's minimum of 0.99"
    )
    bench.database.execute("update sites set minimum_coverage_ratio = 0.97")
    row = the(bench.pue(0, DAY_S, 1))
    assert row["pue_ratio"] == pytest.approx(4_800_000 / (38_400 - 1600 / 60), rel=1e-12)


def test_uint32_of_wh_at_250_mw_wraps_every_17_2_hours(bench):
    """2^32 Wh / 250 MW = 17.18 h. Hour by hour over four days: 5 wraps, and each hour exact."""
    assert pytest.approx(17.18, abs=0.01) == UINT32 / 250e6
    bench.meter("grid", interval_s=900, max_power_w=300e6, modulus_wh=UINT32)
    quarters = range(-900, 4 * DAY_S + 901, 900)
    bench.read("grid", [(s, (UINT32 - 250_000_000 + 62_500_000 * s // 900) % UINT32)
                        for s in quarters])  # fmt: skip
    hours = bench.energy(0, 4 * DAY_S, "hour")
    assert [row["energy_wh"] for row in hours] == [pytest.approx(250e6, rel=1e-12)] * 96
    # the first at 1.0 h, where it shows 0, then every 17.18 h: in hours 0, 18, 35, 52, 69, 86
    wraps = [n for n, row in enumerate(hours) if row["flags"]]
    assert wraps == [0, *(int(1 + k * UINT32 / 250e6) for k in range(1, 6))]
    assert the(bench.energy(0, 4 * DAY_S))["energy_wh"] == pytest.approx(250e6 * 96, rel=1e-12)


def test_float32_of_kwh_loses_its_last_digit_above_2_to_the_24(bench):
    """Of 2^24 = 16 777 216 kWh on, which 250 MW reach in 67.1 h, only even numbers are shown.

    Before, an hour read every minute is known to 1 kWh; after, to 2 kWh, and it says so.
    """
    assert pytest.approx(67.1, abs=0.05) == 2**24 / 250e3
    bench.meter("grid", interval_s=60, max_power_w=300e6, resolution_wh=1000)
    edge_kwh = 2.0**24
    exact = {s: edge_kwh + 250_000 * (s - 3 * 3600) / 3600 for s in range(0, 6 * 3600 + 1, 60)}
    bench.read("grid", [(s, float(np.float32(np.floor(kwh))) * 1000) for s, kwh in exact.items()])
    before, after = (the(bench.energy(h * 3600, (h + 1) * 3600)) for h in (1, 4))
    for row, step_wh in ((before, 1000), (after, 2000)):
        assert abs(row["energy_wh"] - 250_000_000) <= step_wh
        assert step_wh <= row["resolution_wh"] < 2 * step_wh
        assert row["flags"] == []
