"""What a UPS shows beside its input and output: battery, load, state."""

from __future__ import annotations

import numpy as np

from simulator.plant.arrays import Indices
from simulator.plant.banks import Bank
from simulator.plant.clock import StepClock
from simulator.plant.network import PowerNetwork

CELL_STRING_V = 540.0
FLOAT_CURRENT_A = 0.6
BATTERY_C = 24.5
RUNTIME_AT_FULL_LOAD_S = 300.0


def ups_bank(clock: StepClock, network: PowerNetwork, rows: Indices) -> Bank:
    """Columns over the UPSes; the rating is that of the power path."""
    bank, count, rated = Bank(clock), rows.size, network.rated[rows]

    def load_ratio() -> np.ndarray:
        return network.load[rows] / rated

    bank.gauge("", "load_ratio", load_ratio)
    bank.gauge("", "battery_runtime_s", lambda: RUNTIME_AT_FULL_LOAD_S / load_ratio() ** 1.15)
    bank.constant("", "rated_power_w", rated)
    bank.constant("", "rated_apparent_power_va", rated)
    for quantity, value in (
        ("battery_charge_ratio", 1.0),
        ("battery_voltage_v", CELL_STRING_V),
        ("battery_current_a", FLOAT_CURRENT_A),
        ("battery_temperature_c", BATTERY_C),
        ("time_on_battery_s", 0.0),
        ("on_battery_state", 0.0),
        ("on_bypass_state", 0.0),
        ("alarm_state", 0.0),
    ):
        bank.constant("", quantity, np.full(count, value))
        bank.constant("battery", quantity, np.full(count, value))
    return bank
