"""Outlets of rack PDUs: each on one phase, in banks behind a breaker; and sensors in the rack."""

from __future__ import annotations

from functools import partial

import numpy as np

from simulator.plant.air_banks import AIR_SUPPLY_C, HUMIDITY
from simulator.plant.arrays import Floats, Indices, shared_out, shares
from simulator.plant.banks import Bank
from simulator.plant.clock import StepClock
from simulator.plant.electrical import Electrical
from simulator.plant.flows import Flow

PHASES = 3
BANKS = (1, 2)
TEMPERATURE_SENSOR = "sensor.1"
RECIRCULATION_K = 1.4
"""How much warmer than the air supplied the air at a fully loaded rack's intake is."""


def outlet_shares(pdus: int, outlets: int, spread: float, rng: np.random.Generator) -> Floats:
    """Share of a PDU's power at each outlet, uneven by `spread`; shape (pdus, outlets)."""
    return shares(rng.uniform(1 - spread, 1 + spread, (pdus, outlets)))


def phase_shares(outlets: Floats) -> Floats:
    """Share of a PDU's power on each phase: outlet n is on phase (n - 1) mod 3 + 1."""
    return np.stack([outlets[:, phase::PHASES].sum(axis=1) for phase in range(PHASES)], axis=1)


class Outlets:
    """Columns over the outlets and banks of `pdus` (rows of the power path), all with as many.

    Each has a temperature sensor, and one of humidity: `humidity_sensor` is its component.
    """

    def __init__(
        self,
        clock: StepClock,
        pdus: Indices,
        share: Floats,
        flow: Flow,
        electrical: Electrical,
        *,
        humidity_sensor: str,
    ) -> None:
        outlets = share.shape[1]
        parts = {"outlet": range(1, outlets + 1), "bank": BANKS, "breaker": BANKS}
        self.bank = Bank(clock, pdus.size, parts)
        self._pdus, self._flow, self._electrical = pdus, flow, electrical
        halves = np.array_split(share, len(BANKS), axis=1)
        banks = np.stack([half.sum(axis=1) for half in halves], axis=1)
        for kind, of_kind in (("outlet", share), ("bank", banks), ("breaker", banks)):
            self._declare_power(kind, of_kind)
        self.bank.gauge("outlet", "voltage_v", lambda: self._outlet_voltages(outlets).ravel())
        self.bank.gauge("outlet", "current_a", lambda: self._outlet_currents(share))
        for kind in ("bank", "breaker"):
            self.bank.gauge(kind, "current_a", lambda: self._bank_currents(banks))
        self.bank.gauge(TEMPERATURE_SENSOR, "temperature_c", self._intake_c)
        self.bank.constant(humidity_sensor, "relative_humidity_ratio", HUMIDITY)

    def _declare_power(self, kind: str, share: Floats) -> None:
        bank, flow, of = self.bank, self._flow, partial(self._of, share)
        bank.gauge(kind, "active_power_w", lambda: of(flow.power_w))
        bank.gauge(kind, "apparent_power_va", lambda: of(flow.apparent_va))
        bank.gauge(kind, "reactive_power_var", lambda: of(flow.reactive_var))
        bank.repeated(kind, "power_factor_ratio", lambda: flow.power_factor[self._pdus])
        bank.register(
            kind, "energy_imported_wh", lambda: of(flow.energy_wh), lambda: of(flow.power_w)
        )
        bank.constant(kind, "switch_on_state", 1.0)
        bank.constant(kind, "breaker_closed_state", 1.0)

    def _of(self, share: Floats, whole: Floats) -> Floats:
        return shared_out(share, whole[self._pdus])

    def _outlet_voltages(self, outlets: int) -> Floats:
        phase = np.arange(outlets) % PHASES
        return self._electrical.voltages()[self._pdus][:, phase]

    def _outlet_currents(self, share: Floats) -> Floats:
        volts = self._outlet_voltages(share.shape[1])
        amperes: Floats = self._of(share, self._flow.apparent_va) / volts.ravel()
        return amperes

    def _bank_currents(self, share: Floats) -> Floats:
        """Mean over the three phases of a bank."""
        volts = self._electrical.voltages()[self._pdus].mean(axis=1)
        amperes: Floats = self._of(share, self._flow.apparent_va) / np.repeat(
            PHASES * volts, share.shape[1]
        )
        return amperes

    def _intake_c(self) -> Floats:
        """Air at the intake of each PDU's rack."""
        load = self._flow.load_ratio[self._pdus]
        intake: Floats = AIR_SUPPLY_C + RECIRCULATION_K * load
        return intake
