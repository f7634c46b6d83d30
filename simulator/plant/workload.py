"""What the racks are asked to do: training in groups, inference by the hour, ordinary servers."""

from __future__ import annotations

import math

import numpy as np

from simulator.plant.arrays import Indices
from simulator.plant.jobs import SIGNALS, TrainingJobs
from simulator.plant.noise import Drift

INFERENCE_SHARE = 0.25
GROUP_SIZES = (2, 4, 8, 16, 32, 64)
"""Racks in one training job."""

PEAK_HOUR = 21.0
INFERENCE_LOW = np.array([0.30, 0.06, 0.22, 0.10])
INFERENCE_HIGH = np.array([0.88, 0.38, 0.78, 0.30])
"""Activity at no and at full demand."""


def demand(local_hour: float) -> float:
    """Users' demand over the day, 0.25 at its lowest to 0.95 at the peak hour."""
    return 0.60 + 0.35 * math.cos(2 * math.pi * (local_hour - PEAK_HOUR) / 24)


class Workload:
    """The activity of `accelerated` racks (those with GPUs) and the use of `ordinary` ones."""

    def __init__(
        self, accelerated: int, ordinary: int, moment: float, rng: np.random.Generator
    ) -> None:
        self._inference = round(INFERENCE_SHARE * accelerated)
        sizes = _group_sizes(accelerated - self._inference, rng)
        self._group = np.repeat(np.arange(len(sizes)), sizes)
        self._jobs = TrainingJobs(len(sizes), moment, rng)
        self._requests = Drift(self._inference, 0.05, 90.0, rng)
        self._servers = Drift(ordinary, 0.06, 300.0, rng)
        self.activity = np.zeros((len(SIGNALS), accelerated))
        """Rows are SIGNALS, columns the accelerated racks: training groups first."""
        self.servers = np.zeros(ordinary)
        """Use of the ordinary racks, 0..1."""

    def step(self, moment: float, step_s: float, local_hour: float) -> None:
        """Set the mean activity in [moment, moment + step_s]."""
        training = self._group.size
        self.activity[:, :training] = self._jobs.activity(moment, step_s)[:, self._group]
        asked = np.clip(demand(local_hour) + self._requests.step(step_s), 0.0, 1.0)
        low, high = INFERENCE_LOW[:, None], INFERENCE_HIGH[:, None]
        self.activity[:, training:] = low + (high - low) * asked
        use = 0.2 + 0.6 * demand(local_hour) + self._servers.step(step_s)
        np.clip(use, 0.0, 1.0, out=self.servers)

    @property
    def first_inference(self) -> int:
        """The first column of `activity` that serves requests; those before train."""
        return self._group.size

    @property
    def training_groups(self) -> tuple[Indices, ...]:
        """Columns of `activity` that belong to each training job."""
        return tuple(
            np.flatnonzero(self._group == g) for g in range(self._group.max(initial=-1) + 1)
        )


def _group_sizes(racks: int, rng: np.random.Generator) -> list[int]:
    sizes: list[int] = []
    while (left := racks - sum(sizes)) > 0:
        fitting = [size for size in GROUP_SIZES if size <= left] or [left]
        sizes.append(int(rng.choice(fitting[-3:])))
    return sizes
