"""Which counter readings cannot follow from the reading before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from collectors.profile import Point

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]

SLACK = 1.2
"""Room above the maximum rate for a poll that came late or a meter that lags (metrics 1.6)."""


class CounterSteps:
    """Judges a device's counters by their steps.

    A counter may grow by at most its maximum rate, roll over at its modulus, or reset where the
    profile allows that. A step that is none of these makes the reading suspect, and the last good
    one is kept to compare with: a spike of one reading harms nothing after it. A suspect reading
    is believed once the next one continues it, as after a meter swap.
    """

    def __init__(
        self,
        points: Sequence[Point],
        unit_per_count: Floats,
        interval_s: float,
        max_rates: Sequence[float] | Floats | None,
    ) -> None:
        rows = [row for row, point in enumerate(points) if point.counter is not None]
        facts = [point.counter for point in points if point.counter is not None]
        self._rows = np.array(rows, np.intp)
        self._modulus_counts = np.array([f.modulus or np.inf for f in facts], np.float64)
        self._resolution_counts = np.array([f.resolution for f in facts], np.float64)
        self._max_rate_counts = np.array([f.max_rate or np.inf for f in facts], np.float64)
        self._may_reset = np.array([f.resets != "never" for f in facts], np.bool_)
        limits = [np.nan] * len(points) if max_rates is None else max_rates
        self._limit = np.asarray(limits, np.float64)[self._rows]
        self._interval_s = interval_s
        self.rescale(unit_per_count)
        self._believed = _Samples(len(rows))
        self._suspect = _Samples(len(rows))

    def rescale(self, unit_per_count: Floats) -> None:
        """State the facts in units anew: a count of a row is worth so much from now on."""
        scale = np.abs(unit_per_count[self._rows])
        self._modulus = self._modulus_counts * scale
        # A wrap is the shorter way round; without a modulus nothing is short enough.
        self._longest_wrap = np.where(np.isinf(self._modulus), -1.0, self._modulus / 2)
        self._resolution = self._resolution_counts * scale
        self._back = -self._resolution
        rate = self._max_rate_counts * scale
        self._max_rate = np.where(np.isnan(self._limit), rate, self._limit)

    def impossible(self, values: Floats, usable: Mask, sampled_at_us: int) -> Rows:
        """Which rows of `values` are counters that did not step as a counter can.

        `usable` rows are present and in range; others are passed over and remembered as nothing.
        """
        if not len(self._rows):
            return self._rows
        now, there = values[self._rows], usable[self._rows]
        step, furthest = self._step(self._believed, now, sampled_at_us)
        fits = self._grew(step, furthest)
        fits &= now < self._modulus
        fits &= there
        if np.count_nonzero(fits) == len(fits):  # as nearly always
            self._believed.keep_all(now, sampled_at_us)
            self._suspect.value.fill(np.nan)
            return self._rows[:0]
        return self._judge_each(now, there, sampled_at_us)

    def _judge_each(self, now: Floats, there: Mask, sampled_at_us: int) -> Rows:
        beyond = there & (now >= self._modulus)
        there &= ~beyond
        believable = np.isnan(self._believed.value) | self._follows(
            self._believed, now, sampled_at_us
        )
        if not believable.all():
            believable |= self._follows(self._suspect, now, sampled_at_us)
        self._believed.keep(now, there & believable, sampled_at_us)
        self._suspect.value[there & believable] = np.nan
        self._suspect.keep(now, there & ~believable, sampled_at_us)
        return self._rows[np.flatnonzero(beyond | (there & ~believable))]

    def _follows(self, before: _Samples, now: Floats, sampled_at_us: int) -> Mask:
        """Whether `now` is a step a counter can make from `before`; False where that is nothing."""
        step, furthest = self._step(before, now, sampled_at_us)
        rolled = (step < 0) & (step + self._modulus <= np.minimum(furthest, self._longest_wrap))
        # From zero it can have come only so far; without a rate, less than half of what it was.
        restart = np.where(np.isinf(furthest), before.value / 2, furthest)
        reset = self._may_reset & (step < 0) & (now <= restart)
        return np.asarray(self._grew(step, furthest) | rolled | reset, np.bool_)

    def _step(self, before: _Samples, now: Floats, sampled_at_us: int) -> tuple[Floats, Floats]:
        """How far each counter went, and how far it can have gone."""
        elapsed_s = np.maximum((sampled_at_us - before.at_us) * 1e-6, self._interval_s)
        return now - before.value, self._max_rate * elapsed_s * SLACK + self._resolution

    def _grew(self, step: Floats, furthest: Floats) -> Mask:
        return np.asarray((step >= self._back) & (step <= furthest), np.bool_)


class _Samples:
    """The last value of each counter and when it was taken; NaN before the first."""

    def __init__(self, rows: int) -> None:
        self.value = np.full(rows, np.nan)
        self.at_us: np.int64 | npt.NDArray[np.int64] = np.int64(0)
        """One time where all were taken together."""

    def keep(self, values: Floats, where: Mask, at_us: int) -> None:
        self.value[where] = values[where]
        self.at_us = np.where(where, np.int64(at_us), self.at_us)

    def keep_all(self, values: Floats, at_us: int) -> None:
        self.value[:] = values
        self.at_us = np.int64(at_us)
