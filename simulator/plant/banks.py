"""Banks: the columns of like devices, found by component and quantity."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from simulator.plant.arrays import Floats
from simulator.plant.clock import StepClock
from simulator.plant.columns import Column, Constant, Gauge, Register

Cell = tuple[Column, int]
"""A column and a row of it: one value."""

_NUMBERED = re.compile(r"(.+)\.(\d+)")


class Readable(Protocol):
    """Something that devices can be read from."""

    def find(self, row: int, component: str, quantity: str) -> Cell | None:
        """Where the quantity of a component of the device in a row is; None if nowhere."""

    def components(self, row: int) -> tuple[str, ...]:
        """Components of the device in a row."""


class Bank:
    """Columns of `rows` like devices; numbered components take several cells of a row.

    The numbers of a component `phase` are declared as `parts={"phase": (1, 2, 3)}`; its columns
    hold device after device, three cells each.
    """

    def __init__(
        self, clock: StepClock, rows: int, parts: Mapping[str, Sequence[int]] | None = None
    ) -> None:
        self._clock, self._rows = clock, rows
        self._numbers = {
            kind: {number: place for place, number in enumerate(numbers)}
            for kind, numbers in (parts or {}).items()
        }
        self._columns: dict[tuple[str, str], Column] = {}

    def gauge(self, component: str, quantity: str, compute: Callable[[], Floats]) -> None:
        """Declare a gauge of a component, or of all numbered components of a kind."""
        self._columns[component, quantity] = Gauge(self._clock, compute)

    def shared(self, component: str, quantity: str, compute: Callable[[], float]) -> None:
        """Declare a gauge that is the same for all devices."""
        self.gauge(component, quantity, lambda: np.full(self._rows, compute()))

    def repeated(self, kind: str, quantity: str, compute: Callable[[], Floats]) -> None:
        """Declare a gauge that is the same for all numbered components of a device."""
        count = len(self._numbers[kind])
        self.gauge(kind, quantity, lambda: np.repeat(compute(), count))

    def register(
        self,
        component: str,
        quantity: str,
        total: Callable[[], Floats],
        hourly: Callable[[], Floats],
    ) -> None:
        """Declare a counter by its total at the step's begin and its growth per hour."""
        self._columns[component, quantity] = Register(self._clock, total, hourly)

    def constant(self, component: str, quantity: str, value: float | Floats) -> None:
        """Declare what never changes: one value for all, or each device's own."""
        cells = self._rows * len(self._numbers.get(component, (0,)))
        self._columns[component, quantity] = Constant(np.broadcast_to(value, cells))

    def find(self, row: int, component: str, quantity: str) -> Cell | None:
        """Where the quantity of a component of the device in a row is; None if nowhere."""
        if column := self._columns.get((component, quantity)):
            return None if component in self._numbers else (column, row)
        numbered = _NUMBERED.fullmatch(component)
        if numbered is None or numbered[1] not in self._numbers:
            return None
        places = self._numbers[numbered[1]]
        column = self._columns.get((numbered[1], quantity))
        place = places.get(int(numbered[2]))
        if column is None or place is None:
            return None
        return column, row * len(places) + place

    def components(self, row: int) -> tuple[str, ...]:  # noqa: ARG002 - all devices are alike
        """Components of the device in a row."""
        single = {component for component, _ in self._columns} - set(self._numbers)
        many = (f"{kind}.{n}" for kind, numbers in self._numbers.items() for n in numbers)
        return (*sorted(single), *many)


@dataclass(frozen=True, slots=True)
class Face:
    """How one device shows a bank: its row, and the component under which the bank appears."""

    bank: Readable
    row: int
    prefix: str = ""

    def find(self, component: str, quantity: str) -> Cell | None:
        """Where a value of the device is; None if this face has it not."""
        if self.prefix:
            if component != self.prefix and not component.startswith(f"{self.prefix}/"):
                return None
            component = component[len(self.prefix) + 1 :]
        return self.bank.find(self.row, component, quantity)

    def components(self) -> tuple[str, ...]:
        """Components under their names on the device."""
        names = self.bank.components(self.row)
        return tuple("/".join(filter(None, (self.prefix, name))) for name in names)


def find_cell(faces: Iterable[Face], component: str, quantity: str) -> Cell | None:
    """Where the first of a device's faces that has it shows a value; None if none has."""
    found = (face.find(component, quantity) for face in faces)
    return next((cell for cell in found if cell), None)
