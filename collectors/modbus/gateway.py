"""The line to one endpoint, shared by the devices behind it.

A gateway to a serial bus answers one request at a time, so its devices take turns. A unit that
stays silent holds the line until its deadline; it may do so for a tenth of the time, and is refused
at once in between, so that a dead unit costs the others little.
"""

from __future__ import annotations

import asyncio
from time import monotonic  # the clock of asyncio's loop
from typing import Protocol

from collectors.modbus.frames import ModbusRefused
from collectors.modbus.planner import Range
from facility.errors import DeviceTimeout

SILENT_SHARE = 0.1
"""Share of the line's time that silent units may hold it for."""
SILENT_CODES = (10, 11)
"""Exceptions by which a gateway says that the unit behind it is silent."""


class Transport(Protocol):
    """The connection to one endpoint; `ModbusTransport` says what its methods promise."""

    async def read(self, unit: int, place: Range, timeout_s: float, /) -> bytes:
        """Read one range. Raises DeviceError."""

    def close(self) -> None:
        """Let go of the connection."""


class Gateway:
    """Turns on one connection. Devices that read through it join it first."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._line = asyncio.Lock()
        self._users: dict[object, tuple[int, float]] = {}
        self._is_shared = False
        self._gap_s = 0.0
        self._quiet_until = 0.0
        self._silent: set[int] = set()
        self._next_try = 0.0

    def join(self, user: object, unit: int, gap_s: float) -> None:
        """A device reads through this line, and needs `gap_s` of silence between requests."""
        if user not in self._users:
            self._users[user] = (unit, gap_s)
            self._is_shared = len({unit for unit, _ in self._users.values()}) > 1
            self._gap_s = max(gap_s for _, gap_s in self._users.values())

    def leave(self, user: object) -> None:
        """A device is done; the last one closes the connection. Safe to repeat."""
        self._users.pop(user, None)
        if not self._users:
            self._transport.close()

    async def read(self, unit: int, place: Range, deadline: float) -> bytes:
        """Read one range of one unit before `deadline` (the loop's clock).

        Raises:
            DeviceError: as `ModbusTransport.read`; DeviceTimeout also for a unit known to be
                silent, and where the line was taken until the deadline.
        """
        if self._line.locked():
            await self._turn(deadline)
        else:
            await self._line.acquire()
        try:
            if (wait_s := self._quiet_until - monotonic()) > 0:
                await asyncio.sleep(wait_s)
            began = monotonic()
            patience_s = self._patience(unit, began, deadline)
            try:
                payload = await self._transport.read(unit, place, patience_s)
            except (DeviceTimeout, ModbusRefused) as error:
                if isinstance(error, DeviceTimeout) or error.code in SILENT_CODES:
                    self._note_silence(unit, monotonic() - began)
                raise
            self._silent.discard(unit)
            return payload
        finally:
            self._quiet_until = monotonic() + self._gap_s
            self._line.release()

    async def _turn(self, deadline: float) -> None:
        try:
            async with asyncio.timeout_at(deadline):
                await self._line.acquire()
        except TimeoutError:
            raise DeviceTimeout("the line was taken by other units until the deadline") from None

    def _patience(self, unit: int, now: float, deadline: float) -> float:
        """Seconds that the unit may take. Raises DeviceTimeout where it is known to be silent."""
        if unit in self._silent and now < self._next_try:
            wait_s = self._next_try - now
            raise DeviceTimeout(f"unit {unit} stays silent; asked again in {wait_s:.3g} s")
        patience_s = deadline - now
        return patience_s / 2 if self._is_shared else patience_s  # others wait their turn, too

    def _note_silence(self, unit: int, cost_s: float) -> None:
        if self._is_shared:
            self._silent.add(unit)
            self._next_try = monotonic() + cost_s * (1 / SILENT_SHARE - 1)
