"""Asking what stands at an address, over the protocol of its scheme."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from collectors.exporter.opening import text_of
from collectors.identify.agent import identify_agent
from collectors.identify.exporter import identify_exporter
from collectors.identify.finding import Finding
from collectors.identify.unit import identify_unit
from collectors.modbus.gateway import Gateway
from collectors.modbus.identification import read_identification
from collectors.modbus.opening import transport_of
from collectors.modbus.planner import Range
from collectors.modbus.source import ModbusSource
from collectors.modbus.transport import ModbusTransport
from collectors.profile import ModbusSection, SnmpLimits
from collectors.snmp.exchange import Exchange
from collectors.snmp.opening import session_of
from collectors.snmp.sizes import Sizes
from collectors.source import Poll
from facility.errors import DeviceTimeout
from facility.site import Device, Site

SHARE_OF_REQUEST = 0.25
"""Of the time given, for one request to a Modbus unit: some are silent to what they do not know."""


async def identify_at(device: Device, site: Site) -> Finding:
    """Ask what stands at the device's address; its profile is not looked at.

    Args:
        device: address, credential, and the time for the whole conversation.
        site: whose credentials these are.

    Raises:
        ConfigError: the credential cannot be used.
        DeviceError: nothing answers, or not as the protocol asks.
    """
    ask = {"snmp": _agent, "modbus": _unit, "modbus+tls": _unit}.get(device.address.scheme, _text)
    try:
        async with asyncio.timeout(device.timeout_seconds):
            return await ask(device, site)
    except TimeoutError:
        raise DeviceTimeout(f"not done within {device.timeout_seconds:g} s") from None


async def _agent(device: Device, site: Site) -> Finding:
    session = session_of(device, site)
    deadline = asyncio.get_running_loop().time() + device.timeout_seconds
    try:
        return await identify_agent(Exchange(session, Sizes.of(SnmpLimits()), deadline))
    finally:
        await session.close()


async def _text(device: Device, site: Site) -> Finding:
    text = text_of(device, site)
    try:
        return identify_exporter((await text.get()).decode("utf-8", "replace"))
    finally:
        await text.close()


async def _unit(device: Device, site: Site) -> Finding:
    transport = transport_of(device, site)
    try:
        return await identify_unit(LineUnit(device, transport))
    finally:
        transport.close()


class LineUnit:
    """A unit at the end of a line of its own; a `collectors.identify.unit.Unit`."""

    def __init__(self, device: Device, transport: ModbusTransport) -> None:
        self._device = device
        self._transport = transport
        self._seconds = device.timeout_seconds * SHARE_OF_REQUEST
        self._gateway = Gateway(transport)
        self._gateway.join(self, device.address.unit, 0)  # keeps the connection between polls

    async def identification(self) -> Mapping[str, str]:
        """See `Unit`."""
        return await read_identification(self._objects)

    async def read(self, place: Range) -> bytes:
        """See `Unit`."""
        return await self._transport.read(self._device.address.unit, place, self._seconds)

    async def poll(self, section: ModbusSection) -> Poll:
        """See `Unit`."""
        source = ModbusSource(self._device, section, self._gateway)
        try:
            return await source.read()
        finally:
            await source.close()

    async def _objects(self, level: int, first: int) -> bytes:
        unit = self._device.address.unit
        return await self._transport.identification(unit, level, first, self._seconds)
