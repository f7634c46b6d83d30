"""What every driver does between a raw number and its value. Pure, a column at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from collectors.profile import Point

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

beyond_numbers = np.errstate(over="ignore", invalid="ignore")
"""Around arithmetic on what a device sent: its signalling NaNs and overflows warrant no warning."""


def exact_scales(points: Sequence[Point]) -> tuple[Floats, Floats]:
    """The points' scales as multipliers and divisors, so that a value is `raw * m / d + offset`.

    A scale of 1/n divides by n: 2301 tenths are 230.1 exactly, which times 0.1 they are not.
    """
    return exact_quotients(np.array([point.scale for point in points], np.float64))


def exact_quotients(scale: Floats) -> tuple[Floats, Floats]:
    """Factors as multipliers and divisors, one of each pair 1; NaN is left as multiplier."""
    inverse = np.round(1 / scale)
    divides = (np.abs(scale) < 1) & np.isclose(scale * inverse, 1, rtol=0, atol=1e-12)
    return np.where(divides, 1.0, scale), np.where(divides, inverse, 1.0)


class NoValue:
    """Raw numbers by which a device says that it has no value."""

    def __init__(self, points: Sequence[Point]) -> None:
        self._rows = np.flatnonzero([bool(point.sentinels) for point in points])
        width = max((len(point.sentinels) for point in points), default=0)
        self._sentinels = np.full((len(self._rows), width), np.nan)
        for line, row in enumerate(self._rows.tolist()):
            self._sentinels[line, : len(points[row].sentinels)] = points[row].sentinels
        self._not_negative = np.flatnonzero([point.negative_means_missing for point in points])

    def among(self, raw: Floats) -> Mask:
        """Rows whose number is a sentinel, or negative where that means one; NaN is neither."""
        missing = np.zeros(len(raw), np.bool_)
        if len(self._not_negative):
            missing[self._not_negative] = raw[self._not_negative] < 0
        if len(self._rows):
            missing[self._rows] |= (raw[self._rows, None] == self._sentinels).any(axis=1)
        return missing
