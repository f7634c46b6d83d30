"""Simulated devices behind Modbus TCP or TLS, each at its own address or several behind a gateway.

Registers are worked out at each read, so they are always what the plant is doing now.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Self

from pymodbus.constants import ExcCodes
from pymodbus.pdu import ExceptionResponse, ModbusPDU
from pymodbus.pdu.mei_message import ReadDeviceInformationResponse
from pymodbus.server import ModbusTcpServer
from pymodbus.server.requesthandler import ServerRequestHandler
from pymodbus.simulator import DataType, SimData, SimDevice
from pymodbus.simulator.simcore import SimCore
from pymodbus.transport import CommParams, CommType

from collectors.profile import RegisterTable
from facility.errors import ConfigError
from simulator.modbus_device import AnsweringDevice, ModbusDevice
from simulator.modbus_faults import Fault, spoilt

TABLES: dict[int, RegisterTable] = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}
LAST_OBJECTS = {1: 2, 2: 6}
"""Of the basic and the regular level of device identification."""
STOP_SECONDS = 5.0

logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)  # faults are made on purpose


class ModbusServer:
    """Serves the devices while the `async with` block runs.

    Args:
        devices: what to simulate and where.
        tls: serve Modbus TLS with this context.
    """

    def __init__(self, devices: Iterable[ModbusDevice], tls: ssl.SSLContext | None = None) -> None:
        self._devices = {device.id: AnsweringDevice(device) for device in devices}
        self._tls = tls
        self._endpoints: dict[tuple[str, int], _Endpoint] = {}

    async def __aenter__(self) -> Self:
        try:
            for place, devices in self._by_place().items():
                self._endpoints[place] = _Endpoint(place, devices, self._tls)
                await self._endpoints[place].start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Close every endpoint and its connections. Safe to repeat."""
        for endpoint in self._endpoints.values():
            await endpoint.stop()
        self._endpoints = {}

    def address(self, device: str) -> tuple[str, int]:
        """Host and port that a device answers at, the port picked where it was 0."""
        configured = self._devices[device].device
        return configured.host, self._endpoints[configured.host, configured.port].port

    def set_fault(self, device: str, fault: Fault | None) -> None:
        """Switch a device's fault on, or off again."""
        self._devices[device].fault = fault

    def _by_place(self) -> dict[tuple[str, int], list[AnsweringDevice]]:
        places: dict[tuple[str, int], list[AnsweringDevice]] = {}
        for answering in self._devices.values():
            places.setdefault((answering.device.host, answering.device.port), []).append(answering)
        return places


class _Endpoint(ModbusTcpServer):
    """One listening port and the units behind it."""

    def __init__(
        self,
        place: tuple[str, int],
        devices: Sequence[AnsweringDevice],
        tls: ssl.SSLContext | None,
    ) -> None:
        if tls is not None:
            self.tls_setup = CommParams(comm_type=CommType.TLS, sslctx=tls, reconnect_delay=0)
        unused = SimDevice(0, [SimData(0, datatype=DataType.REGISTERS)])
        super().__init__(unused, address=place, custom_pdu=[_IdentificationRequest])
        self._units = _Units(devices)
        self.context = self._units
        self._place = place

    @property
    def port(self) -> int:
        port: int = self.transport.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        return port

    async def start(self) -> None:
        if not await self.listen():
            host, port = self._place
            raise ConfigError(f"simulated Modbus: cannot listen on {host}:{port}; is it in use?")

    async def stop(self) -> None:
        listener: asyncio.Server | None = self.transport  # type: ignore[assignment]
        await self.shutdown()  # type: ignore[no-untyped-call]
        if listener is not None:
            async with asyncio.timeout(STOP_SECONDS):
                await listener.wait_closed()

    def callback_new_connection(self) -> ServerRequestHandler:
        handler = ServerRequestHandler(self, None, None, None)  # type: ignore[no-untyped-call]
        handler.trace_packet = partial(self._pass, handler)
        return handler

    def _pass(self, handler: ServerRequestHandler, sending: bool, packet: bytes) -> bytes:
        """Let a packet through; an answer as the unit's fault leaves it."""
        fault = self._units.fault(packet[6]) if sending and len(packet) > 6 else None  # noqa: PLR2004 - the unit id's place
        if fault is None:
            return packet
        if fault.kind == "cut":
            handler.transport.write(packet[: len(packet) // 2])  # type: ignore[attr-defined]
            handler.close()
            return b""
        return spoilt(packet, fault.kind)


class _IdentificationRequest(ModbusPDU):
    """Function code 43/14; pymodbus's own knows one identity for the whole process."""

    function_code = ReadDeviceInformationResponse.function_code
    _level = _first = 0

    def decode(self, data: bytes) -> None:
        _, self._level, self._first = data

    async def datastore_update(self, context: _Units, device_id: int) -> ModbusPDU:  # type: ignore[override] # the endpoint's own
        """Answer with the unit's objects of the level asked for, from the first asked for on."""
        known = context.identification(device_id)
        if known is None:
            return ExceptionResponse(self.function_code, ExcCodes.GATEWAY_NO_RESPONSE)
        if not known:
            return ExceptionResponse(self.function_code, ExcCodes.ILLEGAL_FUNCTION)
        last = LAST_OBJECTS.get(self._level, 0xFF)
        objects = {n: text for n, text in sorted(known.items()) if self._first <= n <= last}
        return ReadDeviceInformationResponse(self._level, objects)


class _Units(SimCore):
    """pymodbus asks this for registers; there is no stored copy of them."""

    def __init__(self, devices: Sequence[AnsweringDevice]) -> None:
        super().__init__([])
        self._of_unit: dict[int, AnsweringDevice] = {}
        for answering in devices:
            unit = answering.device.unit
            if unit in self._of_unit:
                raise ConfigError(
                    f"simulated Modbus: {answering.device.id} and {self._of_unit[unit].device.id} "
                    f"are both unit {unit} at {answering.device.host}:{answering.device.port}"
                )
            self._of_unit[unit] = answering

    def fault(self, unit: int) -> Fault | None:
        answering = self._of_unit.get(unit)
        return answering.fault if answering else None

    def identification(self, unit: int) -> Mapping[int, str] | None:
        """What the unit says of itself; None where there is no such unit."""
        answering = self._of_unit.get(unit)
        return answering.device.identification if answering else None

    async def async_getValues(  # noqa: N802 - pymodbus's name
        self, device_id: int, func_code: int, address: int, count: int = 1
    ) -> list[int] | list[bool] | ExcCodes:
        """Answer a read; a unit that is not there is the gateway's to report."""
        answering = self._of_unit.get(device_id)
        if answering is None:
            return ExcCodes.GATEWAY_NO_RESPONSE
        answer = await answering.answer(TABLES[func_code], address, count)
        if isinstance(answer, int):
            return ExcCodes(answer)
        return answer if func_code > 2 else [bool(bit) for bit in answer]  # noqa: PLR2004

    async def async_setValues(  # noqa: N802 - pymodbus's name
        self,
        device_id: int,  # noqa: ARG002 - pymodbus's signature
        func_code: int,  # noqa: ARG002
        address: int,  # noqa: ARG002
        values: list[int] | list[bool],  # noqa: ARG002
    ) -> ExcCodes | None:
        """Refuse every write."""
        return ExcCodes.ILLEGAL_FUNCTION
