"""Which points each kind of device of the full-size site has, and how finely it shows them.

The site file names profiles, counts.yaml how many points each kind gives. The plant is asked for
them in the order of USUAL; where it knows fewer (a tray's BMC, sensors in racks), the rest are
sensors of the device's own, which drift.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import yaml

from facility.roles import DeviceRole
from facility.site import Device
from simulator.plant import Plant

COUNTS = Path(__file__).parents[1] / "examples/site-250mw/counts.yaml"

USUAL = (
    *("energy_imported_wh", "active_power_w", "current_a", "voltage_v", "power_factor_ratio"),
    *("apparent_power_va", "reactive_power_var", "line_voltage_v", "frequency_hz", "load_ratio"),
    *("current_thd_ratio", "voltage_thd_ratio", "apparent_energy_vah", "reactive_energy_varh"),
    *("supply_temperature_c", "return_temperature_c", "facility_supply_temperature_c"),
    *("facility_return_temperature_c", "flow_lpm", "air_flow_lps", "facility_flow_lpm"),
    *("differential_pressure_kpa", "supply_pressure_kpa", "pump_speed_ratio", "fan_speed_ratio"),
    *(
        "pump_speed_rpm",
        "fan_speed_rpm",
        "valve_position_ratio",
        "cooling_power_w",
        "temperature_c",
    ),
    *("cooling_capacity_ratio", "supply_setpoint_c", "relative_humidity_ratio", "level_ratio"),
    *("inlet_temperature_c", "outlet_temperature_c", "run_state", "alarm_state"),
    *("leak_detected_state", "switch_on_state", "breaker_closed_state", "rated_power_w"),
)
GPU_FIELDS = (
    *("active_power_w", "energy_imported_wh", "gpu_temperature_c", "memory_temperature_c"),
    *("sm_clock_hz", "gpu_utilisation_ratio", "sm_active_ratio", "tensor_active_ratio"),
    *("dram_active_ratio", "memory_used_bytes", "power_violation_s", "clock_event_reasons_code"),
    *("cpu_power_w", "module_power_w", "temperature_c"),
)
"""Twelve of a GPU and three of a CPU; the fourth of a CPU is a sensor."""

OWN_SENSORS = {
    "temperature_c": (45.0, 0.4),
    "active_power_w": (60.0, 2.0),
    "voltage_v": (12.0, 0.02),
    "current_a": (5.0, 0.2),
}
"""What a device's own sensors measure in turn: where they are, and how far they drift."""
FLOAT_REGISTERS = frozenset({DeviceRole.UTILITY_METER, DeviceRole.FEEDER_METER})
"""Roles whose meters show IEEE floats of 32 bits rather than steps."""

STEPS = {
    "_wh": 1.0,
    "_vah": 1.0,
    "_varh": 1.0,
    "_w": 1.0,
    "_va": 1.0,
    "_var": 1.0,
    "_a": 0.01,
    "_v": 0.1,
    "_c": 0.1,
    "_ratio": 0.001,
    "frequency_hz": 0.01,
    "clock_hz": 1e6,
    "_lpm": 0.1,
    "_lps": 0.1,
    "_kpa": 0.1,
    "_rpm": 10.0,
    "_s": 0.001,
    "_bytes": 2.0**20,
    "gpu_temperature_c": 1.0,
    "memory_temperature_c": 1.0,
}
"""What a device shows at least, by the end of the quantity's name; the longest that fits."""
GPU_POWER_STEP_W = 0.001

NOISE = {"_w": 3e-3, "_va": 3e-3, "_var": 3e-3, "_a": 3e-3, "_v": 5e-4, "_lpm": 5e-3, "_lps": 5e-3}
"""Spread of one reading over its value, by the end of the quantity's name."""
ABSOLUTE_NOISE = {"temperature_c": 0.05, "humidity_ratio": 0.001}
"""Spread of one reading in the quantity's unit; a sensor is off by about ten times as much."""
NOISELESS = ("rated_power_w", "power_limit_w")


@dataclass(frozen=True, slots=True)
class PointKind:
    """A point that all devices of a kind have; `part` counts among the device's components."""

    part: int | None
    """None: a sensor of the device's own."""
    sensor: str
    """Its component, where `part` is None."""
    quantity: str
    step: float
    """0: a float of 32 bits."""
    noise: float
    """Relative."""
    absolute_noise: float


def points_of_kinds(
    plant: Plant, devices: Sequence[Device]
) -> dict[tuple[str, str], list[PointKind]]:
    """Give the points of each (profile, role), as many as counts.yaml says."""
    counts = yaml.safe_load(COUNTS.read_text("utf-8"))["devices"].values()
    wanted = {(kind["profile"], kind["role"]): kind["points"] for kind in counts}
    examples = {(device.profile, device.role.value): device for device in devices}
    return {kind: _points(plant, device, wanted[kind]) for kind, device in examples.items()}


def _points(plant: Plant, device: Device, count: int) -> list[PointKind]:
    is_gpu = device.role is DeviceRole.GPU_NODE
    parts = plant.components(device.id)
    found = [
        _point(device.role, part, quantity)
        for quantity in (GPU_FIELDS if is_gpu else USUAL)
        for part, name in enumerate(parts)
        if plant.value(device.id, name, quantity) is not None
    ][:count]
    measured = cycle(OWN_SENSORS)
    return found + [_sensor(n, next(measured)) for n in range(1, count - len(found) + 1)]


def _sensor(number: int, quantity: str) -> PointKind:
    return PointKind(None, f"sensor.{number}", quantity, by_ending(STEPS, quantity, 1.0), 0.0, 0.0)


def _point(role: DeviceRole, part: int, quantity: str) -> PointKind:
    step = 0.0 if role in FLOAT_REGISTERS else by_ending(STEPS, quantity, 1.0)
    if role is DeviceRole.GPU_NODE and quantity == "active_power_w":
        step = GPU_POWER_STEP_W
    noise = 0.0 if quantity in NOISELESS else by_ending(NOISE, quantity, 0.0)
    return PointKind(part, "", quantity, step, noise, by_ending(ABSOLUTE_NOISE, quantity, 0.0))


def by_ending(table: dict[str, float], quantity: str, otherwise: float) -> float:
    """Look up the longest key that a quantity's name ends with."""
    fitting = [ending for ending in table if quantity.endswith(ending)]
    return table[max(fitting, key=len)] if fitting else otherwise
