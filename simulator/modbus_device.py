"""A simulated Modbus device: its registers now, and its faults."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from collectors.profile import Profile, RegisterTable
from simulator.modbus_faults import Fault
from simulator.modbus_registers import RegisterMap, Undefined, UndefinedRegister, Value

ILLEGAL_ADDRESS = 2


@dataclass(frozen=True, slots=True)
class ModbusDevice:
    """What to simulate, and where.

    Devices with the same host and port are units of one gateway. Port 0 picks a free one.
    """

    id: str
    profile: Profile
    value: Value
    host: str
    port: int = 0
    unit: int = 1
    identification: Mapping[int, str] = field(default_factory=dict)
    """What it says of itself (function code 43/14), by object; nothing: it does not know that."""
    undefined: Undefined | None = None
    """What registers that the profile does not name give; None: zeros where the profile lets them
    be read along (`largest_gap`), else an exception."""


class AnsweringDevice:
    """Answers the reads of one device."""

    def __init__(self, device: ModbusDevice) -> None:
        assert device.profile.modbus is not None
        self.device = device
        section = device.profile.modbus
        along: Undefined = "zeros" if section.limits.largest_gap else "exception"
        self._map = RegisterMap(section, device.undefined or along)
        self._missing = {(p.component, p.quantity) for p in section.points[1::2]}
        self._frozen: dict[tuple[str, str], float | None] = {}
        self._fault: Fault | None = None

    @property
    def fault(self) -> Fault | None:
        """The fault now switched on."""
        return self._fault

    @fault.setter
    def fault(self, fault: Fault | None) -> None:
        self._fault = fault
        self._frozen = {}
        self._map.swap_words = fault is not None and fault.kind == "word_swapped"

    async def answer(self, table: RegisterTable, address: int, count: int) -> list[int] | int:
        """Registers (bits of a bit table) as they are now, or the code of an exception."""
        fault = self._fault
        if fault is not None and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        if fault is not None and fault.kind == "refuse":
            return fault.code
        try:
            return self._map.read(table, address, count, self._value_now)
        except UndefinedRegister:
            return ILLEGAL_ADDRESS

    def _value_now(self, component: str, quantity: str) -> float | None:
        kind = self._fault.kind if self._fault else None
        if kind == "half_missing" and (component, quantity) in self._missing:
            return None
        if kind != "frozen":
            return self.device.value(component, quantity)
        key = (component, quantity)
        if key not in self._frozen:
            self._frozen[key] = self.device.value(component, quantity)
        return self._frozen[key]
