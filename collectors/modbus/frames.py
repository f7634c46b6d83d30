"""Modbus TCP frames: pymodbus packs the questions, the answers are checked here. Pure.

pymodbus's framer passes over a foreign answer and waits on. Here whatever an answer has that it
should not have is an error: what is passed over today is another request's value tomorrow. Modbus
Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3 (the header), and Modbus Application Protocol
V1.1b3, 6.1 to 6.4 (reads), 6.21 (identification) and 7 (exceptions).
"""

from __future__ import annotations

import struct

from pymodbus.framer import FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.pdu.mei_message import ReadDeviceInformationRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from collectors.modbus.planner import BIT_TABLES, Range
from collectors.profile import RegisterTable
from facility.errors import DeviceGarbled, DeviceRefused

READ: dict[RegisterTable, type[ModbusPDU]] = {
    "coil": ReadCoilsRequest,
    "discrete": ReadDiscreteInputsRequest,
    "holding": ReadHoldingRegistersRequest,
    "input": ReadInputRegistersRequest,
}
IDENTIFY = ReadDeviceInformationRequest.function_code
MEI_TYPE = ReadDeviceInformationRequest.sub_function_code
REFUSED = 0x80
"""Set in an answer's function code where it is an exception."""
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

_HEADER = struct.Struct(">HHHB")
"""Transaction, protocol (0), length of what follows it, unit."""
_FRAMER = FramerSocket(DecodePDU(is_server=False))
_COUNTED_BYTES = 6
"""Where the bytes begin that the header's length counts."""
SHORTEST_ANSWER, LONGEST_ANSWER = 3, 254
"""By the header's length: unit, function code and one byte; unit and the longest PDU."""


class ModbusRefused(DeviceRefused):
    """The device answered with a Modbus exception."""

    def __init__(self, code: int, place: str) -> None:
        super().__init__(f"exception {code} ({EXCEPTIONS.get(code, 'unknown')}) for {place}")
        self.code = code


def read_question(place: Range) -> bytes:
    """The PDU that asks for a range."""
    return _packed(READ[place.table](address=place.address, count=place.count))


def identify_question(level: int, first: int) -> bytes:
    """The PDU that asks what the unit is."""
    return _packed(ReadDeviceInformationRequest(level, first))


def _packed(request: ModbusPDU) -> bytes:
    return bytes((request.function_code,)) + request.encode()


def frame(transaction: int, unit: int, pdu: bytes) -> bytes:
    """A PDU as it goes over the wire."""
    return _FRAMER.encode(pdu, unit, transaction)


def pdu_in(received: bytes, transaction: int, unit: int) -> bytes | None:
    """The PDU of the one answer that has arrived; None while more of it must come.

    Raises:
        DeviceGarbled: it is no frame, answers something else, or has more behind it.
    """
    if len(received) < _HEADER.size:
        return None
    answers, protocol, length, answering = _HEADER.unpack_from(received)
    if protocol != 0 or not SHORTEST_ANSWER <= length <= LONGEST_ANSWER:
        raise DeviceGarbled(f"not a Modbus frame: {received[:16].hex(' ')}")
    if answers != transaction:
        raise DeviceGarbled(f"answer to request {answers}, expected {transaction}")
    if answering != unit:
        raise DeviceGarbled(f"answer of unit {answering}, expected unit {unit}")
    missing = _COUNTED_BYTES + length - len(received)
    if missing < 0:
        raise DeviceGarbled(f"{-missing} bytes after the end of the answer")
    return None if missing else received[_HEADER.size :]


def data_of(answer: bytes, function: int, place: object) -> bytes:
    """What stands behind the function code of an answer's PDU; `place` names what was asked for.

    Raises:
        ModbusRefused: it is an exception.
        DeviceGarbled: it answers another function.
    """
    if answer[0] == function:
        return answer[1:]
    if answer[0] != function | REFUSED:
        raise DeviceGarbled(
            f"asked with function code {function}, answered with {answer[0]}: "
            f"{answer[:16].hex(' ')}"
        )
    raise ModbusRefused(answer[1], str(place))


def payload_of(answer: bytes, place: Range) -> bytes:
    """The bytes of a range: two for a register, or a bit table's packed bits.

    Raises:
        ModbusRefused, DeviceGarbled: as `data_of`; DeviceGarbled also for another number of bytes.
    """
    data = data_of(answer, READ[place.table].function_code, place)
    expected = -(-place.count // 8) if place.table in BIT_TABLES else 2 * place.count
    if data[0] != len(data) - 1:
        raise DeviceGarbled(f"{len(data) - 1} bytes for {place}, which says it has {data[0]}")
    if data[0] != expected:
        raise DeviceGarbled(f"{data[0]} bytes for {place}, expected {expected}")
    return data[1:]
