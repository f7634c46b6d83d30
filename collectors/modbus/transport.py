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
from time import monotonic  # the clock of asyncio's loop

from pymodbus.framer import FramerSocket
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.pdu.mei_message import ReadDeviceInformationRequest
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
IDENTIFICATION = ReadDeviceInformationRequest.function_code
ANSWERED_FUNCTIONS = (*(request.function_code for request in REQUESTS.values()), IDENTIFICATION)
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
            DeviceTimeout: connected, but no complete answer within `timeout_s`.
            ModbusRefused: the device answered with an exception.
            DeviceGarbled: the answer breaks the protocol or answers something else.
        """
        request = REQUESTS[place.table](dev_id=unit, address=place.address, count=place.count)
        expected = -(-place.count // 8) if place.table in BIT_TABLES else 2 * place.count
        return await self._answered(request, place, expected, timeout_s)

    async def identification(self, unit: int, level: int, first: int, timeout_s: float) -> bytes:
        """Ask what the unit is (function code 43/14), from object `first` on.

        `level` is 1 for the basic objects, 2 for the regular ones, too. Gives the answer behind
        its function code; `collectors.modbus.identification` reads it.

        Raises:
            DeviceError: as `read`.
        """
        request = ReadDeviceInformationRequest(level, first, dev_id=unit)
        return await self._answered(request, "device identification", None, timeout_s)

    async def _answered(
        self, request: ModbusPDU, what: object, expected: int | None, timeout_s: float
    ) -> bytes:
        try:
            answer = await self._ask(request, monotonic() + timeout_s)
            return _payload(answer, request, what, expected)
        except (DeviceTimeout, DeviceGarbled, DeviceUnreachable, asyncio.CancelledError):
            self.close()
            raise

    def close(self) -> None:
        """Let go of the connection; the next read opens a new one."""
        if self._link is not None:
            self._link.end()
            self._link = None

    async def _ask(self, request: ModbusPDU, deadline: float) -> ModbusPDU:
        if self._link is not None and self._link.is_active():
            try:
                return await self._link.ask(request, deadline)
            except DeviceUnreachable:  # an idle connection that the device had let go
                self.close()
        link = self._link = _Link(self._host, self._port, self._tls)
        await link.open(deadline)
        return await link.ask(request, deadline)


def _payload(answer: ModbusPDU, request: ModbusPDU, what: object, expected: int | None) -> bytes:
    """The bytes that were asked for, as many as expected.

    Raises:
        ModbusRefused, DeviceGarbled.
    """
    if answer.function_code & 0x7F != request.function_code:
        raise DeviceGarbled(
            f"asked with function code {request.function_code}, "
            f"answered with {answer.function_code & 0x7F}"
        )
    if isinstance(answer, ExceptionResponse):
        raise ModbusRefused(answer.exception_code, str(what))
    assert isinstance(answer, _Answer)
    if expected is not None and len(answer.payload) != expected:
        raise DeviceGarbled(f"{len(answer.payload)} bytes for {what}, expected {expected}")
    return answer.payload


class _Answer(ModbusPDU):
    """The answer to a read, its payload left as bytes."""

    payload = b""

    def decode(self, data: bytes) -> None:
        if not data or data[0] != len(data) - 1:
            raise ValueError("the byte count does not fit the frame")
        self.payload = data[1:]


class _IdentificationAnswer(_Answer):
    """The answer to function code 43, its objects left as bytes."""

    function_code = IDENTIFICATION

    def decode(self, data: bytes) -> None:
        self.payload = data


def _answer_decoder() -> DecodePDU:
    decoder = DecodePDU(is_server=False)
    for request in REQUESTS.values():
        code = request.function_code
        decoder.register(type(f"_Answer{code}", (_Answer,), {"function_code": code}))
    decoder.register(_IdentificationAnswer)
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
        known = data[HEADER_BYTES] & 0x7F in ANSWERED_FUNCTIONS
        if not known or (pdu := self.decoder.decode(data[HEADER_BYTES:])) is None:
            raise DeviceGarbled(f"not an answer to a read: {data[:16].hex(' ')}")
        return frame, pdu


class _Link(TransactionManager):
    """One connection, used once: whatever breaks it ends it, and the request that waits on it.

    It goes past pymodbus's own retries, lock and receive buffer, which a single request with a
    deadline from outside does not need.
    """

    _framer = _StrictFramer(_answer_decoder())

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        params = CommParams(
            comm_name=f"{host}:{port}",
            comm_type=CommType.TLS if tls else CommType.TCP,
            host=host,
            port=port,
            sslctx=tls,
            reconnect_delay=0,
        )
        super().__init__(params, self._framer, 0, False, None, None, None)
        self._asking = False

    async def open(self, deadline: float) -> None:
        """Connect.

        Raises:
            DeviceUnreachable: with the system's reason.
        """
        name = self.comm_params.comm_name
        try:
            async with asyncio.timeout_at(deadline):
                self.transport, _ = await self.call_create()
        except TimeoutError:
            raise DeviceUnreachable(f"{name}: no connection before the deadline") from None
        except OSError as error:  # ssl.SSLError and socket.gaierror among them
            raise DeviceUnreachable(f"{name}: {error.strerror or error}") from error

    async def ask(self, request: ModbusPDU, deadline: float) -> ModbusPDU:
        """Send a request and wait for its answer, until `deadline` (the loop's clock).

        Raises:
            DeviceUnreachable, DeviceTimeout, DeviceGarbled.
        """
        request.transaction_id = self.getNextTID()
        self.recv_buffer = b""
        self.response_future = self.loop.create_future()
        self._asking = True
        alarm = self.loop.call_at(deadline, self._too_late, request)
        try:
            self.pdu_send(request)
            answer: ModbusPDU = await self.response_future
            return answer
        finally:
            alarm.cancel()
            self._asking = False

    def end(self, error: DeviceError | None = None) -> None:
        """Drop the connection at once; a waiting request gets the error."""
        if error is not None:
            self._fail(error)
        if self.transport is not None:
            self.transport.abort()  # type: ignore[attr-defined] # a stream's transport
        self.close()

    def data_received(self, data: bytes) -> None:
        if not self._asking:  # nothing was asked: the next answer could not be told from this
            self.end()
            return
        self.recv_buffer += data
        try:
            _, answer = self.framer.handleFrame(
                self.recv_buffer, self.request_dev_id, self.request_transaction_id
            )
        except DeviceGarbled as error:
            self.end(error)
            return
        if answer is not None and not self.response_future.done():
            self.response_future.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        name = self.comm_params.comm_name
        if self.recv_buffer:
            self._fail(DeviceGarbled(f"{name} closed the connection in the middle of an answer"))
        else:
            self._fail(DeviceUnreachable(f"{name} closed the connection without an answer"))
        super().connection_lost(exc)

    def _too_late(self, request: ModbusPDU) -> None:
        name = self.comm_params.comm_name
        self._fail(DeviceTimeout(f"{name} gave no answer for unit {request.dev_id} in time"))

    def _fail(self, error: DeviceError) -> None:
        if self._asking and not self.response_future.done():
            self.response_future.set_exception(error)
