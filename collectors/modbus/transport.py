"""One Modbus TCP or TLS connection: reads in, register bytes or a DeviceError out.

A late, foreign or malformed answer ends the connection, so that no later request can be given an
earlier answer; the next request opens a new one.
"""

from __future__ import annotations

import asyncio
import ssl
from time import monotonic  # the clock of asyncio's loop

from collectors.modbus.frames import (
    IDENTIFY,
    data_of,
    frame,
    identify_question,
    payload_of,
    pdu_in,
    read_question,
)
from collectors.modbus.planner import Range
from facility.errors import DeviceError, DeviceGarbled, DeviceTimeout, DeviceUnreachable

LAST_TRANSACTION = 0xFFFF
ENDING = (DeviceTimeout, DeviceGarbled, DeviceUnreachable, asyncio.CancelledError)
"""After these the connection may still bring an answer that nobody waits for."""


class ModbusTransport:
    """The connection to one endpoint. Opens it when first asked; one request at a time."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._host, self._port, self._tls = host, port, tls
        self._link: _Link | None = None

    async def read(self, unit: int, place: Range, timeout_s: float) -> bytes:
        """Read one range: two bytes a register, or a bit table's packed bits.

        Raises:
            DeviceUnreachable: no connection, or it was closed without an answer.
            DeviceTimeout: connected, but no complete answer within `timeout_s`.
            ModbusRefused: the device answered with an exception.
            DeviceGarbled: the answer breaks the protocol or answers something else.
        """
        try:
            return payload_of(await self._answer(unit, read_question(place), timeout_s), place)
        except ENDING:
            self.close()
            raise

    async def identification(self, unit: int, level: int, first: int, timeout_s: float) -> bytes:
        """Ask what the unit is (function code 43/14), from object `first` on.

        `level` is 1 for the basic objects, 2 for the regular ones, too. Gives the answer behind
        its function code; `collectors.modbus.identification` reads it.

        Raises:
            DeviceError: as `read`.
        """
        try:
            answer = await self._answer(unit, identify_question(level, first), timeout_s)
            return data_of(answer, IDENTIFY, "device identification")
        except ENDING:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the connection; the next read opens a new one."""
        if self._link is not None:
            self._link.end()
            self._link = None

    async def _answer(self, unit: int, question: bytes, timeout_s: float) -> bytes:
        deadline = monotonic() + timeout_s
        if self._link is not None and self._link.is_open:
            try:
                return await self._link.ask(unit, question, deadline)
            except DeviceUnreachable:  # an idle connection that the device had let go
                self.close()
        link = self._link = _Link(f"{self._host}:{self._port}")
        await link.open(self._host, self._port, self._tls, deadline)
        return await link.ask(unit, question, deadline)


class _Link(asyncio.Protocol):
    """One connection, used once: whatever breaks it ends it, and the request that waits on it.

    One alarm watches over all its requests: it is put off when it rings too early, which costs less
    than an alarm a request.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._received = b""
        self._unit = self._transaction = 0
        self._deadline = 0.0
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def is_open(self) -> bool:
        """Connected, as far as is known."""
        return self._transport is not None

    async def open(self, host: str, port: int, tls: ssl.SSLContext | None, deadline: float) -> None:
        """Connect.

        Raises:
            DeviceUnreachable: with the system's reason.
        """
        try:
            async with asyncio.timeout_at(deadline):
                await self._loop.create_connection(lambda: self, host, port, ssl=tls)
        except TimeoutError:
            raise DeviceUnreachable(f"{self._name}: no connection before the deadline") from None
        except OSError as error:  # ssl.SSLError and socket.gaierror among them
            raise DeviceUnreachable(f"{self._name}: {error.strerror or error}") from error

    def ask(self, unit: int, question: bytes, deadline: float) -> asyncio.Future[bytes]:
        """Send a question; gives its answer's PDU, or until `deadline` (the loop's clock) fails.

        Raises:
            DeviceUnreachable, DeviceTimeout, DeviceGarbled: when awaited.
        """
        answer = self._answer = self._loop.create_future()
        self._received = b""
        if self._transport is None:
            self.connection_lost(None)
            return answer
        self._unit, self._deadline = unit, deadline
        self._transaction = self._transaction % LAST_TRANSACTION + 1
        self._watch()
        self._transport.write(frame(self._transaction, unit, question))
        return answer

    def end(self, error: DeviceError | None = None) -> None:
        """Drop the connection at once; a waiting request gets the error."""
        if error is not None:
            self._fail(error)
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        answer = self._answer
        if answer is None or answer.done():  # the next answer could not be told from this
            self.end()
            return
        self._received += data
        try:
            pdu = pdu_in(self._received, self._transaction, self._unit)
        except DeviceGarbled as error:
            self.end(error)
            return
        if pdu is not None:
            self._answer = None
            answer.set_result(pdu)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._transport = None
        if self._received:
            self.end(
                DeviceGarbled(f"{self._name} closed the connection in the middle of an answer")
            )
        else:
            self.end(DeviceUnreachable(f"{self._name} closed the connection without an answer"))

    def _watch(self) -> None:
        """Ring at the deadline, or before."""
        if self._alarm is not None:
            if self._alarm.when() <= self._deadline:
                return
            self._alarm.cancel()
        self._alarm = self._loop.call_at(self._deadline, self._ring, self._deadline)

    def _ring(self, at: float) -> None:
        self._alarm = None
        if self._answer is None:
            return
        if at < self._deadline:
            self._watch()
            return
        self._fail(DeviceTimeout(f"{self._name} gave no answer for unit {self._unit} in time"))

    def _fail(self, error: DeviceError) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
