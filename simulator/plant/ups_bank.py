"""What a UPS shows beside its input and output: battery and state."""

from __future__ import annotations

from simulator.plant.arrays import Floats, Indices
from simulator.plant.banks import Bank
from simulator.plant.clock import StepClock
from simulator.plant.network import PowerNetwork

ON_MAINS = {
    "battery_charge_ratio": 1.0,
    "battery_voltage_v": 540.0,
    "battery_current_a": 0.6,
    "battery_temperature_c": 24.5,
    "time_on_battery_s": 0.0,
    "on_battery_state": 0.0,
    "on_bypass_state": 0.0,
    "alarm_state": 0.0,
}
RUNTIME_AT_FULL_LOAD_S = 300.0
PEUKERT = 1.15
"""Exponent by which a battery lasts longer at lower load."""


def ups_bank(clock: StepClock, network: PowerNetwork, rows: Indices) -> Bank:
    """Columns over the UPSes, all on mains."""
    bank = Bank(clock, rows.size)

    def runtime_s() -> Floats:
        load: Floats = (network.load[rows] + 1.0) / network.rated[rows]
        return RUNTIME_AT_FULL_LOAD_S * load**-PEUKERT

    for component in ("", "battery"):
        bank.gauge(component, "battery_runtime_s", runtime_s)
        for quantity, value in ON_MAINS.items():
            bank.constant(component, quantity, value)
    return bank
