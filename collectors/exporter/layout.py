"""The rows of a device as it stands now, and how their numbers become values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from collectors.conversion import Floats, Mask, NoValue, beyond_numbers, exact_scales
from collectors.exporter.series import Key, Series
from collectors.profile import Point
from facility.point import PointTable

Rows = npt.NDArray[np.intp]

Blanks = Sequence[tuple[float, float]]
"""From, to: numbers that are none."""


class Layout:
    """A PointTable, and beside each row what turns its printed number into a value.

    Rows stand sorted by component, then as in the profile.
    """

    def __init__(
        self, device: str, points: Sequence[Point], series: Mapping[Key, str], blanks: Blanks
    ) -> None:
        keys = sorted(series)
        self.rows = {key: row for row, key in enumerate(keys)}
        self.points = [points[key.point] for key in keys]
        self.table = PointTable(
            device,
            tuple(key.component for key in keys),
            tuple(point.quantity for point in self.points),
            tuple(series[key] for key in keys),
        )
        self._multiplier, self._divisor = exact_scales(self.points)
        self._offset = np.array([point.offset for point in self.points], np.float64)
        self._no_value, self._blanks = NoValue(self.points), blanks

    def rows_of(self, series: Iterable[Series | None]) -> Rows:
        """The row of each series; -1 for none."""
        return np.array([-1 if s is None else self.rows.get(s.key, -1) for s in series], np.intp)

    def unavailable(self, raw: Floats) -> Mask:
        """Rows whose number means that there is no value."""
        found = self._no_value.among(raw)
        for low, high in self._blanks:
            found |= (raw >= low) & (raw <= high)
        return found

    @beyond_numbers
    def convert(self, raw: Floats) -> Floats:
        """Values in the quantities' units; NaN stays NaN."""
        return raw * self._multiplier / self._divisor + self._offset
