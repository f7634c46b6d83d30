"""Recorded registers that answer as their device would."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from collectors.captures.registers import Place
from collectors.modbus.frames import ModbusRefused
from collectors.modbus.planner import BIT_TABLES, Range
from collectors.profile import RegisterTable

ILLEGAL_ADDRESS = 2


class CaptureTransport:
    """A `collectors.modbus.gateway.Transport`; a register that was not recorded is refused.

    Args:
        registers: 16-bit values by place.
        table: of those places that name none.
    """

    def __init__(self, registers: Mapping[Place, int], table: RegisterTable) -> None:
        self._registers = {
            (named or table, address): value for (named, address), value in registers.items()
        }

    async def read(self, _unit: int, place: Range, _timeout_s: float) -> bytes:
        """Answer from the recording.

        Raises:
            ModbusRefused: a register of the range was not recorded.
        """
        try:
            words = [
                self._registers[place.table, address] for address in range(place.address, place.end)
            ]
        except KeyError:
            raise ModbusRefused(ILLEGAL_ADDRESS, f"{place}, not in the capture") from None
        if place.table in BIT_TABLES:
            return np.packbits(np.array(words, bool), bitorder="little").tobytes()
        return np.array(words, ">u2").tobytes()

    def close(self) -> None:
        """Nothing is held."""
