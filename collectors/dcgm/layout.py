"""The rows of a device as it stands now, and how their numbers become values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from collectors.conversion import Floats, Mask, NoValue, beyond_numbers, exact_scales
from collectors.dcgm.fields import Key, Series
from collectors.profile import DcgmPoint
from facility.point import PointTable

Rows = npt.NDArray[np.intp]

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
        self._multiplier, self._divisor = exact_scales(self.points)
        self._offset = np.array([point.offset for point in self.points], np.float64)
        self._no_value = NoValue(self.points)

    def rows_of(self, series: Iterable[Series | None]) -> Rows:
        """The row of each series; -1 for none."""
        return np.array([-1 if s is None else self.rows.get(s.key, -1) for s in series], np.intp)

    def unavailable(self, raw: Floats) -> Mask:
        """Rows whose number means that there is no value."""
        found = self._no_value.among(raw)
        for low, high in BLANKS:
            found |= (raw >= low) & (raw <= high)
        return found

    @beyond_numbers
    def convert(self, raw: Floats) -> Floats:
        """Values in the quantities' units; NaN stays NaN."""
        return raw * self._multiplier / self._divisor + self._offset
