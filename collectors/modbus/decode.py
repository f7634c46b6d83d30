"""From the bytes of a device's answers to a column of values. Pure.

A Decoder is built once per plan, and shared by all devices that are read by it. The answers are
laid side by side into one byte image, from which `collectors.modbus.columns` takes all values of a
register type at once.

64-bit registers become float64: exact up to 2^53, which in Wh is nine petawatt-hours, more than any
meter counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakValueDictionary

import numpy as np

from collectors.conversion import Floats, Mask, NoValue, beyond_numbers, exact_scales
from collectors.modbus.columns import Bits, Image, columns_of
from collectors.modbus.planner import Range, exponent_range, value_range
from collectors.profile import ModbusPoint, ModbusSection

LARGEST_EXPONENT = 10
"""SunSpec scale factors run from -10 to 10; -32768 says "not implemented"."""


class Decoder:
    """Turns the answers to `blocks` into the values of all points, in the quantities' units.

    A point that no block holds comes out as missing.
    """

    def __init__(self, section: ModbusSection, blocks: Sequence[Range]) -> None:
        self.section = section
        self.blocks = tuple(blocks)
        image = Image(blocks)
        points = section.points
        exponents = [image.find(exponent_range(point, section)) for point in points]
        starts = [image.find(value_range(point, section)) for point in points]
        self.absent = tuple(
            row
            for row, (point, start, exponent) in enumerate(
                zip(points, starts, exponents, strict=True)
            )
            if start is None or (point.exponent_address is not None and exponent is None)
        )
        """Rows that no block holds."""
        self._absent = np.array(self.absent, np.intp)
        self._count = len(points)
        self._columns = columns_of(section, starts)
        self._may_be_infinite = any(point.type.startswith("float") for point in points)
        self._bits = Bits(section, starts)
        self._exponents = _Exponents(exponents)
        self._folded = np.flatnonzero([point.coding == "four_quadrant" for point in points])
        self._scaling = _Scaling(points)
        self._no_value = NoValue(points)

    def unit_per_count(self, payloads: Sequence[bytes]) -> Floats:
        """What a raw count is worth by row, in the quantity's unit; NaN where it was not stated."""
        missing = np.zeros(self._count, np.bool_)
        missing[self._absent] = True
        exponents = self._exponents.read(b"".join(payloads), missing)
        worth = self._scaling.unit_per_count(exponents)
        worth[missing] = np.nan
        return worth

    @beyond_numbers
    def decode(self, payloads: Sequence[bytes]) -> tuple[Floats, Mask]:
        """Values and whether each is missing; `payloads` are the register bytes, block by block."""
        image = b"".join(payloads)
        raw = np.zeros(self._count)
        for column in self._columns:
            column.read(image, raw)
        self._bits.read(image, raw)
        missing = self._no_value.among(raw)
        if self._may_be_infinite:
            missing |= ~np.isfinite(raw)
        if self.absent:
            missing[self._absent] = True
        exponents = self._exponents.read(image, missing)
        if len(self._folded) and np.count_nonzero(np.abs(raw[self._folded]) > 1):
            raw[self._folded] = unfold_power_factor(raw[self._folded])
        return self._scaling.apply(raw, exponents), missing


_decoders: WeakValueDictionary[tuple[int, tuple[Range, ...]], Decoder] = WeakValueDictionary()
"""Those in use, by the section's identity: a thousand meters of a model take the memory of one."""


def decoder_of(section: ModbusSection, blocks: tuple[Range, ...]) -> Decoder:
    """The decoder of these blocks."""
    key = (id(section), blocks)
    decoder = _decoders.get(key)
    if decoder is None:
        decoder = _decoders[key] = Decoder(section, blocks)
    return decoder


def unfold_power_factor(coded: Floats) -> Floats:
    """Four-quadrant coding: beyond +-1 the factor is leading, counted back from +-2."""
    return np.where(np.abs(coded) > 1, np.copysign(2.0, coded) - coded, coded)


class _Exponents:
    """Powers of ten that the device states in registers of their own."""

    def __init__(self, starts: Sequence[int | None]) -> None:
        found = [(row, start) for row, start in enumerate(starts) if start is not None]
        self._rows = np.array([row for row, _ in found], np.intp)
        self._indices = np.array([[start, start + 1] for _, start in found], np.intp)

    def read(self, image: bytes, missing: Mask) -> Floats | None:
        """Exponent by row, 0 where a point has none; marks points whose exponent is none."""
        if not len(self._rows):
            return None
        stated = np.frombuffer(image, np.uint8)[self._indices].view(">i2")[:, 0]
        missing[self._rows] |= np.abs(stated.astype(np.int64)) > LARGEST_EXPONENT
        exponents = np.zeros(len(missing))
        exponents[self._rows] = np.clip(stated, -LARGEST_EXPONENT, LARGEST_EXPONENT)
        return exponents


class _Scaling:
    """`raw * scale + offset`, by the points' scales and the exponents that the device states."""

    def __init__(self, points: Sequence[ModbusPoint]) -> None:
        self._multiplier, self._divisor = exact_scales(points)
        self._multiplies = bool((self._multiplier != 1).any())
        self._divides = bool((self._divisor != 1).any())
        self._offset = np.array([point.offset for point in points], np.float64)

    def unit_per_count(self, exponents: Floats | None) -> Floats:
        """What a raw count is worth by row."""
        worth = self._multiplier / self._divisor
        return worth if exponents is None else worth * 10.0**exponents

    def apply(self, raw: Floats, exponents: Floats | None) -> Floats:
        """Scale in place."""
        if exponents is not None:
            raw *= 10.0 ** np.maximum(exponents, 0)
            raw /= 10.0 ** np.maximum(-exponents, 0)
        if self._multiplies:
            raw *= self._multiplier
        if self._divides:
            raw /= self._divisor
        raw += self._offset
        return raw
