"""Walks of real devices, read through the profiles; the expected values are worked out by hand.

The walks are third-party data and stand beside the repository, not in it.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from snmp_rig import by_name, why

from collectors.captures.dump import read_capture
from collectors.captures.opening import open_capture
from collectors.profile_library import load_profile

CAPTURES = Path(__file__).parents[3] / "shared" / "captures"

pytestmark = pytest.mark.skipif(
    not CAPTURES.is_dir(), reason="the walks of real devices are not beside this repository"
)


async def read(capture, profile):
    walk = read_capture(CAPTURES / f"{capture}.snmprec")
    return await open_capture("d", load_profile(profile), walk).read()


async def test_apc_ap8853():
    poll = await read("apc_ap8853", "apc-rpdu2")
    assert by_name(poll) | {("sensor.1", "temperature_c"): 0} == {
        ("", "active_power_w"): 1140,  # 114 x 0.01 kW
        ("", "peak_power_w"): 1430,
        ("", "energy_imported_wh"): 3_512_800,  # 35128 x 0.1 kWh
        ("", "apparent_power_va"): 1190,
        ("", "power_factor_ratio"): 0.96,
        ("phase.1", "current_a"): 4.9,
        ("phase.1", "voltage_v"): 242,
        ("phase.1", "active_power_w"): 1140,
        ("phase.1", "apparent_power_va"): 1190,
        ("phase.1", "power_factor_ratio"): 0.96,
        ("sensor.1", "temperature_c"): 0,
        ("sensor.1", "relative_humidity_ratio"): pytest.approx(float("nan"), nan_ok=True),
    }
    assert why(poll) == {
        ("sensor.1", "temperature_c"): "not available: the device answers -1",
        ("sensor.1", "relative_humidity_ratio"): "not available: the device answers -1",
    }


async def test_raritan_first_generation():
    poll = await read("raritan-pdu", "raritan-px1")
    values = by_name(poll)
    assert values["inlet.1", "current_a"] == 2.971
    assert values["inlet.1", "line_voltage_v"] == 230
    assert values["inlet.1", "active_power_w"] == 580
    assert values["inlet.1", "apparent_power_va"] == 692
    assert values["inlet.1", "power_factor_ratio"] == 0.83
    assert values["inlet.1/phase.1", "voltage_v"] == 230.5
    assert values["outlet.3", "current_a"] == 2.192
    assert values["outlet.3", "apparent_power_va"] == 507  # 2.192 A x 230.5 V = 505 VA
    assert values["outlet.12", "current_a"] == 0
    assert values["sensor.2", "relative_humidity_ratio"] == 0.39
    assert values["sensor.3", "temperature_c"] == 20.5  # 205 with one digit
    assert ("sensor.2", "temperature_c") not in values
    assert ("outlet.3", "active_power_w") not in values  # this model does not meter it
    assert poll.failures == ()
    assert len(values) == 6 + 2 + 2 * 12 + 2


async def test_sentry4_pair():
    poll = await read("sentry4", "servertech-sentry4")
    values = by_name(poll)
    assert values["inlet.1", "active_power_w"] == 1701
    assert values["inlet.2", "active_power_w"] == 1265
    assert values["inlet.1", "apparent_power_va"] == 1790
    assert values["inlet.1", "power_factor_ratio"] == 0.95  # 1701 / 1790
    assert values["inlet.2", "energy_imported_wh"] == 2_565_900  # 25659 x 0.1 kWh
    assert values["inlet.1", "frequency_hz"] == 60
    assert values["inlet.1/phase.1", "current_a"] == 5.6
    assert values["inlet.2/phase.3", "current_a"] == 3.46
    assert values["inlet.1/phase.2", "voltage_v"] == 208.9
    assert values["inlet.1/phase.3", "active_power_w"] == 848
    assert values["inlet.2/phase.2", "active_power_w"] == 358
    phases = [values[f"inlet.1/phase.{n}", "active_power_w"] for n in (1, 2, 3)]
    assert sum(phases) == pytest.approx(1701, abs=10)
    assert why(poll) == {
        (sensor, quantity): f"not available: the device answers {raw}"
        for sensor in ("sensor.1", "sensor.2")
        for quantity, raw in (("temperature_c", -410), ("relative_humidity_ratio", -1))
    }


async def test_vertiv_geist():
    poll = await read("vertiv-pdu_mn03edr1", "vertiv-geist-v5")
    values = by_name(poll)
    assert {c: v for (c, q), v in values.items() if q == "voltage_v"} == {
        "phase.1": 206.8,
        "phase.2": 207.9,
        "phase.3": 206.3,
    }
    assert values["phase.1", "current_a"] == 7.25
    assert values["phase.2", "active_power_w"] == 1477
    assert values["phase.3", "apparent_power_va"] == 1492
    assert values["phase.1", "power_factor_ratio"] == 0.97
    assert values["phase.1", "energy_imported_wh"] == 5_207_918
    assert values["breaker.6", "current_a"] == 2.52
    assert len(values) == 3 * 6 + 6
    assert poll.failures == ()


async def test_ups_by_the_standard():
    poll = await read("generex-ups_cs141", "ups-rfc1628")
    assert by_name(poll) == {
        ("", "battery_status_code"): 2,
        ("", "time_on_battery_s"): 0,
        ("", "battery_runtime_s"): 32_640,  # 544 minutes
        ("", "battery_charge_ratio"): 1,
        ("", "battery_voltage_v"): 271.6,
        ("", "battery_current_a"): 0,
        ("", "battery_temperature_c"): 25,
        ("input", "frequency_hz"): 50,
        ("input/phase.1", "voltage_v"): 233,
        ("input/phase.2", "voltage_v"): 233,
        ("input/phase.3", "voltage_v"): 235,
        ("", "input_source_code"): 4,
        ("output", "frequency_hz"): 50,
        ("output/phase.1", "voltage_v"): 233,
        ("output/phase.2", "voltage_v"): 233,
        ("output/phase.3", "voltage_v"): 235,
        ("output/phase.1", "current_a"): 0.3,
        ("output/phase.2", "current_a"): 2.1,
        ("output/phase.3", "current_a"): 0.2,
        ("output/phase.1", "active_power_w"): -4,
        ("output/phase.2", "active_power_w"): 469,
        ("output/phase.3", "active_power_w"): -26,
        ("output/phase.1", "load_ratio"): 0.02,
        ("output/phase.2", "load_ratio"): 0.14,
        ("output/phase.3", "load_ratio"): 0.02,
    }


async def test_liebert_rows_are_found_by_what_they_measure():
    poll = await read("liebert_weblbds", "vertiv-liebert-crac")
    assert by_name(poll) == {
        ("", "return_temperature_c"): 24,
        ("", "supply_temperature_c"): 25,
        ("", "supply_setpoint_c"): 18,
        ("", "relative_humidity_ratio"): 0.34,
        ("", "cooling_capacity_ratio"): 0.13,
        ("", "fan_speed_ratio"): 0.5,
        ("", "free_cooling_ratio"): 0,
    }
    assert poll.points.sources[0] == "1.3.6.1.4.1.476.1.42.3.4.1.3.3.1.3.3"


async def test_liebert_lines_are_found_by_where_they_are_measured():
    """The same card answers for a UPS of several modules: its output is the system's."""
    poll = await read("liebert_weblbds", "vertiv-liebert-ups")
    values = by_name(poll)
    assert values["output/phase.1", "voltage_v"] == 230
    assert values["output/line.12", "line_voltage_v"] == 399  # 230 V times the root of three
    assert values["output/phase.3", "current_a"] == 39
    assert values["output/phase.2", "load_ratio"] == 0.23
    assert values["output/phase.1", "power_factor_ratio"] == 0.95
    assert values["input/phase.2", "current_a"] == 52
    assert values["input/phase.2", "power_factor_ratio"] == 0.91
    assert values["bypass/phase.3", "voltage_v"] == 228
    assert poll.failures == ()
