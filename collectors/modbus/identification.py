"""What a unit says of itself, function code 43 with MEI type 14.

Modbus Application Protocol V1.1b3, 6.21: objects by number, in as many answers as they take.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from collectors.modbus.frames import MEI_TYPE, ModbusRefused
from facility.errors import DeviceGarbled

MORE_FOLLOWS = 0xFF
HEAD_BYTES = 6
"""MEI type, level asked, conformity, more follows, next object, number of objects."""
MOST_ANSWERS = 32
REGULAR, BASIC = 2, 1
ILLEGAL_FUNCTION = 1
OBJECTS = {
    0: "vendor_name",
    1: "product_code",
    2: "revision",
    3: "vendor_url",
    4: "product_name",
    5: "model_name",
    6: "user_application_name",
}
"""The standard's names; others go by `object N`."""

Ask = Callable[[int, int], Awaitable[bytes]]
"""Answer to a question at (level, first object). Raises DeviceError."""


@dataclass(frozen=True, slots=True)
class Page:
    """One answer: objects by number, and the number to go on with, 0 for none."""

    objects: Mapping[int, str]
    go_on_at: int


async def read_identification(ask: Ask) -> dict[str, str]:
    """Every basic and regular object that the unit gives, by name, in order.

    Raises:
        ModbusRefused: the unit does not know the question.
        DeviceError: as `ask`; DeviceGarbled also for an answer that breaks the standard.
    """
    try:
        found = await _read_level(ask, REGULAR)
    except ModbusRefused as refusal:
        if refusal.code == ILLEGAL_FUNCTION:
            raise
        found = await _read_level(ask, BASIC)
    return {OBJECTS.get(number, f"object {number}"): text for number, text in found.items()}


async def _read_level(ask: Ask, level: int) -> dict[int, str]:
    found: dict[int, str] = {}
    first = 0
    for _ in range(MOST_ANSWERS):
        page = parse_page(await ask(level, first))
        found |= page.objects
        if page.go_on_at <= first:
            return found
        first = page.go_on_at
    raise DeviceGarbled(f"more than {MOST_ANSWERS} answers of device identification")


def parse_page(data: bytes) -> Page:
    """Read one answer, what stands behind its function code.

    Raises:
        DeviceGarbled: it is cut short, or no device identification.
    """
    if len(data) < HEAD_BYTES or data[0] != MEI_TYPE:
        raise DeviceGarbled(f"not a device identification: {data[:16].hex(' ')}")
    more, go_on_at, count = data[3:HEAD_BYTES]
    objects: dict[int, str] = {}
    place = HEAD_BYTES
    for _ in range(count):
        text = data[place + 2 : place + 2 + data[place + 1]] if place + 1 < len(data) else b""
        if place + 1 >= len(data) or len(text) < data[place + 1]:
            raise DeviceGarbled("device identification ends in the middle of an object")
        objects[data[place]] = text.decode("utf-8", "replace").strip("\0 ")
        place += 2 + len(text)
    return Page(objects, go_on_at if more == MORE_FOLLOWS else 0)
