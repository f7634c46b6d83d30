"""Chillers: how many run, what each removes and draws."""

from __future__ import annotations

import math

import numpy as np

from simulator.plant.thermal import chiller_cop

SUPPLY_C = 18.0
RISE_K = 8.0
"""Chilled water's temperature rise at the heat planned for."""
CONDENSER_RISE_K = 5.5
STANDBY_W = 450.0
START_ABOVE = 0.92
"""Load of the running chillers above which one more is started; one is stopped when the others
would still be below STOP_BELOW."""
STOP_BELOW = 0.75


class Chillers:
    """Identical chillers in parallel; one more than the planned heat needs, where there are two."""

    def __init__(self, count: int, planned_w: float) -> None:
        self.count = count
        self.capacity_w = max(planned_w, 1.0) / max(count - 1, 1)
        self.running = 0
        self.heat_w = self.load_ratio = self.compressor_w = 0.0
        self.cop = 0.0
        """0 while none runs."""
        self.power_w = np.full(count, STANDBY_W)

    def step(self, heat_w: float, condenser_supply_c: float) -> None:
        """Remove a heat with condenser water of a temperature; the first `running` share it."""
        self.heat_w = heat_w
        self.running = self._stage(heat_w / self.capacity_w)
        if not self.running:
            self.load_ratio = self.compressor_w = self.cop = 0.0
        else:
            self.load_ratio = heat_w / (self.capacity_w * self.running)
            condenser_c = condenser_supply_c + CONDENSER_RISE_K * self.load_ratio
            self.cop = chiller_cop(self.supply_c, condenser_c, min(self.load_ratio, 1.0))
            self.compressor_w = heat_w / self.cop
        self.power_w[:] = STANDBY_W
        self.power_w[: self.running] += self.compressor_w / max(self.running, 1)

    @property
    def supply_c(self) -> float:
        """Water leaving the evaporators; warmer than it should be when they are overloaded."""
        return SUPPLY_C + RISE_K * max(self.load_ratio - 1.0, 0.0)

    def _stage(self, needed: float) -> int:
        """Number of chillers to run for a heat over one's capacity, with hysteresis."""
        least = math.ceil(needed / START_ABOVE) if needed > 0 else 0
        most = math.ceil(needed / STOP_BELOW) if needed > 0 else 0
        return min(max(self.running, least), max(most, least), self.count)
