"""What a watch's value is, and what that says: pure functions over columns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from alerts.machine import Verdict
from alerts.watch import Flags, Floats, Integers, Measure


def judge(
    value: Floats, fire: Floats, clear: Floats, below: Flags, uncertain: Flags
) -> npt.NDArray[np.uint8]:
    """Say what each value means; where it or a threshold is NaN, nothing.

    An uncertain value may fire, and never clears.
    """
    sign = np.where(below, -1.0, 1.0)
    height = value * sign
    with np.errstate(invalid="ignore"):
        breach = height > fire * sign
        cleared = (height <= clear * sign) & ~uncertain & ~breach
        known = ~np.isnan(value) & ~np.isnan(fire) & ~np.isnan(clear)
    verdict = np.select(
        [~known, breach, cleared], [Verdict.UNKNOWN, Verdict.BREACH, Verdict.CLEAR], Verdict.BETWEEN
    )
    return verdict.astype(np.uint8)


def combine(values: Floats, starts: Integers, measure: npt.NDArray[np.uint8]) -> Floats:
    """Bring the inputs of each watch to one value.

    `values` holds the inputs of all watches, one after another, at least one each; those of watch i
    begin at `starts[i]`.

    Imbalance: MAX_MIN is (largest - smallest) / mean; NEMA is the largest deviation from the mean
    over the mean, NEMA MG 1-2016, 14.36.2. Inputs that are all equal are in balance, even at 0.
    """
    counts = np.diff(starts, append=len(values))
    total = np.add.reduceat(values, starts)
    mean = total / counts
    largest, smallest = np.maximum.reduceat(values, starts), np.minimum.reduceat(values, starts)
    spread = np.where(
        measure == Measure.NEMA,
        np.maximum(largest - mean, mean - smallest),
        largest - smallest,
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        imbalance = np.where(spread == 0, 0.0, np.where(mean > 0, spread / mean, np.nan))
    return np.where(measure == Measure.SUM, total, imbalance)
