"""A live device, read by its driver, and what it answered kept as a capture.

The drivers know nothing of it: what is recorded passes their boundary to the outside world.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from collectors.captures.dump import Capture, ExporterText, Registers, Walk
from collectors.captures.registers import Place
from collectors.dcgm.opening import open_dcgm
from collectors.dcgm.source import DcgmSource
from collectors.exporter.opening import exporter_source, text_of
from collectors.exporter.source import Text
from collectors.modbus.gateway import Gateway, Transport
from collectors.modbus.opening import transport_of
from collectors.modbus.planner import BIT_TABLES, Range
from collectors.modbus.source import ModbusSource
from collectors.profile import Profile
from collectors.snmp.oid import Oid
from collectors.snmp.opening import session_of
from collectors.snmp.session import Missing, Request, Session, Value, Varbind
from collectors.snmp.source import SnmpSource
from collectors.source import Source
from facility.site import Device, Site


class Recorder(Protocol):
    """What has been answered so far."""

    def capture(self) -> Capture:
        """As a dump of the device would hold it; the latest answer counts."""


def open_recorded(device: Device, profile: Profile, site: Site) -> tuple[Source, Recorder]:
    """Make the source of a device, as `open_source` does, and the recorder of its answers.

    Raises:
        ConfigError: the device's credential is missing or cannot be used.
    """
    recorder: Recorder
    if profile.modbus is not None:
        recorder = transport = RecordingTransport(transport_of(device, site))
        return ModbusSource(device, profile.modbus, Gateway(transport)), recorder
    if profile.snmp is not None:
        recorder = session = RecordingSession(session_of(device, site))
        return SnmpSource(device, profile.snmp, session), recorder
    if device.address.scheme == "nvml":  # numbers of a library's calls, not of a text
        return open_dcgm(device, profile, site), RecordedNothing()
    recorder = text = RecordingText(text_of(device, site))
    if profile.exporter is not None:
        return exporter_source(device, profile.exporter, text), recorder
    assert profile.dcgm is not None
    return DcgmSource(device, profile.dcgm, text), recorder


class RecordingTransport:
    """A `collectors.modbus.gateway.Transport`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._values: dict[Place, int] = {}

    async def read(self, unit: int, place: Range, timeout_s: float) -> bytes:
        """See `Transport`."""
        payload = await self._transport.read(unit, place, timeout_s)
        values = (
            np.unpackbits(np.frombuffer(payload, np.uint8), bitorder="little")
            if place.table in BIT_TABLES
            else np.frombuffer(payload, ">u2")
        )
        for address, value in zip(range(place.address, place.end), values.tolist(), strict=False):
            self._values[place.table, address] = value
        return payload

    def close(self) -> None:
        """See `Transport`."""
        self._transport.close()

    def capture(self) -> Registers:
        """See `Recorder`."""
        return Registers(dict(self._values))


class RecordingSession:
    """A `collectors.snmp.session.Session`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.can_bulk = session.can_bulk
        self._cells: dict[Oid, Value] = {}

    async def ask(self, request: Request) -> list[Varbind]:
        """See `Session`."""
        varbinds = await self._session.ask(request)
        self._cells.update((o, value) for o, value in varbinds if not isinstance(value, Missing))
        return varbinds

    async def close(self) -> None:
        """See `Session`."""
        await self._session.close()

    def capture(self) -> Walk:
        """See `Recorder`."""
        return Walk(dict(self._cells))


class RecordingText:
    """A `collectors.exporter.source.Text`."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._last = b""

    async def get(self) -> bytes:
        """See `Text`."""
        self._last = await self._text.get()
        return self._last

    async def close(self) -> None:
        """See `Text`."""
        await self._text.close()

    def capture(self) -> ExporterText:
        """See `Recorder`."""
        return ExporterText(self._last)


class RecordedNothing:
    """Of a device that is asked through calls, which leave nothing to record."""

    def capture(self) -> ExporterText:
        """See `Recorder`."""
        return ExporterText(b"")
