"""The plant's memory of its truth: exact cumulative energies at any moment it remembers."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from simulator.plant.arrays import Floats
from simulator.plant.clock import StepClock
from simulator.truth import Truth

TRUTHS = tuple(field.name for field in fields(Truth))


class TruthHistory:
    """The truths of the last `steps` steps, in a ring."""

    def __init__(self, clock: StepClock, steps: int) -> None:
        self._clock = clock
        self._energy_wh = np.zeros((steps, len(TRUTHS)))
        self._power_w = np.zeros((steps, len(TRUTHS)))

    def begin_step(self, power_w: Floats) -> None:
        """Book the step just ended and note the powers of the current one, ordered as TRUTHS."""
        size, step = len(self._power_w), self._clock.step
        if step:
            before = (step - 1) % size
            self._energy_wh[step % size] = (
                self._energy_wh[before] + self._power_w[before] * self._clock.step_s / 3600
            )
        self._power_w[step % size] = power_w

    def at(self, moment: float) -> Truth:
        """Return the truth at a Unix time.

        Raises:
            ValueError: the moment has not come yet, or is forgotten.
        """
        clock, size = self._clock, len(self._power_w)
        if moment > clock.now:
            raise ValueError(f"{moment} lies after the plant's present, {clock.now}")
        step = min(clock.step_of(moment), clock.step)
        if step < max(0, clock.step - size + 1):
            first = clock.start_at + max(0, clock.step - size + 1) * clock.step_s
            raise ValueError(f"{moment} lies before {first}, the first moment remembered")
        elapsed_h = (moment - clock.start_at - step * clock.step_s) / 3600
        row = self._energy_wh[step % size] + self._power_w[step % size] * elapsed_h
        return Truth(*row.tolist())
