"""The rows of a device as it stands now, and how their numbers become values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from collectors.dcgm.fields import Key, Series
from collectors.profile import DcgmPoint
from facility.point import PointTable

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

BLANKS = ((0x7FFFFFF0, 0x7FFFFFFF), (2**63 - 16, np.inf), (2.0**47, 2.0**47 + 15))
"""What DCGM writes for "no value" (dcgm_structs.h): int32, int64 and double, plus the reason.

As a double, every int64 blank is 2**63; some exporters have printed one as a temperature.
"""


class Layout:
    """A PointTable, and beside each row what turns its printed number into a value.

    Rows stand sorted by component, then as in the profile.
    """

    def __init__(self, device: str, points: Sequence[DcgmPoint], series: Mapping[Key, str]) -> None:
        keys = sorted(series)
        self.rows = {key: row for row, key in enumerate(keys)}
        self.points = [points[key.point] for key in keys]
        self.table = PointTable(
            device,
            tuple(key.component for key in keys),
            tuple(point.quantity for point in self.points),
            tuple(series[key] for key in keys),
        )
        self._multiplier, self._divisor = _exact([point.scale for point in self.points])
        self._offset = np.array([point.offset for point in self.points], np.float64)
        self._negative_is_missing = np.array(
            [point.negative_means_missing for point in self.points], np.bool_
        )
        self._sentinels = _sentinels(self.points)

    def rows_of(self, series: Iterable[Series | None]) -> Rows:
        """The row of each series; -1 for none."""
        return np.array([-1 if s is None else self.rows.get(s.key, -1) for s in series], np.intp)

    def unavailable(self, raw: Floats) -> Mask:
        """Rows whose number means that there is no value."""
        found: Mask = (raw[:, np.newaxis] == self._sentinels).any(axis=1)
        for low, high in BLANKS:
            found |= (raw >= low) & (raw <= high)
        return found | (self._negative_is_missing & (raw < 0))

    def convert(self, raw: Floats) -> Floats:
        """Values in the quantities' units; NaN stays NaN."""
        return raw * self._multiplier / self._divisor + self._offset


def _exact(scales: Sequence[float]) -> tuple[Floats, Floats]:
    """Scales as multipliers and divisors: 0.01 divides by 100, so that 29 % is 0.29 exactly."""
    scale = np.array(scales, np.float64)
    whole = np.round(1 / scale)
    divides = (np.abs(scale) < 1) & np.isclose(whole * scale, 1.0, rtol=1e-9, atol=0)
    return np.where(divides, 1.0, scale), np.where(divides, whole, 1.0)


def _sentinels(points: Sequence[DcgmPoint]) -> Floats:
    """Rows by sentinels, NaN where a row has fewer."""
    width = max((len(point.sentinels) for point in points), default=0)
    sentinels = np.full((len(points), width), np.nan)
    for row, point in enumerate(points):
        sentinels[row, : len(point.sentinels)] = point.sentinels
    return sentinels
