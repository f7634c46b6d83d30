"""Noise with a memory, exact for any step size."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt


class Drift:
    """Ornstein-Uhlenbeck noise for `count` things: mean 0, spread `sigma`, memory `tau_s`."""

    def __init__(self, count: int, sigma: float, tau_s: float, rng: np.random.Generator) -> None:
        self._sigma, self._tau_s, self._rng = sigma, tau_s, rng
        self.value: npt.NDArray[np.float64] = sigma * rng.standard_normal(count)

    def step(self, step_s: float) -> npt.NDArray[np.float64]:
        """Go on by a step and return the new values, in place."""
        kept = math.exp(-step_s / self._tau_s)
        self.value *= kept
        fresh = self._rng.standard_normal(self.value.size, dtype=np.float32)
        self.value += fresh * (self._sigma * math.sqrt(1 - kept * kept))
        return self.value


def approach(
    state: npt.NDArray[np.float64], target: npt.NDArray[np.float64], tau_s: float, step_s: float
) -> None:
    """Move `state` towards `target` in place, as a first-order lag does in a step."""
    state += (target - state) * -math.expm1(-step_s / tau_s)
