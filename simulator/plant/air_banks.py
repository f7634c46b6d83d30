"""What air handlers show, and what sensors in the halls and outside do."""

from __future__ import annotations

import numpy as np

from simulator.plant.banks import Bank
from simulator.plant.clock import StepClock
from simulator.plant.cooling import CoolingPlant
from simulator.plant.weather import OutdoorNow

FANS = (1, 2, 3, 4)
FULL_RPM = 1_450.0
FULL_PRESSURE_KPA = 0.45
AIR_SUPPLY_C = 24.0
HUMIDITY = 0.48


def air_handler_bank(clock: StepClock, plant: CoolingPlant) -> Bank:
    """Columns over the air handlers: chilled water in, cold air out."""
    handlers = plant.air_handlers
    bank = Bank(clock, handlers.heat_w.size, {"fan": FANS})
    for quantity in ("supply_temperature_c", "supply_setpoint_c", "inlet_temperature_c"):
        bank.constant("", quantity, AIR_SUPPLY_C)
    for quantity in ("return_temperature_c", "outlet_temperature_c"):
        bank.gauge("", quantity, lambda: AIR_SUPPLY_C + handlers.rise_k)
    bank.shared("", "facility_supply_temperature_c", lambda: plant.chillers.supply_c)
    bank.shared("", "facility_return_temperature_c", lambda: plant.chilled_return_c)
    bank.gauge("", "air_flow_lps", lambda: handlers.flow)
    bank.gauge("", "differential_pressure_kpa", lambda: FULL_PRESSURE_KPA * handlers.speed**2)
    bank.gauge("", "fan_speed_ratio", lambda: handlers.speed)
    bank.gauge("", "fan_speed_rpm", lambda: FULL_RPM * handlers.speed)
    bank.repeated("fan", "fan_speed_ratio", lambda: handlers.speed)
    bank.repeated("fan", "fan_speed_rpm", lambda: FULL_RPM * handlers.speed)
    bank.gauge("", "valve_position_ratio", lambda: np.clip(handlers.load_ratio, 0, 1))
    bank.gauge("", "cooling_power_w", lambda: handlers.heat_w)
    bank.gauge("", "cooling_demand_w", lambda: handlers.heat_w)
    bank.gauge("", "cooling_capacity_ratio", lambda: handlers.load_ratio)
    bank.constant("", "free_cooling_ratio", 0.0)
    bank.constant("", "relative_humidity_ratio", HUMIDITY)
    bank.constant("", "run_state", 1.0)
    bank.constant("", "alarm_state", 0.0)
    bank.constant("", "leak_detected_state", 0.0)
    return bank


def air_bank(clock: StepClock, outdoor: OutdoorNow) -> Bank:
    """One row: the air outside and at the racks' intakes."""
    bank = Bank(clock, 1)
    bank.shared("", "outdoor_temperature_c", lambda: outdoor().dry_bulb_c)
    bank.shared("", "wet_bulb_temperature_c", lambda: outdoor().wet_bulb_c)
    bank.constant("", "inlet_temperature_c", AIR_SUPPLY_C)
    bank.constant("", "temperature_c", AIR_SUPPLY_C)
    bank.constant("", "relative_humidity_ratio", HUMIDITY)
    return bank
