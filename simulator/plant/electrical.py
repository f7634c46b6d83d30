"""The electrical quantities of every part, for any meter, PDU or UPS that shows them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from simulator.plant.arrays import Floats, shared_out, shares
from simulator.plant.banks import Bank
from simulator.plant.clock import StepClock
from simulator.plant.flows import Flow
from simulator.plant.grid import Grid

PHASES = (1, 2, 3)
LINES = (12, 23, 31)
REGULATION = 0.012
"""Voltage lost from no load to the planned one."""
PHASE_SPREAD = 0.003
LEAKAGE = 4e-5
"""Earth leakage over the phase current."""
UNEVEN_PHASES = 0.025
"""Spread of the phases' shares of the power."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """How parts are connected; rows are parts."""

    nominal_v: Floats
    """Line to neutral."""
    phase_share: Floats
    """Share of the power on each phase; shape (parts, 3)."""
    phase_voltage: Floats
    """Each phase's voltage over the nominal; shape (parts, 3)."""


def wire(nominal_v: Floats, phase_share: Floats, rng: np.random.Generator) -> Wiring:
    """Give each part's phases their small differences."""
    spread = 1.0 + PHASE_SPREAD * rng.standard_normal(phase_share.shape)
    return Wiring(nominal_v, phase_share, spread)


def uneven_shares(parts: int, rng: np.random.Generator) -> Floats:
    """Shares of three phases, nearly even; shape (parts, 3)."""
    return shares(1.0 + UNEVEN_PHASES * rng.uniform(-1, 1, (parts, 3)))


class Electrical:
    """Columns over parts (and over their phases) computed from a flow and the mains."""

    def __init__(self, clock: StepClock, flow: Flow, wiring: Wiring, grid: Grid) -> None:
        self._flow, self._wiring, self._grid = flow, wiring, grid
        self.bank = Bank(clock, flow.power_w.size, {"phase": PHASES, "line": LINES})
        self._declare_whole()
        self._declare_phases()
        self._declare_registers()

    def voltages(self) -> Floats:
        """Line to neutral, shape (parts, 3)."""
        sag = self._grid.voltage - REGULATION * self._flow.load_ratio
        return (self._wiring.nominal_v * sag)[:, None] * self._wiring.phase_voltage

    def currents(self) -> Floats:
        """Each phase's current, shape (parts, 3)."""
        return self._wiring.phase_share * self._flow.apparent_va[:, None] / self.voltages()

    def line_voltages(self) -> Floats:
        """Between phases 1-2, 2-3, 3-1, which stand 120 degrees apart; shape (parts, 3)."""
        a = self.voltages()
        b = np.roll(a, -1, axis=1)
        return np.sqrt(a * a + b * b + a * b)

    def neutral_currents(self) -> Floats:
        """Sum of three currents 120 degrees apart."""
        a, b, c = self.currents().T
        squared: Floats = a * a + b * b + c * c - a * b - b * c - c * a
        return np.sqrt(np.maximum(squared, 0.0))

    def current_thd(self) -> Floats:
        """Distortion of the current: large at low load, as of any switched supply."""
        return 0.04 + 0.14 * np.exp(-3.0 * self._flow.load_ratio)

    def voltage_thd(self) -> Floats:
        """Distortion of the voltage: what the currents leave on the mains' impedance."""
        return 0.012 + 0.016 * self._flow.load_ratio

    def _declare_whole(self) -> None:
        gauge, flow = self.bank.gauge, self._flow
        gauge("", "active_power_w", lambda: flow.power_w)
        gauge("", "apparent_power_va", lambda: flow.apparent_va)
        gauge("", "reactive_power_var", lambda: flow.reactive_var)
        gauge("", "power_factor_ratio", lambda: flow.power_factor)
        gauge("", "peak_power_w", lambda: flow.peak_w)
        self.bank.shared("", "frequency_hz", lambda: self._grid.frequency_hz)
        gauge("", "voltage_v", lambda: self.voltages().mean(axis=1))
        gauge("", "line_voltage_v", lambda: self.line_voltages().mean(axis=1))
        gauge("", "current_a", lambda: self.currents().mean(axis=1))
        gauge("", "neutral_current_a", self.neutral_currents)
        gauge("", "residual_current_a", lambda: LEAKAGE * self.currents().mean(axis=1))
        gauge("", "current_imbalance_ratio", lambda: _deviation(self.currents()))
        gauge("", "voltage_unbalance_ratio", lambda: _deviation(self.voltages()))
        gauge("", "current_thd_ratio", self.current_thd)
        gauge("", "voltage_thd_ratio", self.voltage_thd)
        gauge("", "load_ratio", lambda: flow.load_ratio)
        self.bank.constant("", "rated_power_w", flow.rated_w)
        self.bank.constant("", "rated_apparent_power_va", flow.rated_w)
        self.bank.constant("", "breaker_closed_state", 1.0)

    def _declare_phases(self) -> None:
        gauge, flow, share = self.bank.gauge, self._flow, self._wiring.phase_share
        gauge("phase", "active_power_w", lambda: shared_out(share, flow.power_w))
        gauge("phase", "apparent_power_va", lambda: shared_out(share, flow.apparent_va))
        gauge("phase", "reactive_power_var", lambda: shared_out(share, flow.reactive_var))
        self.bank.repeated("phase", "power_factor_ratio", lambda: flow.power_factor)
        gauge("phase", "load_ratio", lambda: shared_out(3 * share, flow.load_ratio))
        gauge("phase", "voltage_v", lambda: self.voltages().ravel())
        gauge("phase", "current_a", lambda: self.currents().ravel())
        self.bank.repeated("phase", "current_thd_ratio", self.current_thd)
        self.bank.repeated("phase", "voltage_thd_ratio", self.voltage_thd)
        gauge("phase", "line_voltage_v", lambda: self.line_voltages().ravel())
        gauge("line", "line_voltage_v", lambda: self.line_voltages().ravel())

    def _declare_registers(self) -> None:
        bank, flow, share = self.bank, self._flow, self._wiring.phase_share
        for quantity, total, hourly in (
            ("energy_imported_wh", flow.energy_wh, flow.imported_w),
            ("energy_exported_wh", flow.exported_wh, flow.exported_w),
            ("apparent_energy_vah", flow.apparent_vah, flow.apparent_va),
            ("reactive_energy_varh", flow.reactive_varh, flow.reactive_var),
        ):
            bank.register("", quantity, total.view, hourly.view)
            bank.register(
                "phase",
                quantity,
                partial(shared_out, share, total),
                partial(shared_out, share, hourly),
            )


def _deviation(of_phases: Floats) -> Floats:
    """Largest deviation from the mean of the phases, over the mean."""
    mean = of_phases.mean(axis=1)
    largest = np.abs(of_phases - mean[:, None]).max(axis=1)
    deviation: Floats = np.divide(largest, mean, out=np.zeros_like(mean), where=mean > 0)
    return deviation
