"""From a captured dump to a Source: the driver of its protocol, on answers from the dump."""

from __future__ import annotations

import asyncio

from collectors.captures.dump import Capture, ExporterText, Registers, Walk
from collectors.captures.mistake import CaptureError
from collectors.captures.unit import CaptureUnit, registers_source
from collectors.captures.walk import CaptureSession
from collectors.dcgm.source import DcgmSource
from collectors.exporter.opening import exporter_source
from collectors.identify.agent import identify_agent
from collectors.identify.exporter import identify_exporter
from collectors.identify.finding import Finding
from collectors.identify.unit import identify_unit
from collectors.lone_device import lone_device
from collectors.profile import Profile, SnmpLimits
from collectors.snmp.exchange import Exchange
from collectors.snmp.sizes import Sizes
from collectors.snmp.source import SnmpSource
from collectors.source import Source
from facility.address import PROTOCOL_SCHEMES, Address
from facility.site import Device

TIMEOUT_SECONDS = 60.0
"""For one reading of a capture; nothing is waited for, but a driver plans by it."""
PROTOCOLS: dict[type[Capture], tuple[str, ...]] = {
    Walk: ("snmp",),
    Registers: ("modbus",),
    ExporterText: ("dcgm", "exporter"),
}


async def identify_capture(capture: Capture) -> Finding:
    """The profiles that a dump can be read with.

    Raises:
        DeviceError: it holds nothing that says whose it is.
    """
    match capture:
        case Walk(cells):
            deadline = asyncio.get_running_loop().time() + TIMEOUT_SECONDS
            sizes = Sizes.of(SnmpLimits())
            return await identify_agent(Exchange(CaptureSession(cells), sizes, deadline))
        case ExporterText(text):
            return identify_exporter(text.decode("utf-8", "replace"))
        case Registers(values):
            return await identify_unit(CaptureUnit(_device("capture", "", "modbus"), values))


def open_capture(device: str, profile: Profile, capture: Capture) -> Source:
    """The source that reads the dump as this device model.

    Raises:
        CaptureError: the dump is of another protocol than the profile.
    """
    protocols = PROTOCOLS[type(capture)]
    if profile.protocol not in protocols:
        raise CaptureError(
            f"the capture is of {' or '.join(protocols)}, profile {profile.name} is read over "
            f"{profile.protocol}"
        )
    entry = _device(device, profile.name, profile.protocol)
    match capture:
        case Walk(cells):
            assert profile.snmp is not None
            return SnmpSource(entry, profile.snmp, CaptureSession(cells))
        case Registers(values):
            assert profile.modbus is not None
            return registers_source(entry, profile.modbus, values)
        case ExporterText() if profile.dcgm is not None:
            return DcgmSource(entry, profile.dcgm, capture)
        case ExporterText():
            assert profile.exporter is not None
            return exporter_source(entry, profile.exporter, capture)


def _device(name: str, profile: str, protocol: str) -> Device:
    address = Address(scheme=PROTOCOL_SCHEMES[protocol][0], host="capture", port=1)
    return lone_device(name, profile, address, TIMEOUT_SECONDS)
