"""One Modbus TCP or TLS connection: reads in, register bytes or a DeviceError out.

pymodbus makes the connection and the PDUs. On top of it stands what a plant needs: the answer keeps
its bytes (numpy decodes them), a deadline per request, and a strict frame check. A late, foreign or
malformed answer ends the connection, so that no later request can be given an earlier answer; the
next request opens a new one.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import struct
from typing import Any

from prometheus_client import Counter
from pymodbus.framer import FramerSocket
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest
from pymodbus.transaction import TransactionManager
from pymodbus.transport import CommParams, CommType

from collectors.modbus.planner import BIT_TABLES, Range
from collectors.profile import RegisterTable
from facility.errors import (
    DeviceError,
    DeviceGarbled,
    DeviceRefused,
    DeviceTimeout,
    DeviceUnreachable,
)

REQUESTS: dict[RegisterTable, type[ModbusPDU]] = {
    "coil": ReadCoilsRequest,
    "discrete": ReadDiscreteInputsRequest,
    "holding": ReadHoldingRegistersRequest,
    "input": ReadInputRegistersRequest,
}
EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledge",
    6: "device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target failed to respond",
}
LONGEST_ANSWER = 254
"""Largest length field of a Modbus TCP frame: unit id and 253 bytes."""
HEADER_BYTES = 7

RESYNCS = Counter(
    "busway_modbus_resyncs",
    "Modbus connections given up because an answer was late, foreign or malformed",
    ["kind"],
)

logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)  # its errors reach us as errors


class ModbusRefused(DeviceRefused):
    """The device answered with a Modbus exception."""

    def __init__(self, code: int, place: str) -> None:
        super().__init__(f"exception {code} ({EXCEPTIONS.get(code, 'unknown')}) for {place}")
        self.code = code


class ModbusTransport:
    """The connection to one endpoint. Opens it when first asked; one request at a time."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._host, self._port, self._tls = host, port, tls
        self._link: _Link | None = None

    async def read(self, unit: int, place: Range, timeout_s: float) -> bytes:
        """Read one range: two bytes a register, or a bit table's packed bits.

        Raises:
            DeviceUnreachable: no connection, or it was closed without an answer.
            DeviceTimeout: no complete answer within `timeout_s`.
            ModbusRefused: the device answered with an exception.
            DeviceGarbled: the answer breaks the protocol or answers something else.
        """
        request = REQUESTS[place.table](dev_id=unit, address=place.address, count=place.count)
        try:
            async with asyncio.timeout(timeout_s):
                answer = await self._ask(request)
            return _payload(answer, request, place)
        except TimeoutError:
            self._resync(DeviceTimeout.kind)
            raise self._too_late(timeout_s) from None
        except DeviceGarbled as error:
            self._resync(error.kind)
            raise
        except (asyncio.CancelledError, DeviceUnreachable):
            self.close()
            raise

    def close(self) -> None:
        """Let go of the connection; the next read opens a new one."""
        if self._link is not None:
            self._link.end()
            self._link = None

    async def _ask(self, request: ModbusPDU) -> ModbusPDU:
        if self._link is not None and self._link.is_active():
            try:
                return await self._link.ask(request)
            except DeviceUnreachable:  # an idle connection that the device had let go
                self.close()
        link = self._link = _Link(self._host, self._port, self._tls)
        await link.open()
        return await link.ask(request)

    def _resync(self, kind: str) -> None:
        RESYNCS.labels(kind).inc()
        self.close()

    def _too_late(self, timeout_s: float) -> DeviceError:
        return DeviceTimeout(f"{self._host}:{self._port} gave no answer in {timeout_s:.3g} s")


