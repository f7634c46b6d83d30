"""The line to one endpoint, shared by the devices behind it.

A gateway to a serial bus answers one request at a time, so its devices take turns. A unit that
stays silent holds the line until its deadline; it may do so for a tenth of the time, and is refused
at once in between, so that a dead unit costs the others little.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from collectors.modbus.planner import Range
from collectors.modbus.transport import ModbusRefused, ModbusTransport
from facility.errors import DeviceTimeout

SILENT_SHARE = 0.1
"""Share of the line's time that silent units may hold it for."""
SILENT_CODES = (10, 11)
"""Exceptions by which a gateway says that the unit behind it is silent."""


class Gateway:
    """Turns on one connection. Devices that read through it join it first."""

    def __init__(self, transport: ModbusTransport) -> None:
        self._transport = transport
        self._line = asyncio.Lock()
        self._users: dict[object, tuple[int, float]] = {}
        self._quiet_until = 0.0
        self._silent: set[int] = set()
        self._next_try = 0.0

    def join(self, user: object, unit: int, gap_s: float) -> None:
        """A device reads through this line, and needs `gap_s` of silence between requests."""
        self._users[user] = (unit, gap_s)

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
        async with self._turn(deadline):
            return await self._heed_silence(unit, place, deadline)

    @asynccontextmanager
    async def _turn(self, deadline: float) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout_at(deadline):
                await self._line.acquire()
        except TimeoutError:
            raise DeviceTimeout("the line was taken by other units until the deadline") from None
        try:
            await self._keep_gap()
            yield
        finally:
            longest_gap_s = max((gap_s for _, gap_s in self._users.values()), default=0.0)
            self._quiet_until = _now() + longest_gap_s
            self._line.release()

    async def _keep_gap(self) -> None:
        if (wait_s := self._quiet_until - _now()) > 0:
            await asyncio.sleep(wait_s)

    async def _heed_silence(self, unit: int, place: Range, deadline: float) -> bytes:
        """Read, and remember whether the unit answers at all."""
        began = _now()
        if unit in self._silent and began < self._next_try:
            wait_s = self._next_try - began
            raise DeviceTimeout(f"unit {unit} stays silent; asked again in {wait_s:.3g} s")
        try:
            payload = await self._transport.read(unit, place, self._patience(deadline))
        except (DeviceTimeout, ModbusRefused) as error:
            if isinstance(error, DeviceTimeout) or error.code in SILENT_CODES:
                self._note_silence(unit, _now() - began)
            raise
        self._silent.discard(unit)
        return payload

    def _patience(self, deadline: float) -> float:
        """Seconds to wait for an answer; half of what is left where others wait their turn too."""
        left = deadline - _now()
        return left / 2 if self._is_shared() else left

    def _note_silence(self, unit: int, cost_s: float) -> None:
        if self._is_shared():
            self._silent.add(unit)
            self._next_try = _now() + cost_s * (1 / SILENT_SHARE - 1)

    def _is_shared(self) -> bool:
        return len({unit for unit, _ in self._users.values()}) > 1


def _now() -> float:
    return asyncio.get_running_loop().time()
