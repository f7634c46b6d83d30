"""The one place where a reading gets its quality: good, uncertain, stale, substituted or bad.

Pure and columnar: a driver makes one Judge per PointTable and asks it once per poll. What each
state means is said in `facility.quality`; this module says when it is given:

- bad: the driver marked the value missing, or it is not a finite number;
- substituted: the driver filled it in by a stated rule;
- stale: the driver knows that the sample is a repeat, or the whole device is frozen;
- uncertain: outside the range, or a counter that stepped as it cannot;
- good: everything else. The worst that applies is given.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from collectors.profile import Point
from collectors.quality_counters import CounterSteps
from collectors.quality_frozen import FrozenDevice
from facility.catalogue import load_catalogue
from facility.quality import Quality

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


class Judge:
    """Gives the rows of one device their quality, remembering what it needs of earlier polls.

    Args:
        points: the profile's point of each row, in row order.
        interval_s: seconds between scheduled polls.
        scales: unit per raw count by row, where the device itself states it (SNMP digits, SunSpec
            exponents); else the points' own `scale`.
        max_rates: fastest believable counter growth by row, in the quantity's unit per second,
            as the site's meters limit it; where NaN, the points' own `max_rate`.
    """

    def __init__(
        self,
        points: Sequence[Point],
        interval_s: float,
        *,
        scales: Sequence[float] | Floats | None = None,
        max_rates: Sequence[float] | Floats | None = None,
    ) -> None:
        self._low, self._high = _ranges(points)
        stated = [point.scale for point in points] if scales is None else scales
        self._unit_per_count = np.array(stated, np.float64)
        self._counters = CounterSteps(points, self._unit_per_count, interval_s, max_rates)
        self._frozen = FrozenDevice(len(points))

    def rescale(self, scales: Floats) -> None:
        """Take over what a raw count is worth by row, where a device states it with each reading.

        A NaN leaves what is known of that row.
        """
        scales = np.where(np.isnan(scales), self._unit_per_count, scales)
        if not np.array_equal(scales, self._unit_per_count):
            self._unit_per_count = scales
            self._counters.rescale(scales)

    def judge(
        self,
        values: Floats,
        missing: Mask | None,
        sampled_at_us: int,
        *,
        repeated: bool | Mask = False,
        substituted: Mask | None = None,
    ) -> npt.NDArray[np.uint8]:
        """Quality of one poll's values, as uint8 by row.

        `values` are in the quantities' units, rows without a value anything; they are set to NaN
        here, in place, as `Poll` asks. `repeated`: the source gave an earlier sample again, for all
        rows or for those of the mask. Polls are judged in the order they were read.
        """
        usable = values >= self._low
        usable &= values <= self._high
        if missing is not None:
            usable &= ~missing
        quality = np.zeros(len(values), np.uint8)
        bad = None
        if np.count_nonzero(usable) < len(values):
            quality[~usable] = Quality.UNCERTAIN
            bad = ~np.isfinite(values) if missing is None else missing | ~np.isfinite(values)
            values[bad] = np.nan
        quality[self._counters.impossible(values, usable, sampled_at_us)] = Quality.UNCERTAIN
        all_repeated = repeated if isinstance(repeated, bool) else bool(repeated.all())
        if self._frozen.seen(values, repeated=all_repeated) or all_repeated:
            quality[:] = Quality.STALE
        elif not isinstance(repeated, bool):
            quality[repeated] = Quality.STALE
        if substituted is not None:
            quality[substituted] = Quality.SUBSTITUTED
        if bad is not None:
            quality[bad] = Quality.BAD
        return quality


def _ranges(points: Sequence[Point]) -> tuple[Floats, Floats]:
    """The catalogue's range of each row, narrowed by the profile's `plausible`; always finite."""
    catalogue = load_catalogue()
    ranges = np.array([catalogue[point.quantity].range for point in points], np.float64)
    plausible = np.array([p.plausible or (-np.inf, np.inf) for p in points], np.float64)
    ranges, plausible = ranges.reshape(-1, 2), plausible.reshape(-1, 2)
    low = np.maximum(ranges[:, 0], plausible[:, 0])
    high = np.minimum(ranges[:, 1], plausible[:, 1])
    largest = np.finfo(np.float64).max
    return np.maximum(low, -largest), np.minimum(high, largest)
