"""Which racks give their heat to which CDU or air handler: the nearest that stand by them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from facility.site import Place
from simulator.plant.arrays import Floats, total_by


class Served:
    """Racks and the units that cool them: those of the same rack, else row, else hall, else all.

    A rack's heat is shared evenly by its units.
    """

    def __init__(self, racks: Sequence[Place], units: Sequence[Place]) -> None:
        standing: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for unit, place in enumerate(units):
            for key in {(), *_keys(place)}:
                standing[key].append(unit)
        groups: dict[tuple[str, ...], int] = {}
        self._group = np.array(
            [groups.setdefault(_nearest(place, standing), len(groups)) for place in racks], np.intp
        )
        pairs = [(group, unit) for key, group in groups.items() for unit in standing[key]]
        self._pair_group = np.array([group for group, _ in pairs], np.intp)
        self._pair_unit = np.array([unit for _, unit in pairs], np.intp)
        self._sizes = np.bincount(self._pair_group, minlength=len(groups)).astype(np.float64)
        self._units = len(units)

    def heat(self, of_racks: Floats) -> Floats:
        """Heat that arrives at each unit (W), from that of each rack."""
        of_group = total_by(self._group, of_racks, self._sizes.size)
        arriving = (of_group / self._sizes)[self._pair_group]
        return total_by(self._pair_unit, arriving, self._units)

    def mean(self, of_units: Floats) -> Floats:
        """Mean over the units of each rack, such as the temperature of what they supply."""
        total = total_by(self._pair_group, of_units[self._pair_unit], self._sizes.size)
        return (total / self._sizes)[self._group]


def _keys(place: Place) -> list[tuple[str, ...]]:
    path = [place.hall, place.row, place.rack]
    return [tuple(path[:n]) for n in (3, 2, 1) if path[n - 1]]


def _nearest(place: Place, standing: dict[tuple[str, ...], list[int]]) -> tuple[str, ...]:
    return next((key for key in _keys(place) if key in standing), ())
