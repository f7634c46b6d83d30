"""Which SunSpec information models a device holds, and where.

SunSpec Device Information Model Specification: the text "SunS" stands at one of three addresses,
and behind it a chain of models, each with its number and its length, up to 0xFFFF.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import numpy as np

from collectors.modbus.frames import ModbusRefused
from collectors.modbus.gateway import SILENT_CODES
from collectors.modbus.planner import Range

MARKER = b"SunS"
BASES = (40000, 50000, 0)
END = 0xFFFF
MOST_MODELS = 100
COMMON = 1
COMMON_TEXTS = 32
"""Registers of the common model's first two texts, maker and model, 16 each."""
MAKER = slice(0, 32)
MODEL = slice(32, 64)

Read = Callable[[Range], Awaitable[bytes]]
"""Register bytes of a range. Raises ModbusRefused where the device has none."""


@dataclass(frozen=True, slots=True)
class SunSpec:
    """What stands at a base address: model numbers by the address of their ID register."""

    base: int
    maker: str
    model: str
    models: dict[int, int]

    def __str__(self) -> str:
        models = ", ".join(f"{number} at {place}" for place, number in self.models.items())
        return f"SunSpec at {self.base}: {self.maker!r} {self.model!r}, models {models}"


async def find_sunspec(read: Read) -> SunSpec | None:
    """Look for the marker and follow the chain; None where there is no marker.

    Raises:
        DeviceError: as `read`, but for a device's own refusal, which means that nothing is there.
    """
    for base in BASES:
        if await _registers(read, base, 2) == MARKER:
            models = await _chain(read, base + 2)
            maker, model = await _common(read, models)
            return SunSpec(base, maker, model, models)
    return None


async def _chain(read: Read, place: int) -> dict[int, int]:
    models: dict[int, int] = {}
    while len(models) < MOST_MODELS and place + 2 <= END:
        head = await _registers(read, place, 2)
        number, length = np.frombuffer(head, ">u2").tolist() if head else (END, 0)
        if number == END:
            break
        models[place] = number
        place += 2 + length
    return models


async def _common(read: Read, models: dict[int, int]) -> tuple[str, str]:
    """Maker and model, as the common model has them."""
    place = next((place for place, number in models.items() if number == COMMON), None)
    texts = b"" if place is None else await _registers(read, place + 2, COMMON_TEXTS)
    maker, model = (texts[part].decode("utf-8", "replace").strip("\0 ") for part in (MAKER, MODEL))
    return maker, model


async def _registers(read: Read, address: int, count: int) -> bytes:
    try:
        return await read(Range("holding", address, count))
    except ModbusRefused as refusal:
        if refusal.code in SILENT_CODES:
            raise
        return b""
