"""Every rule of the pack fires on what it is for, once, and is over when that is over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pytest
from pack_rig import PackPlayer, Readings, Value, offers, site

from alerts.rule_file import load_pack
from alerts.selection import resolve
from alerts.watch import ANSWERED, POLLED
from facility.alert import State


class Case(NamedTuple):
    """What is read when all is well, and when it is not; the rest stays as it was."""

    calm: Readings
    wrong: Readings
    device: str
    component: str = ""


def of(device: str, quantity: str, calm: Value, wrong: Value, component: str = "") -> Case:
    key = (device, component, quantity)
    return Case({key: calm}, {key: wrong}, device, component)


def beside(case: Case, device: str, quantity: str, value: float, component: str = "") -> Case:
    key = (device, component, quantity)
    return case._replace(calm={**case.calm, key: value}, wrong={**case.wrong, key: value})


def phases(device: str, quantity: str, calm: float, wrong: float, at: str = "") -> Case:
    """Three phases that are alike; then the first is otherwise."""
    keys = [(device, f"{at}phase.{n}", quantity) for n in (1, 2, 3)]
    return Case(dict.fromkeys(keys, calm), {keys[0]: wrong}, device, at.rstrip("/"))


def volts(wrong: float) -> Case:
    return of("utility", "voltage_v", 230, wrong, "phase.1")


def hertz(wrong: float) -> Case:
    return of("utility", "frequency_hz", 60, wrong)


def amps(wrong: float) -> Case:
    return of("tap-a", "current_a", 60, wrong, "phase.2")


def pair(first: str, second: str, component: str, calm: float, wrong: float) -> Case:
    keys = [(device, component, "active_power_w") for device in (first, second)]
    shown = f"{component}+{second}"
    return Case(dict.fromkeys(keys, calm), {keys[1]: wrong}, first, shown)


def rack(wrong: float) -> Case:
    return pair("pdu-a", "pdu-b", "inlet.1", 50_000, wrong)._replace(component="")


def gpus(quantity: str, calm: float, wrong: float, count: int) -> Case:
    keys = [("node", f"gpu.{n}", quantity) for n in range(20)]
    return Case(dict.fromkeys(keys, calm), dict.fromkeys(keys[:count], wrong), "node")


def answered(rule: str, device: str, calm: float, wrong: float) -> Case:
    key = (device, rule, ANSWERED)
    return Case({key: calm}, {key: wrong}, device)


def growing(per_minute: float) -> Value:
    return lambda minute: 1000 + per_minute * minute


SITE = "of the pack"
RUNS = ("chiller", "run_state", 1.0)
PUMPS = ("cdu", "pump_speed_ratio", 0.7)
LOADED = {("tap-a", "", "active_power_w"): 50_000.0}

CASES: Mapping[str, Case] = {
    "power-lost": volts(20),
    "breaker-open": of("pdu-a", "breaker_closed_state", 1, 0, "breaker.1"),
    "voltage-low": volts(215),
    "voltage-very-low": volts(204),
    "voltage-high": volts(243),
    "voltage-very-high": volts(255),
    "voltage-unbalance": phases("utility", "voltage_v", 230, 220),
    "motor-voltage-unbalance": phases("motors", "voltage_v", 230, 226),
    "frequency-low": hertz(59.75),
    "frequency-very-low": hertz(59.4),
    "frequency-high": hertz(60.25),
    "frequency-very-high": hertz(60.6),
    "current-high": amps(72),
    "current-very-high": amps(82),
    "power-high": of("feeder", "active_power_w", 50_000, 82_000),
    "survivor-load-high": pair("tap-a", "tap-b", "", 34_000, 40_000),
    "survivor-overload": pair("pdu-a", "pdu-b", "inlet.1", 34_000, 50_000),
    "current-imbalance": phases("tap-a", "current_a", 50, 65),
    "current-imbalance-large": phases("pdu-a", "current_a", 50, 80, "inlet.1/"),
    "voltage-distortion": of("feeder", "voltage_thd_ratio", 0.03, 0.055),
    "voltage-distortion-large": of("feeder", "voltage_thd_ratio", 0.03, 0.09),
    "power-factor-low": of("utility", "power_factor_ratio", 0.98, 0.94),
    "power-factor-very-low": of("utility", "power_factor_ratio", 0.98, 0.88),
    "transformer-hot": of("transformer", "temperature_c", 90, 132, "sensor.1"),
    "transformer-near-trip": of("transformer", "temperature_c", 90, 141, "sensor.1"),
    "power-rises-fast": of("utility", "active_power_w", 5e6, growing(1.2e6)),
    "power-falls-fast": of("utility", "active_power_w", 5e6, growing(-1.2e6)),
    "rack-power-high": rack(85_000),
    "rack-power-over-budget": rack(95_000),
    "demand-high": answered("demand-high", SITE, 0.8, 0.96),
    "demand-very-high": answered("demand-very-high", SITE, 0.8, 0.99),
    "psu-input-lost": of("psu", "voltage_v", 230, 0, "input"),
    "psu-output-lost": of("psu", "voltage_v", 50, 0, "output"),
    "ups-on-battery": of("ups", "on_battery_state", 0, 1),
    "ups-on-battery-time": of("ups-rfc1628", "time_on_battery_s", 0, 12),
    "ups-on-battery-cyberpower": of("ups-cyberpower", "input_source_code", 2, 3),
    "ups-on-battery-eaton": of("ups-eaton", "input_source_code", 3, 5),
    "ups-on-battery-huawei": of("ups-huawei", "input_source_code", 3, 4),
    "ups-on-battery-socomec": of("ups-socomec", "battery_status_code", 2, 5),
    "ups-on-bypass": of("ups", "on_bypass_state", 0, 1),
    "ups-on-bypass-rfc1628": of("ups-rfc1628", "input_source_code", 3, 4),
    "ups-on-bypass-apc": of("ups-apc", "input_source_code", 2, 10),
    "ups-on-bypass-cyberpower": of("ups-cyberpower", "input_source_code", 2, 9),
    "ups-on-bypass-huawei": of("ups-huawei", "input_source_code", 3, 2),
    "ups-on-bypass-tripplite": of("ups-tripplite", "input_source_code", 0, 2),
    "ups-battery-charge-low": of("ups-rfc1628", "battery_charge_ratio", 1, 0.4),
    "ups-battery-runtime-low": of("ups", "battery_runtime_s", 900, 240),
    "ups-battery-bad-rfc1628": of("ups-rfc1628", "battery_status_code", 2, 3),
    "ups-battery-bad-socomec": of("ups-socomec", "battery_status_code", 2, 6),
    "ups-battery-bad-tripplite": of("ups-tripplite", "battery_status_code", 0, 1),
    "ups-battery-bad-eaton": of("ups-eaton", "battery_status_code", 3, 8),
    "ups-load-near-redundancy": of("ups-rfc1628", "load_ratio", 0.5, 0.71, "output/phase.1"),
    "ups-load-beyond-redundancy": of("ups-rfc1628", "load_ratio", 0.5, 0.77, "output/phase.1"),
    "leak": of("cdu", "leak_detected_state", 0, 1),
    "inlet-warm": of("door", "inlet_temperature_c", 24, 28),
    "inlet-hot": of("door", "inlet_temperature_c", 24, 33),
    "inlet-rises": of("door", "inlet_temperature_c", 20, lambda minute: 0.5 * minute),
    "inlet-rises-fast": of("door", "inlet_temperature_c", 20, lambda minute: 1.5 * minute),
    "dew-point-near": beside(
        of("cdu", "supply_temperature_c", 30, 17.5), "air", "dew_point_temperature_c", 15
    ),
    "dew-point-reached": beside(
        of("cdu", "supply_temperature_c", 30, 16.5), "air", "dew_point_temperature_c", 15
    ),
    "air-supply-warm": beside(
        of("crac", "supply_temperature_c", 20, 22.5), "crac", "supply_setpoint_c", 20
    ),
    "air-supply-hot": beside(
        of("crac", "supply_temperature_c", 20, 24.5), "crac", "supply_setpoint_c", 20
    ),
    "cdu-supply-warm": of("cdu", "supply_temperature_c", 30, 32.5),
    "cdu-supply-hot": of("cdu", "supply_temperature_c", 30, 34.5),
    "chilled-water-warm": beside(
        beside(
            of("chiller", "chilled_water_supply_temperature_c", 10, 12.5),
            "chiller", "supply_setpoint_c", 10,
        ), *RUNS,
    ),
    "chilled-water-hot": beside(
        beside(
            of("chiller", "chilled_water_supply_temperature_c", 10, 14.5),
            "chiller", "supply_setpoint_c", 10,
        ), *RUNS,
    ),
    "chilled-water-low-delta": beside(
        beside(
            of("chiller", "chilled_water_return_temperature_c", 16, 12),
            "chiller", "chilled_water_supply_temperature_c", 10,
        ), *RUNS,
    ),
    "device-alarm": of("chiller", "alarm_state", 0, 1),
    "flow-low": beside(of("cdu", "flow_lpm", 1000, 880), *PUMPS),
    "flow-very-low": beside(of("cdu", "flow_lpm", 1000, 700), *PUMPS),
    "pump-head-low": beside(
        beside(of("cdu", "supply_pressure_kpa", 300, 160), "cdu", "return_pressure_kpa", 80),
        *PUMPS,
    ),
    "pumps-differ": Case(
        {("cdu", f"pump.{n}", "pump_speed_rpm"): 3000.0 for n in (1, 2, 3, 4)},
        {("cdu", "pump.3", "pump_speed_rpm"): 0.0},
        "cdu", "pump",
    ),
    "pressure-decays": beside(
        of("cdu", "return_pressure_kpa", 300, growing(-9 / 60)), *PUMPS
    ),
    "pressure-decays-fast": beside(
        of("cdu", "return_pressure_kpa", 300, growing(-20 / 60)), *PUMPS
    ),
    "approach-wide": beside(
        of("in-row", "supply_temperature_c", 17, 20), "in-row", "facility_supply_temperature_c", 14
    ),
    "conductivity-high": of("water", "conductivity_us_cm", 500, 1100),
    "ph-low": of("water", "ph", 8, 6.8),
    "ph-high": of("water", "ph", 8, 9.3),
    "level-low": of("water", "level_ratio", 0.8, 0.2),
    "gpu-margin-small": of("node", "gpu_temperature_margin_c", 20, 4, "gpu.3"),
    "gpu-margin-gone": of("node", "gpu_temperature_margin_c", 20, 0, "gpu.3"),
    "gpu-hardware-slowdown": of("node", "clock_event_reasons_code", 4, 4 + 64, "gpu.3"),
    "gpu-power-brake": of("node", "clock_event_reasons_code", 4, 4 + 128, "gpu.3"),
    "rack-power-brake": gpus("clock_event_reasons_code", 4, 4 + 128, 18),
    "gpu-power-capped": of("node", "power_violation_s", 1000, growing(15), "gpu.3"),
    "gpu-thermally-held": of("node", "thermal_violation_s", 1000, growing(15), "gpu.3"),
    "gpu-error": gpus("xid_error_code", 0, 79, 1),
    "rack-gpu-errors": gpus("xid_error_code", 0, 79, 3),
    "row-remap-failed": of("node", "row_remap_failure_state", 0, 1, "gpu.3"),
    "device-silent": Case({("tap-a", "", POLLED): 1.0}, {}, "tap-a"),
    "register-fell": of("tap-a", "energy_imported_wh", growing(500), growing(-500)),
    "register-frozen": Case(
        {("tap-a", "", "energy_imported_wh"): growing(500), **LOADED},
        {("tap-a", "", "energy_imported_wh"): 9000.0},
        "tap-a",
    ),
    "power-flatline": of("tap-a", "active_power_w", growing(1), 5000),
    "temperature-flatline": of("cdu", "return_temperature_c", growing(0.1), 40),
    "meter-reversed": of("tap-a", "active_power_w", 5000, -5000),
    "values-out-of-range": answered("values-out-of-range", "tap-a", 0, 0.02),
    "energy-unbalanced": answered("energy-unbalanced", SITE, 0, 2),
    "pue-below-one": answered("pue-below-one", SITE, -0.2, 0.01),
}  # fmt: skip


def test_every_rule_of_the_pack_has_a_case() -> None:
    assert set(CASES) == {placed.rule.name for placed in load_pack()}


def test_every_rule_watches_something_at_a_site_that_has_it_all() -> None:
    outcomes = resolve(load_pack(), site(), offers()).outcomes
    assert [outcome.placed.rule.name for outcome in outcomes if not outcome.watches] == []


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_rule_fires_once_and_clears(name: str) -> None:
    case, player = CASES[name], PackPlayer(name)

    assert player.play(case.calm, case.device) == []

    wrong = {} if name == "device-silent" else {**case.calm, **case.wrong}
    fired = player.play(wrong, case.device)
    assert [told.state for told in fired][:1] == [State.FIRING]
    told = fired[0]
    assert (told.component, told.number) == (case.component, 1)
    assert told.message
    assert "{" not in told.message
    assert "unknown" not in told.message
    assert "nan" not in told.message

    states = [told.state for told in fired + player.play(case.calm, case.device)]
    assert states == ([State.FIRING] if player.rule.latch else [State.FIRING, State.RETURNED])
