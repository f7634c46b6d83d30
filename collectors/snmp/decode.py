"""From what an agent answered to values in the catalogue's units. Pure, a column at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from collectors.conversion import (
    Floats,
    Mask,
    NoValue,
    beyond_numbers,
    exact_quotients,
    exact_scales,
)
from collectors.profile import SnmpPoint
from collectors.snmp.session import Missing, Value


def read_numbers(answers: Sequence[Value | None]) -> tuple[Floats, dict[int, str]]:
    """Raw numbers by row, NaN where there is none, and why by row. None: not answered."""
    raw = np.array([a if type(a) is int else np.nan for a in answers], np.float64)
    reasons: dict[int, str] = {}
    for row in np.flatnonzero(np.isnan(raw)).tolist():
        number, reason = _read_other(answers[row])
        raw[row] = number
        if reason:
            reasons[row] = reason
    return raw, reasons


def _read_other(answer: Value | None) -> tuple[float, str]:
    """Anything but an integer; a text that is a number counts as that number."""
    if answer is None:
        return np.nan, "not answered"
    if isinstance(answer, Missing):
        return np.nan, answer.value
    if isinstance(answer, bytes):
        text = answer.decode("utf-8", "replace").strip("\0 ")
        try:
            return float(text), ""
        except ValueError:
            return np.nan, f"expected a number, found text {text[:40]!r}"
    return np.nan, "expected a number, found an OBJECT IDENTIFIER"


@dataclass(frozen=True, slots=True)
class Conversion:
    """How each row's raw number becomes its value: `raw * multiplier / divisor + offset`."""

    multiplier: Floats
    divisor: Floats
    offset: Floats
    fahrenheit: Mask
    no_value: NoValue

    @classmethod
    def for_rows(
        cls,
        points: Sequence[SnmpPoint],
        digits: Sequence[int | None],
        fahrenheit: Sequence[bool | None],
        factors: Sequence[float | None] | None = None,
    ) -> Self:
        """The conversion of these rows, with what the device states of each: digits, unit, factor.

        None where it should state it and does not: such a number has no value.
        """
        multiplier, divisor = exact_scales(points)
        tens = np.array([np.nan if d is None else 10.0**d for d in digits], np.float64)
        tens[[f is None for f in fahrenheit]] = np.nan
        stated = [1.0] * len(points) if factors is None else factors
        more, fewer = exact_quotients(np.array([np.nan if f is None else f for f in stated]))
        return cls(
            multiplier=multiplier * more,
            divisor=divisor * tens * fewer,
            offset=np.array([point.offset for point in points], np.float64),
            fahrenheit=np.array(fahrenheit, np.bool_),
            no_value=NoValue(points),
        )

    @property
    def unit_per_count(self) -> Floats:
        """What one raw count is worth in the quantity's unit."""
        return self.multiplier / self.divisor * np.where(self.fahrenheit, 5 / 9, 1.0)

    def unavailable(self, raw: Floats) -> Mask:
        """Rows where the device's number means that it has no value."""
        return self.no_value.among(raw)

    @beyond_numbers
    def convert(self, raw: Floats) -> Floats:
        """Values in the quantities' units; NaN stays NaN."""
        value = raw * self.multiplier / self.divisor + self.offset
        return np.where(self.fahrenheit, (value - 32) * 5 / 9, value)
