"""What chillers and cooling towers show."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simulator.plant.arrays import Floats
from simulator.plant.banks import Bank
from simulator.plant.chillers import CONDENSER_RISE_K, SUPPLY_C, Chillers
from simulator.plant.clock import StepClock
from simulator.plant.cooling import CoolingPlant
from simulator.plant.weather import OutdoorNow

FULL_FAN_RPM = 900.0


def chiller_bank(clock: StepClock, plant: CoolingPlant, outdoor: OutdoorNow) -> Bank:
    """Columns over the chillers, running or not, on common water loops."""
    chillers = plant.chillers
    bank = Bank(clock, chillers.count)
    for quantity in ("chilled_water_supply_temperature_c", "supply_temperature_c"):
        bank.shared("", quantity, lambda: chillers.supply_c)
    for quantity in ("chilled_water_return_temperature_c", "return_temperature_c"):
        bank.shared("", quantity, lambda: plant.chilled_return_c)
    bank.shared("", "condenser_water_supply_temperature_c", lambda: plant.tower_water_c)
    condenser_rise_k = _if_running(chillers, lambda: CONDENSER_RISE_K * chillers.load_ratio)
    bank.gauge(
        "",
        "condenser_water_return_temperature_c",
        lambda: plant.tower_water_c + condenser_rise_k(),
    )
    bank.shared("", "outdoor_temperature_c", lambda: outdoor().dry_bulb_c)
    bank.shared("", "wet_bulb_temperature_c", lambda: outdoor().wet_bulb_c)
    bank.shared("", "free_cooling_ratio", lambda: plant.free_cooling)
    each: dict[str, Callable[[], float]] = {
        "cooling_capacity_ratio": lambda: chillers.load_ratio,
        "compressor_power_ratio": lambda: chillers.load_ratio,
        "cooling_power_w": lambda: chillers.load_ratio * chillers.capacity_w,
        "cop_ratio": lambda: chillers.cop,
        "run_state": lambda: 1.0,
    }
    for quantity, compute in each.items():
        bank.gauge("", quantity, _if_running(chillers, compute))
    bank.constant("", "supply_setpoint_c", SUPPLY_C)
    bank.constant("", "alarm_state", 0.0)
    return bank


def _if_running(chillers: Chillers, compute: Callable[[], float]) -> Callable[[], Floats]:
    """Give a column with the value for each chiller that runs, 0 for those that stand."""
    return lambda: np.where(np.arange(chillers.count) < chillers.running, compute(), 0.0)


def tower_bank(clock: StepClock, plant: CoolingPlant, outdoor: OutdoorNow) -> Bank:
    """Columns over the cooling towers' cells, all alike."""
    cells = plant.tower_power_w.size
    bank = Bank(clock, cells)
    bank.shared("", "fan_speed_ratio", lambda: plant.tower_speed)
    bank.shared("", "fan_speed_rpm", lambda: FULL_FAN_RPM * plant.tower_speed)
    bank.shared("", "supply_temperature_c", lambda: plant.tower_water_c)
    bank.shared("", "wet_bulb_temperature_c", lambda: outdoor().wet_bulb_c)
    bank.shared("", "cooling_power_w", lambda: plant.rejected_w / cells)
    bank.constant("", "run_state", 1.0)
    bank.constant("", "alarm_state", 0.0)
    return bank
