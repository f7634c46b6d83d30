"""From the bytes of a device's answers to a column of values. Pure.

A Decoder is built once per plan. The answers are laid side by side into one byte image; for each
register type one numpy gather, with the word order baked into its indices, takes all values of the
type out at once.

64-bit registers become float64: exact up to 2^53, which in Wh is nine petawatt-hours, more than any
meter counts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from collectors.conversion import Floats, Mask, NoValue, beyond_numbers, exact_scales
from collectors.modbus.planner import BIT_TABLES, REGISTERS_OF, Range, exponent_range, value_range
from collectors.profile import ModbusPoint, ModbusSection, WordOrder

Indices = npt.NDArray[np.intp]

LARGEST_EXPONENT = 10
"""SunSpec scale factors run from -10 to 10; -32768 says "not implemented"."""


class Decoder:
    """Turns the answers to `blocks` into the values of all points, in the quantities' units.

    A point that no block holds comes out as missing.
    """

    def __init__(self, section: ModbusSection, blocks: Sequence[Range]) -> None:
        self.blocks = tuple(blocks)
        image = _Image(blocks)
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
        self._groups = _groups(section, starts)
        self._bits = _Bits(section, starts)
        self._exponents = _Exponents(exponents)
        self._folded = np.flatnonzero([point.coding == "four_quadrant" for point in points])
        self._scaling = _Scaling(points)
        self._no_value = NoValue(points)

    def unit_per_count(self, payloads: Sequence[bytes]) -> Floats:
        """What a raw count is worth by row, in the quantity's unit; NaN where it was not stated."""
        missing = np.zeros(self._count, np.bool_)
        missing[self._absent] = True
        image = np.frombuffer(b"".join(payloads), np.uint8)
        exponents = self._exponents.read(image, missing)
        worth = self._scaling.unit_per_count(exponents)
        worth[missing] = np.nan
        return worth

    @beyond_numbers
    def decode(self, payloads: Sequence[bytes]) -> tuple[Floats, Mask]:
        """Values and whether each is missing; `payloads` are the register bytes, block by block."""
        image = np.frombuffer(b"".join(payloads), np.uint8)
        raw = np.zeros(self._count)
        for rows, indices, dtype in self._groups:
            raw[rows] = image[indices].view(dtype)[:, 0]
        self._bits.read(image, raw)
        missing = self._no_value.among(raw) | ~np.isfinite(raw)
        missing[self._absent] = True
        exponents = self._exponents.read(image, missing)
        if len(self._folded):
            raw[self._folded] = unfold_power_factor(raw[self._folded])
        return self._scaling.apply(raw, exponents), missing


def byte_order(registers: int, order: WordOrder) -> list[int]:
    """Where the bytes of a big-endian value stand among those sent.

    ABCD and CDAB keep the two bytes of a register in order, BADC and DCBA swap them; CDAB and DCBA
    send the low register first.
    """
    words = range(registers) if order in ("ABCD", "BADC") else range(registers)[::-1]
    swapped = order in ("BADC", "DCBA")
    return [2 * word + (byte ^ swapped) for word in words for byte in (0, 1)]


def unfold_power_factor(coded: Floats) -> Floats:
    """Four-quadrant coding: beyond +-1 the factor is leading, counted back from +-2."""
    return np.where(np.abs(coded) > 1, np.copysign(2.0, coded) - coded, coded)


class _Image:
    """Where each block's bytes stand once the answers are joined."""

    def __init__(self, blocks: Sequence[Range]) -> None:
        self._blocks: list[tuple[Range, int]] = []
        offset = 0
        for block in blocks:
            self._blocks.append((block, offset))
            offset += -(-block.count // 8) if block.table in BIT_TABLES else 2 * block.count

    def find(self, place: Range | None) -> int | None:
        """Offset of a range's first byte, for bit tables of its bit; None where not read."""
        for block, offset in self._blocks:
            if place is not None and block.holds(place):
                distance = place.address - block.address
                return 8 * offset + distance if place.table in BIT_TABLES else offset + 2 * distance
        return None


def _groups(
    section: ModbusSection, starts: Sequence[int | None]
) -> list[tuple[Indices, Indices, np.dtype[np.generic]]]:
    """For each register type: rows, byte indices (row, byte), and the big-endian numpy type."""
    found: dict[str, tuple[list[int], list[list[int]]]] = {}
    for row, (point, start) in enumerate(zip(section.points, starts, strict=True)):
        if start is None or point.type == "bit":
            continue
        rows, indices = found.setdefault(point.type, ([], []))
        rows.append(row)
        order = byte_order(REGISTERS_OF[point.type], point.word_order or section.word_order)
        indices.append([start + place for place in order])
    return [
        (np.array(rows), np.array(indices), np.dtype(kind).newbyteorder(">"))
        for kind, (rows, indices) in found.items()
    ]


class _Bits:
    """Single bits, of the bit tables or within registers."""

    def __init__(self, section: ModbusSection, starts: Sequence[int | None]) -> None:
        rows, places, masks = [], [], []
        for row, (point, start) in enumerate(zip(section.points, starts, strict=True)):
            if start is None or point.type != "bit":
                continue
            in_bit_table = (point.table or section.table) in BIT_TABLES
            place, bit = divmod(start, 8) if in_bit_table else _bit_of_register(point, start)
            rows.append(row)
            places.append(place)
            masks.append(1 << bit)
        self._rows = np.array(rows, np.intp)
        self._places = np.array(places, np.intp)
        self._masks = np.array(masks, np.uint8)

    def read(self, image: npt.NDArray[np.uint8], raw: Floats) -> None:
        if len(self._rows):
            raw[self._rows] = (image[self._places] & self._masks) != 0


def _bit_of_register(point: ModbusPoint, start: int) -> tuple[int, int]:
    """Byte and bit within it; the high byte comes first."""
    bit = point.bit or 0
    return start + (bit < 8), bit % 8  # noqa: PLR2004 - bits in a byte


class _Exponents:
    """Powers of ten that the device states in registers of their own."""

    def __init__(self, starts: Sequence[int | None]) -> None:
        found = [(row, start) for row, start in enumerate(starts) if start is not None]
        self._rows = np.array([row for row, _ in found], np.intp)
        self._indices = np.array([[start, start + 1] for _, start in found], np.intp)

    def read(self, image: npt.NDArray[np.uint8], missing: Mask) -> Floats | None:
        """Exponent by row, 0 where a point has none; marks points whose exponent is none."""
        if not len(self._rows):
            return None
        stated = image[self._indices].view(">i2")[:, 0]
        missing[self._rows] |= np.abs(stated.astype(np.int64)) > LARGEST_EXPONENT
        exponents = np.zeros(len(missing))
        exponents[self._rows] = np.clip(stated, -LARGEST_EXPONENT, LARGEST_EXPONENT)
        return exponents


class _Scaling:
    """`raw * scale + offset`, by the points' scales and the exponents that the device states."""

    def __init__(self, points: Sequence[ModbusPoint]) -> None:
        self._multiplier, self._divisor = exact_scales(points)
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
        raw *= self._multiplier
        raw /= self._divisor
        raw += self._offset
        return raw
