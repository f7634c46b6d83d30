"""The way from a device in the site file to the driver that reads it."""

from __future__ import annotations

from collections.abc import Callable

from collectors.dcgm.opening import open_dcgm
from collectors.exporter.opening import open_exporter
from collectors.modbus.opening import open_modbus
from collectors.profile import Profile
from collectors.snmp.opening import open_snmp
from collectors.source import Source
from facility.site import Device, Site

OPENERS: dict[str, Callable[[Device, Profile, Site], Source]] = {
    "dcgm": open_dcgm,
    "exporter": open_exporter,
    "modbus": open_modbus,
    "snmp": open_snmp,
}
"""By the profile's protocol."""


def open_source(device: Device, profile: Profile, site: Site) -> Source:
    """Make the source of a device. Nothing is sent before its first read.

    Raises:
        ConfigError: the device's credential is missing or cannot be used.
    """
    return OPENERS[profile.protocol](device, profile, site)
