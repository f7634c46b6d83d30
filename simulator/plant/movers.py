"""What moves heat by moving a fluid at variable speed: CDU pumps, facility pumps, air handlers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.plant.arrays import Floats
from simulator.plant.thermal import (
    AIR_W_PER_LPS_K,
    GLYCOL_W_PER_LPM_K,
    WATER_W_PER_LPM_K,
    fan_law_w,
)


@dataclass(frozen=True, slots=True)
class MoverDesign:
    """A kind of mover, sized by the heat it carries."""

    carries_w: float
    """Heat carried per unit of flow and kelvin."""
    rise_k: float
    """Temperature rise of the fluid, held by speed as long as speed allows."""
    power_ratio: float
    """Electric power at full speed over design heat."""
    slowest: float


CDU_PUMPS = MoverDesign(GLYCOL_W_PER_LPM_K, rise_k=10.0, power_ratio=0.020, slowest=0.35)
FACILITY_PUMPS = MoverDesign(WATER_W_PER_LPM_K, rise_k=10.0, power_ratio=0.030, slowest=0.35)
AIR_HANDLERS = MoverDesign(AIR_W_PER_LPS_K, rise_k=12.0, power_ratio=0.075, slowest=0.30)


class Movers:
    """All movers of one kind; each sized for its share of the design heat (W)."""

    def __init__(self, design: MoverDesign, design_heat_w: Floats) -> None:
        self.design = design
        self.design_heat_w = np.maximum(design_heat_w, 1.0)
        self.full_flow = self.design_heat_w / (design.carries_w * design.rise_k)
        count = self.design_heat_w.size
        self.heat_w, self.speed = np.zeros(count), np.full(count, design.slowest)
        self.power_w = fan_law_w(design.power_ratio * self.design_heat_w, self.speed)

    def step(self, heat_w: Floats) -> None:
        """Follow the heat: flow in proportion to it, power with the cube of the speed."""
        self.heat_w = heat_w
        np.clip(self.load_ratio, self.design.slowest, 1.0, out=self.speed)
        self.power_w = fan_law_w(self.design.power_ratio * self.design_heat_w, self.speed)

    @property
    def load_ratio(self) -> Floats:
        """Heat over what each is sized for."""
        load: Floats = self.heat_w / self.design_heat_w
        return load

    @property
    def flow(self) -> Floats:
        """Flow now, in the fluid's unit: L/min of liquid, L/s of air."""
        flow: Floats = self.full_flow * self.speed
        return flow

    @property
    def rise_k(self) -> Floats:
        """Temperature rise of the fluid now."""
        rise: Floats = self.heat_w / (self.design.carries_w * self.flow)
        return rise
