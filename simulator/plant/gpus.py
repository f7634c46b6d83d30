"""GPUs: power from what they are busy with, capped; temperature, clocks and energy from power."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.plant.arrays import Floats
from simulator.plant.noise import Drift, approach

GPUS_PER_NODE = 4
IDLE_W = 190.0
DYNAMIC_W = 1_330.0
"""Added at full activity; a real job reaches 0.6 to 0.8 of it."""
POWER_OF_SIGNAL = np.array([0.32, 0.44, 0.18, 0.06])
"""Share of the dynamic power by signal: sm, tensor, dram, nvlink."""
BOARD_LIMIT_W = 1_200.0
REDUCED_LIMIT_W = 1_000.0
REDUCED_SHARE = 0.15
"""Share of racks whose owners have lowered the power limit."""

THERMAL_RESISTANCE_K_PER_W = 0.026
MEMORY_ABOVE_CORE_K = 6.0
THERMAL_TAU_S = 9.0
SLOWDOWN_C = 87.0
BOOST_HZ = 1.965e9
IDLE_HZ = 0.345e9
MEMORY_HZ = 3.996e9


class Gpus:
    """All GPUs of the site, rack after rack, `GPUS_PER_NODE` to a node."""

    def __init__(self, nodes_of_rack: npt.NDArray[np.intp], rng: np.random.Generator) -> None:
        per_rack = nodes_of_rack * GPUS_PER_NODE
        self.count = int(per_rack.sum())
        self.rack = np.repeat(np.arange(per_rack.size), per_rack)
        self._first = np.concatenate([[0], np.cumsum(per_rack)])[:-1].astype(np.intp)
        reduced = rng.random(per_rack.size) < REDUCED_SHARE
        self.limit_w = np.where(reduced, REDUCED_LIMIT_W, BOARD_LIMIT_W)[self.rack]
        self.quality = 1.0 + 0.02 * rng.standard_normal(self.count)
        self._drift = Drift(self.count, 0.012, 4.0, rng)
        self.is_capped = np.zeros(self.count, bool)
        self.spread = np.ones(self.count)
        """Each GPU's activity over its rack's."""
        self.uncapped_w = np.zeros(self.count)
        self.power_w = np.full(self.count, IDLE_W)
        self.energy_wh = rng.uniform(5.0e3, 6.0e5) * (1 + 0.05 * rng.random(self.count))
        self.temperature_c = np.full(self.count, 40.0)
        self.capped_s = rng.uniform(0.0, 5.0e4, self.count)

    def step(self, activity: Floats, coolant_c: Floats, step_s: float) -> None:
        """Set the power for the coming step, by rack `activity` (signals, racks) and coolant."""
        np.add(self.quality, self._drift.step(step_s), out=self.spread)
        dynamic = DYNAMIC_W * (POWER_OF_SIGNAL @ activity)
        np.multiply(dynamic[self.rack], self.spread, out=self.uncapped_w)
        self.uncapped_w += IDLE_W
        np.greater(self.uncapped_w, self.limit_w, out=self.is_capped)
        np.minimum(self.uncapped_w, self.limit_w, out=self.power_w)
        target = coolant_c[self.rack] + THERMAL_RESISTANCE_K_PER_W * self.power_w
        approach(self.temperature_c, target, THERMAL_TAU_S, step_s)

    def account(self, step_s: float) -> None:
        """Book a step that has passed."""
        self.energy_wh += self.power_w * (step_s / 3600)
        self.capped_s += self.is_capped * step_s

    def by_rack(self, of_gpu: Floats) -> Floats:
        """Sum over each rack's GPUs."""
        return np.add.reduceat(of_gpu, self._first) if self._first.size else np.zeros(0)

    def share(self, of_rack: Floats) -> Floats:
        """Each GPU's share of time of a signal, from its rack's."""
        return np.minimum(of_rack[self.rack] * self.spread, 1.0)

    def sm_clock_hz(self, sm: Floats) -> Floats:
        """Return the clock: boost, held down by the power cap (power goes with its cube).

        `sm` is each GPU's share of time with work; without any, the clock idles.
        """
        boost = BOOST_HZ * np.cbrt(self.power_w / self.uncapped_w)
        return np.where(sm > 0.0, boost, IDLE_HZ)
