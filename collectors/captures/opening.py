"""From a captured dump to a Source: the driver of its protocol, on answers from the dump."""

from __future__ import annotations

import asyncio

from collectors.captures.dump import Capture, ExporterText, Registers, Walk
from collectors.captures.line import CaptureTransport
from collectors.captures.mistake import CaptureError
from collectors.captures.walk import CaptureSession
from collectors.dcgm.source import DcgmSource
from collectors.identify import Identification, identify_agent, identify_exporter
from collectors.lone_device import lone_device
from collectors.modbus.gateway import Gateway
from collectors.modbus.source import ModbusSource
from collectors.profile import ModbusSection, Profile, SnmpLimits
from collectors.snmp.exchange import Exchange
from collectors.snmp.sizes import Sizes
from collectors.snmp.source import SnmpSource
from collectors.source import Source
from facility.address import PROTOCOL_SCHEMES, Address
from facility.errors import ProfileError

TIMEOUT_SECONDS = 60.0
"""For one reading of a capture; nothing is waited for, but a driver plans by it."""
PROTOCOLS: dict[type[Capture], str] = {Walk: "snmp", Registers: "modbus", ExporterText: "dcgm"}


async def identify_capture(capture: Capture) -> Identification:
    """The profile a dump is read with.

    Raises:
        ProfileError: none fits, or the dump does not say whose it is.
    """
    match capture:
        case Walk(cells):
            deadline = asyncio.get_running_loop().time() + TIMEOUT_SECONDS
            sizes = Sizes.of(SnmpLimits())
            return await identify_agent(Exchange(CaptureSession(cells), sizes, deadline))
        case ExporterText(text):
            return identify_exporter(text.decode())
        case Registers():
            raise ProfileError("registers do not say whose they are; name the profile")


def open_capture(device: str, profile: Profile, capture: Capture) -> Source:
    """The source that reads the dump as this device model.

    Raises:
        CaptureError: the dump is of another protocol than the profile.
    """
    protocol = PROTOCOLS[type(capture)]
    if protocol != profile.protocol:
        raise CaptureError(
            f"the capture is of {protocol}, profile {profile.name} is read over {profile.protocol}"
        )
    address = Address(scheme=PROTOCOL_SCHEMES[protocol][0], host="capture", port=1)
    entry = lone_device(device, profile, address, TIMEOUT_SECONDS)
    match capture:
        case Walk(cells):
            assert profile.snmp is not None
            return SnmpSource(entry, profile.snmp, CaptureSession(cells))
        case Registers(values):
            assert profile.modbus is not None
            section = _unhurried(profile.modbus)
            return ModbusSource(entry, section, Gateway(CaptureTransport(values, section.table)))
        case ExporterText():
            assert profile.dcgm is not None
            return DcgmSource(entry, profile.dcgm, capture)


def _unhurried(section: ModbusSection) -> ModbusSection:
    """Without the silence that the device itself would need between requests."""
    return section.model_copy(
        update={"limits": section.limits.model_copy(update={"gap_milliseconds": 0})}
    )
