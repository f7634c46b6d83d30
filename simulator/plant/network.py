"""Power flow: from what each part consumes up to what the utility delivers, losses on the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facility.errors import ConfigError
from facility.roles import DeviceRole
from simulator.plant.arrays import Flags, Floats, Indices, total_by
from simulator.plant.losses import CABLE_LOSS, LOSSLESS, OTHER_CABLE_LOSS, RATINGS
from simulator.plant.topology import Part

STANDBY_SOURCES = (DeviceRole.GENERATOR, DeviceRole.GENERATOR_METER)
UNEVEN_SPLIT = 0.02
"""Spread of the shares in which a part draws from its several supplies (A and B)."""


@dataclass(frozen=True, slots=True)
class _Level:
    """Parts of one height above the loads, and the flows that arrive at them from below."""

    parts: slice
    child: Indices
    parent: Indices
    share: Floats


class PowerNetwork:
    """The power path as arrays over parts, ordered so that a part comes after all it feeds.

    `load` is what leaves a part downstream plus what it consumes itself, `input` adds the losses
    inside it, `drawn` adds the cable that feeds it; all in W. A meter shows `load`.
    """

    def __init__(self, parts: tuple[Part, ...], rng: np.random.Generator) -> None:
        heights = _heights(parts)
        order = sorted(range(len(parts)), key=heights.__getitem__)
        self.parts = tuple(parts[i] for i in order)
        self.index = {part.id: i for i, part in enumerate(self.parts)}
        self.child, self.parent, self.share = self._edges(rng)
        self._levels = self._by_level(np.array([heights[i] for i in order]))
        count = len(parts)
        self.load, self.input, self.drawn = np.zeros(count), np.zeros(count), np.zeros(count)
        self.no_load, self.proportional = np.zeros(count), np.zeros(count)
        self.square, self.cable = np.zeros(count), np.zeros(count)
        self.design = np.zeros(count)
        self.rated = np.zeros(count)
        self.roots = np.setdiff1d(np.arange(count), self.child)

    def of_role(self, *roles: DeviceRole) -> Indices:
        """Rows of the parts of these roles."""
        return np.array([i for i, p in enumerate(self.parts) if p.role in roles], dtype=np.intp)

    def rate(self, own: Floats) -> None:
        """Size every part for the largest planned loads `own` (W), and set its losses by that."""
        self.solve(own)
        self.design = np.maximum(self.load, 1.0)
        ratings = [RATINGS.get(part.role, LOSSLESS) for part in self.parts]
        self.rated = self.design * np.array([rating.margin for rating in ratings])
        self.no_load = np.array([r.curve.no_load for r in ratings]) * self.rated
        self.proportional = np.array([r.curve.proportional for r in ratings])
        self.square = np.array([r.curve.square for r in ratings]) / self.rated
        cable = [CABLE_LOSS.get(part.role, OTHER_CABLE_LOSS) for part in self.parts]
        self.cable = np.array(cable) / self.design
        self.cable[self.roots] = 0.0

    def solve(self, own: Floats) -> None:
        """Set `load`, `input` and `drawn` for the parts' own consumption (W)."""
        for level in self._levels:
            at = level.parts
            load = own[at].copy()
            if level.child.size:
                flow = level.share * self.drawn[level.child]
                load += total_by(level.parent, flow, load.size)
            inside = self.no_load[at] + (self.proportional[at] + self.square[at] * load) * load
            self.load[at] = load
            self.input[at] = load + inside
            self.drawn[at] = self.input[at] * (1.0 + self.cable[at] * self.input[at])

    def fed_through(self, points: Flags) -> Floats:
        """Share of each part's supply that passes one of `points`; 1 for the points themselves."""
        through = points.astype(np.float64)
        for child, parent, share in zip(
            self.child[::-1], self.parent[::-1], self.share[::-1], strict=True
        ):
            if not points[child]:
                through[child] += share * through[parent]
        return through

    def upstream(self, of_parts: Floats) -> Floats:
        """Mean of a column over each part's supplies, weighted by what it draws from them."""
        flows = self.share * of_parts[self.parent]
        return total_by(self.child, flows, len(self.parts))

    def _edges(self, rng: np.random.Generator) -> tuple[Indices, Indices, Floats]:
        child, parent, share = [], [], []
        for i, part in enumerate(self.parts):
            sources = [self.index[source] for source in part.fed_by]
            usual = [s for s in sources if self.parts[s].role not in STANDBY_SOURCES] or sources
            if not usual:
                continue
            weights = 1.0 + UNEVEN_SPLIT * rng.uniform(-1.0, 1.0, len(usual))
            child += [i] * len(usual)
            parent += usual
            share += list(weights / weights.sum())
        return np.array(child, np.intp), np.array(parent, np.intp), np.array(share, np.float64)

    def _by_level(self, heights: npt.NDArray[np.int_]) -> list[_Level]:
        levels = []
        for height in range(int(heights.max(initial=-1)) + 1):
            first, last = np.searchsorted(heights, [height, height + 1])
            edges = np.flatnonzero((self.parent >= first) & (self.parent < last))
            levels.append(
                _Level(
                    slice(int(first), int(last)),
                    self.child[edges],
                    self.parent[edges] - first,
                    self.share[edges],
                )
            )
        return levels


def _heights(parts: tuple[Part, ...]) -> list[int]:
    """Return the longest way down from each part to a load.

    Raises:
        ConfigError: a part feeds itself, over others, or is fed by something that is not there.
    """
    index = {part.id: i for i, part in enumerate(parts)}
    for part in parts:
        for source in part.fed_by:
            if source not in index:
                raise ConfigError(
                    f"{part.id} is fed by {source}, which is no part of the power path"
                )
    sources = [[index[source] for source in part.fed_by] for part in parts]
    waiting = [0] * len(parts)
    for of_part in sources:
        for row in of_part:
            waiting[row] += 1
    heights = [0] * len(parts)
    ready = [i for i, count in enumerate(waiting) if count == 0]
    done = 0
    while ready:
        part_row = ready.pop()
        done += 1
        for row in sources[part_row]:
            heights[row] = max(heights[row], heights[part_row] + 1)
            waiting[row] -= 1
            if waiting[row] == 0:
                ready.append(row)
    if done < len(parts):
        stuck = next(part.id for part, count in zip(parts, waiting, strict=True) if count)
        raise ConfigError(f"the power path has a loop through {stuck}; a part cannot feed itself")
    return heights
