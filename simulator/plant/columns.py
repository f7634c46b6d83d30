"""Columns that devices are read from: gauges once a step, registers exact at any moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from simulator.plant.arrays import Floats, Indices
from simulator.plant.clock import StepClock


class Column(Protocol):
    """One quantity of many devices."""

    def at(self, row: int) -> float:
        """Value of a row now."""

    def of(self, rows: Indices) -> Floats:
        """Values of many rows now."""


class Gauge:
    """A column computed when it is first asked for in a step."""

    __slots__ = ("_clock", "_column", "_compute", "_step")

    def __init__(self, clock: StepClock, compute: Callable[[], Floats]) -> None:
        self._clock, self._compute = clock, compute
        self._step = -1
        self._column: Floats

    def at(self, row: int) -> float:
        """Value of a row in the current step."""
        return self._current().item(row)

    def of(self, rows: Indices) -> Floats:
        """Values of many rows in the current step."""
        return self._current().take(rows)

    def _current(self) -> Floats:
        if self._step != self._clock.step:
            self._column, self._step = self._compute(), self._clock.step
        return self._column


class Register:
    """A column of counters: what had been counted when the step began, and the rate since (1/h)."""

    __slots__ = ("_clock", "_rate", "_total")

    def __init__(
        self, clock: StepClock, total: Callable[[], Floats], rate: Callable[[], Floats]
    ) -> None:
        self._clock = clock
        self._total, self._rate = Gauge(clock, total), Gauge(clock, rate)

    def at(self, row: int) -> float:
        """Value of a row at this very moment."""
        return self._total.at(row) + self._rate.at(row) * self._clock.elapsed_h

    def of(self, rows: Indices) -> Floats:
        """Values of many rows at this very moment."""
        grown: Floats = self._total.of(rows) + self._rate.of(rows) * self._clock.elapsed_h
        return grown


class Constant:
    """A column that never changes."""

    __slots__ = ("_column",)

    def __init__(self, column: Floats) -> None:
        self._column = column

    def at(self, row: int) -> float:
        """Value of a row."""
        return self._column.item(row)

    def of(self, rows: Indices) -> Floats:
        """Values of many rows."""
        return self._column.take(rows)
