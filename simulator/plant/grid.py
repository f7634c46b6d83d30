"""The mains as all meters see it: frequency and voltage, wandering a little."""

from __future__ import annotations

import numpy as np

from simulator.plant.noise import Drift

NOMINAL_HZ = 60.0
FREQUENCY_SPREAD_HZ = 0.012
VOLTAGE_SPREAD = 0.006


class Grid:
    """Frequency and relative voltage of the supply now."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._drift = Drift(2, 1.0, 40.0, rng)
        self.frequency_hz, self.voltage = NOMINAL_HZ, 1.0

    def step(self, step_s: float) -> None:
        """Go on by a step."""
        frequency, voltage = self._drift.step(step_s)
        self.frequency_hz = NOMINAL_HZ + FREQUENCY_SPREAD_HZ * float(frequency)
        self.voltage = 1.0 + VOLTAGE_SPREAD * float(voltage)
