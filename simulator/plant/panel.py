"""Many points read at once: what a device reads one by one, as columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from simulator.plant.arrays import Floats, Indices
from simulator.plant.banks import Cell
from simulator.plant.columns import Column


class Panel:
    """Points in a fixed order; None stands for one that the plant has not."""

    def __init__(self, cells: Sequence[Cell | None]) -> None:
        self._count = len(cells)
        places: dict[Column, list[tuple[int, int]]] = defaultdict(list)
        for place, cell in enumerate(cells):
            if cell is not None:
                places[cell[0]].append((place, cell[1]))
        self._columns: list[tuple[Column, Indices, Indices]] = []
        for column, found in places.items():
            at, rows = np.array(found, np.intp).T
            self._columns.append((column, at, rows))

    def read(self) -> Floats:
        """Values now, NaN where there is no such point."""
        values = np.full(self._count, np.nan)
        for column, at, rows in self._columns:
            values[at] = column.of(rows)
        return values
