"""What can be wrong with a simulated Modbus device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FaultKind = Literal[
    "slow",
    "silent",
    "refuse",
    "wrong_id",
    "garbage",
    "cut",
    "frozen",
    "word_swapped",
    "half_missing",
]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, switched on per device.

    - `slow`: every answer comes `seconds` late; `silent`: none comes at all.
    - `refuse`: every request is answered with exception `code`.
    - `wrong_id`: answers carry the transaction id of another request.
    - `garbage`: answers are noise; `cut`: the connection closes in the middle of an answer.
    - `frozen`: values stand still; `word_swapped`: registers of longer values come in reverse.
    - `half_missing`: every second point has no value.
    """

    kind: FaultKind
    seconds: float = 1.0
    code: int = 2


def spoilt(packet: bytes, kind: FaultKind) -> bytes:
    """The answer as it leaves a device with a fault of the line."""
    if kind == "silent":
        return b""
    if kind == "wrong_id":
        return bytes((packet[0], packet[1] ^ 1)) + packet[2:]
    if kind == "garbage":
        return bytes((byte * 167 + 13) % 256 for byte in packet)
    return packet
