"""What CDUs and facility water pumps show: temperatures, flows, pressures, speeds."""

from __future__ import annotations

import numpy as np

from simulator.plant.arrays import Floats
from simulator.plant.banks import Bank
from simulator.plant.clock import StepClock
from simulator.plant.cooling import CDU_APPROACH_K, WARM_WATER_C, CoolingPlant
from simulator.plant.movers import FACILITY_PUMPS, Movers
from simulator.plant.thermal import WATER_W_PER_LPM_K

PUMPS = (1, 2, 3, 4)
FULL_RPM = 3_500.0
FULL_HEAD_KPA, STATIC_KPA = 280.0, 150.0
HEALTHY = {
    "level_ratio": 0.92,
    "conductivity_us_cm": 1_450.0,
    "ph": 8.6,
    "dew_point_temperature_c": 12.5,
    "supply_setpoint_c": WARM_WATER_C + CDU_APPROACH_K,
    "run_state": 1.0,
    "alarm_state": 0.0,
    "leak_detected_state": 0.0,
}


def cdu_bank(clock: StepClock, plant: CoolingPlant) -> Bank:
    """Columns over the CDUs: secondary loop to the racks, primary (facility) water."""
    cdus = plant.cdus
    bank = _pumping(clock, cdus)
    bank.gauge("", "supply_temperature_c", lambda: plant.cdu_supply_c)
    bank.gauge("", "return_temperature_c", lambda: plant.cdu_supply_c + cdus.rise_k)
    bank.shared("", "facility_supply_temperature_c", lambda: plant.facility_supply_c)
    bank.shared(
        "",
        "facility_return_temperature_c",
        lambda: plant.facility_supply_c + FACILITY_PUMPS.rise_k,
    )
    bank.gauge(
        "", "facility_flow_lpm", lambda: cdus.heat_w / (WATER_W_PER_LPM_K * FACILITY_PUMPS.rise_k)
    )
    bank.gauge("", "valve_position_ratio", lambda: np.clip(cdus.load_ratio, 0, 1))
    bank.gauge("", "cooling_power_w", lambda: cdus.heat_w)
    bank.gauge("", "cooling_demand_w", lambda: cdus.heat_w)
    bank.gauge("", "cooling_capacity_ratio", lambda: cdus.load_ratio)
    for quantity, value in HEALTHY.items():
        bank.constant("", quantity, value)
    return bank


def pump_bank(clock: StepClock, plant: CoolingPlant) -> Bank:
    """Columns over the facility water pumps."""
    bank = _pumping(clock, plant.pumps)
    bank.constant("", "run_state", 1.0)
    bank.constant("", "alarm_state", 0.0)
    return bank


def _pumping(clock: StepClock, movers: Movers) -> Bank:
    """Speed, flow and the head that goes with the square of the speed."""
    bank = Bank(clock, movers.heat_w.size, {"pump": PUMPS})

    def head_kpa() -> Floats:
        return FULL_HEAD_KPA * movers.speed**2

    def rpm() -> Floats:
        return FULL_RPM * movers.speed

    bank.gauge("", "flow_lpm", lambda: movers.flow)
    bank.gauge("", "pump_speed_ratio", lambda: movers.speed)
    bank.gauge("", "pump_speed_rpm", rpm)
    bank.repeated("pump", "pump_speed_ratio", lambda: movers.speed)
    bank.repeated("pump", "pump_speed_rpm", rpm)
    bank.constant("pump", "run_state", 1.0)
    bank.gauge("", "differential_pressure_kpa", head_kpa)
    bank.gauge("", "supply_pressure_kpa", lambda: STATIC_KPA + head_kpa())
    bank.constant("", "return_pressure_kpa", STATIC_KPA)
    return bank
