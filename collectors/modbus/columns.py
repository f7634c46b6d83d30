"""Where the values of each register type stand in the bytes of the answers. Pure.

What is said here once per plan makes a poll cheap: all values of a type are taken out at once, as
they stand where they follow one another, else by one numpy gather with the word order baked into
its indices.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from collectors.conversion import Floats
from collectors.modbus.planner import BIT_TABLES, REGISTERS_OF, Range
from collectors.profile import ModbusPoint, ModbusSection, WordOrder

Indices = npt.NDArray[np.intp]


def byte_order(registers: int, order: WordOrder) -> list[int]:
    """Where the bytes of a big-endian value stand among those sent.

    ABCD and CDAB keep the two bytes of a register in order, BADC and DCBA swap them; CDAB and DCBA
    send the low register first.
    """
    words = range(registers) if order in ("ABCD", "BADC") else range(registers)[::-1]
    swapped = order in ("BADC", "DCBA")
    return [2 * word + (byte ^ swapped) for word in words for byte in (0, 1)]


class Image:
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


class Column:
    """The values of one register type.

    Args:
        rows: where they go, ascending.
        places: which bytes of the image make each, most significant first: shape (rows, bytes).
        dtype: the type, big-endian.
    """

    def __init__(self, rows: Indices, places: Indices, dtype: np.dtype[np.generic]) -> None:
        first, count = int(rows[0]), len(rows)
        is_whole = int(rows[-1]) - first + 1 == count
        self._rows: Indices | slice = slice(first, first + count) if is_whole else rows
        self._dtype = dtype
        self._count = count
        self._places = places.ravel()
        self._offset = int(self._places[0])
        self._follow = bool((np.diff(self._places) == 1).all())

    def read(self, image: bytes, raw: Floats) -> None:
        """Take the values out and put them into their rows."""
        if self._follow:
            raw[self._rows] = np.frombuffer(image, self._dtype, self._count, self._offset)
        else:
            taken = np.frombuffer(image, np.uint8).take(self._places)
            raw[self._rows] = taken.view(self._dtype)


def columns_of(section: ModbusSection, starts: Sequence[int | None]) -> list[Column]:
    """One for each register type."""
    found: dict[str, tuple[list[int], list[list[int]]]] = {}
    for row, (point, start) in enumerate(zip(section.points, starts, strict=True)):
        if start is None or point.type == "bit":
            continue
        rows, places = found.setdefault(point.type, ([], []))
        rows.append(row)
        order = byte_order(REGISTERS_OF[point.type], point.word_order or section.word_order)
        places.append([start + place for place in order])
    return [
        Column(np.array(rows), np.array(places), np.dtype(kind).newbyteorder(">"))
        for kind, (rows, places) in found.items()
    ]


class Bits:
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

    def read(self, image: bytes, raw: Floats) -> None:
        """Put 1 into the rows of bits that are set, 0 into the others."""
        if len(self._rows):
            taken = np.frombuffer(image, np.uint8)[self._places]
            raw[self._rows] = (taken & self._masks) != 0


def _bit_of_register(point: ModbusPoint, start: int) -> tuple[int, int]:
    """Byte and bit within it; the high byte comes first."""
    bit = point.bit or 0
    return start + (bit < 8), bit % 8  # noqa: PLR2004 - bits in a byte
