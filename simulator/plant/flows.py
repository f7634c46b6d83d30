"""What meters make of a power: power factor, apparent and reactive power, registers, peak."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simulator.plant.arrays import Floats

LOW_POWER_FACTOR, FULL_POWER_FACTOR = 0.91, 0.985
OPENING_HOURS = (400.0, 6_000.0)
"""What the registers hold at the plant's start, in hours of two thirds of the planned power."""


class Flow:
    """Power through parts, as their meters see it.

    `true_w` gives it now; `gain` is each meter's own error, 1 for an exact one, negative for one
    whose current transformers are reversed; `rated_w` is the power that the parts are planned for.
    """

    def __init__(
        self,
        true_w: Callable[[], Floats],
        rated_w: Floats,
        gain: Floats,
        rng: np.random.Generator,
    ) -> None:
        self._true_w, self.rated_w, self._gain = true_w, rated_w, gain
        count = rated_w.size
        self.power_w, self.power_factor = np.zeros(count), np.ones(count)
        self.imported_w, self.exported_w = np.zeros(count), np.zeros(count)
        self.apparent_va, self.reactive_var = np.zeros(count), np.zeros(count)
        self.energy_wh = 0.66 * rated_w * rng.uniform(*OPENING_HOURS, count)
        self.exported_wh = np.zeros(count)
        self.apparent_vah = self.energy_wh / 0.97
        self.reactive_varh = self.energy_wh * 0.25
        self.peak_w = 0.9 * rated_w

    @property
    def load_ratio(self) -> Floats:
        """Power, whichever way, over what was planned."""
        ratio: Floats = np.abs(self.power_w) / self.rated_w
        return ratio

    def begin_step(self) -> None:
        """Take over the powers of the step that begins."""
        np.multiply(self._true_w(), self._gain, out=self.power_w)
        span = FULL_POWER_FACTOR - LOW_POWER_FACTOR
        np.maximum(self.power_w, 0.0, out=self.imported_w)
        np.subtract(self.imported_w, self.power_w, out=self.exported_w)
        power_factor = FULL_POWER_FACTOR - span * np.exp(-4.0 * self.load_ratio)
        self.power_factor = np.copysign(power_factor, self.power_w)
        np.divide(self.power_w, self.power_factor, out=self.apparent_va)
        np.sqrt(self.apparent_va**2 - self.power_w**2, out=self.reactive_var)
        np.maximum(self.peak_w, self.power_w, out=self.peak_w)

    def end_step(self, step_s: float) -> None:
        """Book the step that has passed."""
        hours = step_s / 3600
        self.energy_wh += self.imported_w * hours
        self.exported_wh += self.exported_w * hours
        self.apparent_vah += self.apparent_va * hours
        self.reactive_varh += self.reactive_var * hours
