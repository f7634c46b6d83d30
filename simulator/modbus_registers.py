"""A device's registers, worked out from its values at each read. Pure.

Written from the published register formats, apart from the collectors' decoder: an error in one of
the two shows in the tests, it does not cancel out.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Literal

from collectors.profile import ModbusPoint, ModbusSection, RegisterTable, RegisterType

Value = Callable[[str, str], float | None]
"""(component, quantity) -> value now in the quantity's unit; None where the device has none."""

Undefined = Literal["exception", "zeros"]
"""What a register that no point uses gives; some devices answer zeros inside a block."""

FORMATS: dict[RegisterType, str] = {
    "int16": ">h",
    "uint16": ">H",
    "int32": ">i",
    "uint32": ">I",
    "int64": ">q",
    "uint64": ">Q",
    "float32": ">f",
    "float64": ">d",
}
NO_VALUE = -1
"""Raw value for "none" where any negative one means it."""


class UndefinedRegister(Exception):
    """The device has nothing at this address; it answers with exception 2."""


class RegisterMap:
    """What stands at each address of one device.

    Args:
        section: the device's profile.
        undefined: what a register that no point uses gives.
    """

    swap_words = False
    """Fault: the registers of longer values come in reverse."""

    def __init__(self, section: ModbusSection, undefined: Undefined = "exception") -> None:
        self._section = section
        self._undefined = undefined
        self._values: dict[tuple[RegisterTable, int], tuple[ModbusPoint, int]] = {}
        self._bits: dict[tuple[RegisterTable, int], list[ModbusPoint]] = {}
        self._exponents: dict[tuple[RegisterTable, int], int] = {}
        for point in section.points:
            self._place(point)

    def read(self, table: RegisterTable, address: int, count: int, value: Value) -> list[int]:
        """What the addresses hold now: registers, or 0 and 1 in a bit table.

        Raises:
            UndefinedRegister: one of them has no meaning, or no value and no way to say so.
        """
        words: dict[int, list[int]] = {}
        result = []
        for place in range(address, address + count):
            point, word = self._values.get((table, place), (None, 0))
            if point is None:
                result.append(self._other_register(table, place, value))
                continue
            if id(point) not in words:
                now = value(point.component, point.quantity)
                words[id(point)] = self._in_order(point, encode(point, now))
            result.append(words[id(point)][word])
        return result

    def _place(self, point: ModbusPoint) -> None:
        table = point.table or self._section.table
        if point.exponent_address is not None:
            self._exponents[table, point.exponent_address] = point.typical_exponent
        if point.type == "bit":
            self._bits.setdefault((table, point.address), []).append(point)
            return
        for word in range(struct.calcsize(FORMATS[point.type]) // 2):
            self._values[table, point.address + word] = (point, word)

    def _in_order(self, point: ModbusPoint, words: list[int]) -> list[int]:
        """Registers and their bytes in the order the device sends them."""
        order = point.word_order or self._section.word_order
        if order in ("BADC", "DCBA"):
            words = [(word & 0xFF) << 8 | word >> 8 for word in words]
        reverse = (order in ("CDAB", "DCBA")) != self.swap_words
        return words[::-1] if reverse else words

    def _other_register(self, table: RegisterTable, address: int, value: Value) -> int:
        """A register of bits, an exponent, or one without meaning."""
        if points := self._bits.get((table, address)):
            return sum(_bit(point, value) << (point.bit or 0) for point in points)
        if (table, address) in self._exponents:
            return self._exponents[table, address] & 0xFFFF
        if self._undefined == "zeros":
            return 0
        raise UndefinedRegister


def _bit(point: ModbusPoint, value: Value) -> int:
    now = value(point.component, point.quantity)
    if now is None:
        raise UndefinedRegister
    return int(now != 0)


def encode(point: ModbusPoint, value: float | None) -> list[int]:
    """Big-endian registers that say this value.

    Raises:
        UndefinedRegister: there is no value, and the profile knows no way to say so.
    """
    raw = _no_value(point) if value is None else _raw(point, value)
    packed = struct.pack(FORMATS[point.type], raw)
    return list(struct.unpack(f">{len(packed) // 2}H", packed))


def _raw(point: ModbusPoint, value: float) -> float:
    raw = (value - point.offset) / point.scale / math.pow(10.0, point.typical_exponent)
    if point.type in ("float32", "float64"):
        return raw
    if point.counter is not None:  # a register shows whole counts only
        raw = math.fmod(math.floor(raw), point.counter.modulus or math.inf)
    half = 1 << (8 * struct.calcsize(FORMATS[point.type]) - 1)
    low, high = (0, 2 * half - 1) if point.type.startswith("u") else (-half, half - 1)
    return min(max(round(raw), low), high)


def _no_value(point: ModbusPoint) -> float:
    if point.sentinels:
        sentinel = point.sentinels[0]
        return sentinel if point.type in ("float32", "float64") else int(sentinel)
    if point.type in ("float32", "float64"):
        return math.nan
    if point.negative_means_missing:
        return NO_VALUE
    raise UndefinedRegister
