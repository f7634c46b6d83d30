"""Racks: what goes in at the plug, from GPUs, CPUs, switches and fans, or from ordinary servers."""

from __future__ import annotations

import numpy as np

from simulator.plant.arrays import Floats
from simulator.plant.cooling import RackHeat
from simulator.plant.gpus import BOARD_LIMIT_W, GPUS_PER_NODE, Gpus
from simulator.plant.losses import POWER_SHELF, SERVER_SUPPLY, Rating
from simulator.plant.rack_listing import Rack

CPUS_PER_NODE = 2
CPU_IDLE_W, CPU_BUSY_W = 95.0, 240.0
SWITCH_IDLE_W, SWITCH_BUSY_W = 520.0, 760.0
"""A node's share of its rack's NVLink switches (9 trays to 18 nodes)."""
NODE_REST_W = 620.0
"""Network adapters, drives, management, and the board's conversion losses."""
FAN_IDLE_W, FAN_BUSY_W = 60.0, 190.0
LIQUID_SHARE = 0.87
"""Share of an accelerated rack's heat that leaves by liquid."""

ORDINARY_RACK_W = 21_000.0
ORDINARY_IDLE_SHARE = 0.38

NODE_FULL_W = (
    GPUS_PER_NODE * BOARD_LIMIT_W
    + CPUS_PER_NODE * CPU_BUSY_W
    + SWITCH_BUSY_W
    + NODE_REST_W
    + FAN_BUSY_W
)


class Racks:
    """All racks' loads, in the order of the topology; DC behind their supplies, AC before them."""

    def __init__(self, racks: tuple[Rack, ...], rng: np.random.Generator) -> None:
        nodes = np.array([len(rack.nodes) for rack in racks], np.intp)
        self.accelerated = np.flatnonzero(nodes)
        self.ordinary = np.flatnonzero(nodes == 0)
        self.nodes = nodes[self.accelerated].astype(np.float64)
        self.gpus = Gpus(nodes[self.accelerated], rng)
        full = np.full(nodes.size, ORDINARY_RACK_W)
        full[self.accelerated] = NODE_FULL_W * self.nodes
        self._no_load, self._proportional, self._square = _supplies(full, nodes > 0)
        self._liquid_share = np.where(nodes > 0, LIQUID_SHARE, 0.0)
        self.full_w = self._at_the_plug(full)
        self.dc_w, self.ac_w = np.zeros(nodes.size), np.zeros(nodes.size)
        self.cpu_w = np.zeros(self.nodes.size)
        """One CPU of each accelerated rack."""

    def step(self, activity: Floats, servers_use: Floats, coolant_c: Floats, step_s: float) -> None:
        """Set the powers of the coming step; `coolant_c` is what each accelerated rack gets."""
        self.gpus.step(activity, coolant_c, step_s)
        sm, _, dram, nvlink = activity
        self.cpu_w = CPU_IDLE_W + (CPU_BUSY_W - CPU_IDLE_W) * (0.4 * sm + 0.6 * dram)
        node = (
            CPUS_PER_NODE * self.cpu_w
            + SWITCH_IDLE_W
            + (SWITCH_BUSY_W - SWITCH_IDLE_W) * nvlink
            + NODE_REST_W
            + FAN_IDLE_W
            + (FAN_BUSY_W - FAN_IDLE_W) * sm
        )
        self.dc_w[self.accelerated] = self.gpus.by_rack(self.gpus.power_w) + node * self.nodes
        share = ORDINARY_IDLE_SHARE + (1 - ORDINARY_IDLE_SHARE) * servers_use
        self.dc_w[self.ordinary] = ORDINARY_RACK_W * share
        self.ac_w = self._at_the_plug(self.dc_w)

    def heat(self, ac_w: Floats) -> RackHeat:
        """Split the racks' power, all of it heat, into liquid and air."""
        liquid = self._liquid_share * ac_w
        return RackHeat(liquid, ac_w - liquid)

    def _at_the_plug(self, dc_w: Floats) -> Floats:
        return dc_w + self._no_load + (self._proportional + self._square * dc_w) * dc_w


def _supplies(full_w: Floats, accelerated: np.ndarray) -> tuple[Floats, Floats, Floats]:
    def column(of_shelf: float, of_server: float) -> Floats:
        return np.where(accelerated, of_shelf, of_server)

    def both(rating: Rating) -> tuple[float, float, float, float]:
        return rating.margin, rating.curve.no_load, rating.curve.proportional, rating.curve.square

    shelf, server = both(POWER_SHELF), both(SERVER_SUPPLY)
    margin, no_load, proportional, square = (
        column(a, b) for a, b in zip(shelf, server, strict=True)
    )
    rated = full_w * margin
    return no_load * rated, proportional, square / rated
