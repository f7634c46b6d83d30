"""The plant's time: a grid of equal steps, and a moment within the current one."""

from __future__ import annotations

import math


class StepClock:
    """Unix time on a fixed grid: powers are constant within a step, energies linear."""

    def __init__(self, start_at: float, step_s: float) -> None:
        self.start_at, self.step_s = start_at, step_s
        self.step = 0
        """Index of the step that `now` is in."""
        self.now = start_at

    @property
    def step_at(self) -> float:
        """When the current step began."""
        return self.start_at + self.step * self.step_s

    @property
    def elapsed_h(self) -> float:
        """Hours since the current step began; never more than a step, whatever floats round to."""
        return min(max(self.now - self.step_at, 0.0), self.step_s) / 3600

    def step_of(self, moment: float) -> int:
        """Index of the step that a moment is in."""
        return math.floor((moment - self.start_at) / self.step_s)
