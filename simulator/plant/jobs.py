"""Training jobs: groups of racks that compute and communicate in step, checkpoint, start, stop."""

from __future__ import annotations

import numpy as np

from simulator.plant.arrays import Floats

SIGNALS = ("sm", "tensor", "dram", "nvlink")
"""What a rack's GPUs are busy with, each a share of time from 0 to 1: rows of an activity array."""

COMMUNICATING = np.array([0.30, 0.02, 0.18, 0.85])
CHECKPOINTING = np.array([0.04, 0.00, 0.10, 0.02])
COMPUTING_LOW = np.array([0.86, 0.42, 0.38, 0.25])
COMPUTING_HIGH = np.array([0.98, 0.72, 0.66, 0.45])

JOB_S = (1_800.0, 172_800.0)
PAUSE_S = (60.0, 900.0)
ITERATION_S = (2.0, 9.0)
COMPUTE_SHARE = (0.62, 0.86)
CHECKPOINT_EVERY_S = (45.0, 1_800.0)
CHECKPOINT_S = (6.0, 18.0)


def pulse_share(start: Floats, length: Floats, duty: Floats) -> Floats:
    """Share of [start, start + length] in which a square wave of period 1 is high.

    The wave is high in the first `duty` of each period. `start` and `length` are in periods.
    """
    return (_high_before(start + length, duty) - _high_before(start, duty)) / length


def _high_before(moment: Floats, duty: Floats) -> Floats:
    whole = np.floor(moment)
    return whole * duty + np.minimum(moment - whole, duty)


class TrainingJobs:
    """One job after another on each of `groups` groups of racks.

    Every group draws its jobs from a generator of its own, so the schedule depends on the seed
    alone, and not on the size of the steps in which it is asked.
    """

    def __init__(self, groups: int, moment: float, rng: np.random.Generator) -> None:
        self._rngs = rng.spawn(groups)
        self._running = np.zeros(groups)
        self._since, self._until = np.full(groups, moment), np.full(groups, moment)
        self._iteration_s, self._compute_share = np.ones(groups), np.ones(groups)
        self._checkpoint_every_s, self._checkpoint_share = np.ones(groups), np.ones(groups)
        self._computing = np.zeros((len(SIGNALS), groups))
        for group in range(groups):
            self._start_job(group)
            self._since[group] -= self._rngs[group].uniform(0, 3_600)

    def activity(self, moment: float, step_s: float) -> Floats:
        """Mean activity in [moment, moment + step_s]; shape (signals, groups)."""
        for group in np.flatnonzero(self._until <= moment).tolist():
            while self._until[group] <= moment:
                self._next(group)
        elapsed = moment - self._since
        saving = pulse_share(
            elapsed / self._checkpoint_every_s + self._checkpoint_share,
            step_s / self._checkpoint_every_s,
            self._checkpoint_share,
        )
        computing = pulse_share(
            elapsed / self._iteration_s, step_s / self._iteration_s, self._compute_share
        )
        busy = self._running * (1 - saving)
        activity: Floats = (
            busy * computing * self._computing
            + busy * (1 - computing) * COMMUNICATING[:, None]
            + self._running * saving * CHECKPOINTING[:, None]
        )
        return activity

    def _next(self, group: int) -> None:
        if not self._running[group]:
            self._start_job(group)
            return
        self._running[group] = 0.0
        self._since[group] = self._until[group]
        self._until[group] += self._rngs[group].uniform(*PAUSE_S)

    def _start_job(self, group: int) -> None:
        rng = self._rngs[group]
        self._running[group] = 1.0
        self._since[group] = self._until[group]
        self._until[group] += _log_uniform(rng, JOB_S)
        self._iteration_s[group] = _log_uniform(rng, ITERATION_S)
        self._compute_share[group] = rng.uniform(*COMPUTE_SHARE)
        self._checkpoint_every_s[group] = _log_uniform(rng, CHECKPOINT_EVERY_S)
        self._checkpoint_share[group] = rng.uniform(*CHECKPOINT_S) / self._checkpoint_every_s[group]
        self._computing[:, group] = rng.uniform(COMPUTING_LOW, COMPUTING_HIGH)


def _log_uniform(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    low, high = bounds
    return float(low * (high / low) ** rng.random())