def _payload(answer: ModbusPDU, request: ModbusPDU, place: Range) -> bytes:
    """The bytes that were asked for.

    Raises:
        ModbusRefused, DeviceGarbled.
    """
    if answer.function_code & 0x7F != request.function_code:
        raise DeviceGarbled(
            f"asked with function code {request.function_code}, "
            f"answered with {answer.function_code & 0x7F}"
        )
    if isinstance(answer, ExceptionResponse):
        raise ModbusRefused(answer.exception_code, str(place))
    assert isinstance(answer, _Answer)
    expected = -(-place.count // 8) if place.table in BIT_TABLES else 2 * place.count
    if len(answer.payload) != expected:
        raise DeviceGarbled(f"{len(answer.payload)} bytes for {place}, expected {expected}")
    return answer.payload


class _Answer(ModbusPDU):
    """The answer to a read, its payload left as bytes."""

    payload = b""

    def decode(self, data: bytes) -> None:
        if not data or data[0] != len(data) - 1:
            raise ValueError("the byte count does not fit the frame")
        self.payload = data[1:]


def _answer_decoder() -> DecodePDU:
    decoder = DecodePDU(is_server=False)
    for request in REQUESTS.values():
        code = request.function_code
        decoder.register(type(f"_Answer{code}", (_Answer,), {"function_code": code}))
    return decoder


class _StrictFramer(FramerSocket):
    """pymodbus's framer passes over foreign frames and waits on; here they are errors."""

    def handleFrame(  # noqa: N802 - pymodbus's name
        self, data: bytes, exp_devid: int, exp_tid: int
    ) -> tuple[int, ModbusPDU | None]:
        if len(data) < HEADER_BYTES:
            return 0, None
        transaction, protocol, length, unit = struct.unpack_from(">HHHB", data)
        if protocol != 0 or not 3 <= length <= LONGEST_ANSWER:  # noqa: PLR2004 - unit, code, data
            raise DeviceGarbled(f"not a Modbus frame: {data[:16].hex(' ')}")
        if transaction != exp_tid:
            raise DeviceGarbled(f"answer to request {transaction}, expected {exp_tid}")
        if unit != exp_devid:
            raise DeviceGarbled(f"answer of unit {unit}, expected unit {exp_devid}")
        frame = length + HEADER_BYTES - 1
        if len(data) < frame:
            return 0, None
        if len(data) > frame:
            raise DeviceGarbled(f"{len(data) - frame} bytes after the end of the answer")
        return super().handleFrame(data, exp_devid, exp_tid)


class _Link(TransactionManager):
    """One connection, used once: whatever breaks it ends it, and the request that waits on it."""

    _framer = _StrictFramer(_answer_decoder())

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        params = CommParams(
            comm_name=f"{host}:{port}",
            comm_type=CommType.TLS if tls else CommType.TCP,
            host=host,
            port=port,
            sslctx=tls,
            reconnect_delay=0,
            timeout_connect=None,  # type: ignore[arg-type] # the deadline is ours
        )
        super().__init__(params, self._framer, 0, False, None, None, None)
        self.max_buffer_size = 1 << 20  # what is too long must reach the framer to be refused
        self._asking = False

    async def open(self) -> None:
        """Connect.

        Raises:
            DeviceUnreachable: with the system's reason.
        """
        try:
            self.transport, _ = await self.call_create()
        except OSError as error:  # ssl.SSLError and socket.gaierror among them
            reason = error.strerror or str(error)
            raise DeviceUnreachable(f"{self.comm_params.comm_name}: {reason}") from error

    async def ask(self, request: ModbusPDU) -> ModbusPDU:
        """Send a request and wait for its answer."""
        self._asking = True
        try:
            return await self.execute(False, request)
        finally:
            self._asking = False

    def end(self, error: DeviceError | None = None) -> None:
        """Drop the connection at once; a waiting request gets the error."""
        if self._asking and error is not None and not self.response_future.done():
            self.response_future.set_exception(error)
        if self.transport is not None:
            self.transport.abort()  # type: ignore[attr-defined] # a stream's transport
        self.close()

    def callback_data(self, data: bytes, addr: tuple[Any, ...] | None = None) -> int:
        try:
            return super().callback_data(data, addr)
        except DeviceGarbled as error:
            self.end(error)
        except Exception as error:  # noqa: BLE001 - whatever pymodbus finds in a broken frame
            self.end(DeviceGarbled(f"not an answer: {data[:16].hex(' ')} ({error})"))
        return len(data)

    def connection_lost(self, exc: Exception | None) -> None:
        name, waiting = self.comm_params.comm_name, self._asking
        if waiting and not self.is_closing and not self.response_future.done():
            cut = bool(self.recv_buffer)
            self.response_future.set_exception(
                DeviceGarbled(f"{name} closed the connection in the middle of an answer")
                if cut
                else DeviceUnreachable(f"{name} closed the connection without an answer")
            )
        super().connection_lost(exc)
