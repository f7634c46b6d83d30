"""What cooling equipment shows: temperatures, flows, pressures, speeds, load."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simulator.plant.arrays import Floats
from simulator.plant.banks import Bank
from simulator.plant.chillers import CONDENSER_RISE_K
from simulator.plant.clock import StepClock
from simulator.plant.cooling import CoolingPlant
from simulator.plant.movers import FACILITY_PUMPS, Movers
from simulator.plant.thermal import WATER_W_PER_LPM_K
from simulator.plant.weather import Outdoor

FULL_PUMP_RPM, FULL_FAN_RPM = 3_500.0, 1_450.0
FULL_HEAD_KPA = 280.0
STATIC_KPA = 150.0
AIR_SUPPLY_C = 24.0
OutdoorNow = Callable[[], Outdoor]


def _quiet(bank: Bank, count: int, *components: str) -> None:
    """Declare what only a fault would change."""
    for component in ("", *components):
        bank.constant(component, "run_state", np.ones(count))
        bank.constant(component, "alarm_state", np.zeros(count))
    bank.constant("", "leak_detected_state", np.zeros(count))


def _moving(bank: Bank, movers: Movers, part: str, full_rpm: float) -> None:
    def rpm() -> Floats:
        return full_rpm * movers.speed

    for component in ("", f"{part}.1", f"{part}.2"):
        bank.gauge(component, f"{part}_speed_ratio", lambda: movers.speed)
        bank.gauge(component, f"{part}_speed_rpm", rpm)


def cdu_bank(clock: StepClock, plant: CoolingPlant) -> Bank:
    """Columns over the CDUs: secondary loop to the racks, primary (facility) water."""
    bank, cdus = Bank(clock), plant.cdus
    count = cdus.heat_w.size

    def primary_lpm() -> Floats:
        return cdus.heat_w / (WATER_W_PER_LPM_K * FACILITY_PUMPS.rise_k)

    def head_kpa() -> Floats:
        return FULL_HEAD_KPA * cdus.speed**2

    def supply_c() -> Floats:
        return np.full(count, plant.facility_supply_c)

    bank.gauge("", "supply_temperature_c", lambda: plant.cdu_supply_c)
    bank.gauge("", "return_temperature_c", lambda: plant.cdu_supply_c + cdus.rise_k)
    bank.gauge("", "facility_supply_temperature_c", supply_c)
    bank.gauge("", "facility_return_temperature_c", lambda: supply_c() + FACILITY_PUMPS.rise_k)
    bank.gauge("", "flow_lpm", lambda: cdus.flow)
    bank.gauge("", "facility_flow_lpm", primary_lpm)
    bank.gauge("", "differential_pressure_kpa", head_kpa)
    bank.gauge("", "supply_pressure_kpa", lambda: STATIC_KPA + head_kpa())
    bank.constant("", "return_pressure_kpa", np.full(count, STATIC_KPA))
    bank.gauge("", "valve_position_ratio", lambda: np.clip(cdus.heat_w / cdus.design_heat_w, 0, 1))
    bank.gauge("", "cooling_power_w", lambda: cdus.heat_w)
    bank.gauge("", "cooling_demand_w", lambda: cdus.heat_w)
    bank.gauge("", "cooling_capacity_ratio", lambda: cdus.heat_w / cdus.design_heat_w)
    for quantity, value in (
        ("supply_setpoint_c", 34.0),
        ("level_ratio", 0.92),
        ("conductivity_us_cm", 1_450.0),
        ("ph", 8.6),
        ("dew_point_temperature_c", 12.5),
    ):
        bank.constant("", quantity, np.full(count, value))
    _moving(bank, cdus, "pump", FULL_PUMP_RPM)
    _quiet(bank, count, "pump.1", "pump.2")
    return bank


def air_handler_bank(clock: StepClock, plant: CoolingPlant) -> Bank:
    """Columns over the air handlers: chilled water in, cold air out."""
    bank, handlers = Bank(clock), plant.air_handlers
    count = handlers.heat_w.size
    bank.constant("", "supply_temperature_c", np.full(count, AIR_SUPPLY_C))
    bank.constant("", "supply_setpoint_c", np.full(count, AIR_SUPPLY_C))
    bank.gauge("", "return_temperature_c", lambda: AIR_SUPPLY_C + handlers.rise_k)
    bank.gauge("", "air_flow_lps", lambda: handlers.flow)
    bank.gauge("", "cooling_power_w", lambda: handlers.heat_w)
    bank.gauge("", "cooling_demand_w", lambda: handlers.heat_w)
    bank.gauge("", "cooling_capacity_ratio", lambda: handlers.heat_w / handlers.design_heat_w)
    bank.gauge(
        "", "valve_position_ratio", lambda: np.clip(handlers.heat_w / handlers.design_heat_w, 0, 1)
    )
    bank.constant("", "relative_humidity_ratio", np.full(count, 0.48))
    _moving(bank, handlers, "fan", FULL_FAN_RPM)
    _quiet(bank, count)
    return bank


def pump_bank(clock: StepClock, plant: CoolingPlant) -> Bank:
    """Columns over the facility water pumps."""
    bank, pumps = Bank(clock), plant.pumps
    bank.gauge("", "flow_lpm", lambda: pumps.flow)
    bank.gauge("", "differential_pressure_kpa", lambda: FULL_HEAD_KPA * pumps.speed**2)
    _moving(bank, pumps, "pump", FULL_PUMP_RPM)
    _quiet(bank, pumps.heat_w.size)
    return bank


def chiller_bank(clock: StepClock, plant: CoolingPlant, outdoor: OutdoorNow) -> Bank:
    """Columns over the chillers, running or not, on common water loops."""
    bank, chillers = Bank(clock), plant.chillers
    count = chillers.count

    def all_alike(compute: Callable[[], float]) -> Callable[[], Floats]:
        return lambda: np.full(count, compute())

    def if_running(compute: Callable[[], float]) -> Callable[[], Floats]:
        return lambda: np.where(np.arange(count) < chillers.running, compute(), 0.0)

    for quantity, compute in (
        ("chilled_water_supply_temperature_c", lambda: chillers.supply_c),
        ("chilled_water_return_temperature_c", lambda: plant.chilled_return_c),
        ("supply_temperature_c", lambda: chillers.supply_c),
        ("return_temperature_c", lambda: plant.chilled_return_c),
        ("condenser_water_supply_temperature_c", lambda: plant.tower_water_c),
        ("outdoor_temperature_c", lambda: outdoor().dry_bulb_c),
        ("wet_bulb_temperature_c", lambda: outdoor().wet_bulb_c),
        ("free_cooling_ratio", lambda: plant.free_cooling),
    ):
        bank.gauge("", quantity, all_alike(compute))
    bank.gauge(
        "",
        "condenser_water_return_temperature_c",
        lambda: plant.tower_water_c + if_running(lambda: CONDENSER_RISE_K * chillers.load_ratio)(),
    )
    running = max
    for quantity, compute in (
        ("cooling_capacity_ratio", lambda: chillers.load_ratio),
        ("compressor_power_ratio", lambda: chillers.load_ratio),
        ("cooling_power_w", lambda: chillers.heat_w / running(chillers.running, 1)),
        ("cop_ratio", lambda: chillers.cop),
        ("run_state", lambda: 1.0),
    ):
        bank.gauge("", quantity, if_running(compute))
    bank.constant("", "supply_setpoint_c", np.full(count, 18.0))
    bank.constant("", "alarm_state", np.zeros(count))
    return bank


def tower_bank(clock: StepClock, plant: CoolingPlant, outdoor: OutdoorNow) -> Bank:
    """Columns over the cooling towers."""
    bank = Bank(clock)
    count = plant.tower_power_w.size
    bank.gauge("", "fan_speed_ratio", lambda: np.full(count, plant.tower_speed))
    bank.gauge("", "fan_speed_rpm", lambda: np.full(count, FULL_FAN_RPM * plant.tower_speed))
    bank.gauge("", "supply_temperature_c", lambda: np.full(count, plant.tower_water_c))
    bank.gauge("", "wet_bulb_temperature_c", lambda: np.full(count, outdoor().wet_bulb_c))
    bank.gauge("", "cooling_power_w", lambda: np.full(count, plant.rejected_w / count))
    _quiet(bank, count)
    return bank
