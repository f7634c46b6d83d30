"""Make a ModbusSource of a device; devices with the same endpoint share one line."""

from __future__ import annotations

import ssl
from weakref import WeakValueDictionary

from collectors.growth import device_limits
from collectors.modbus.gateway import Gateway
from collectors.modbus.source import ModbusSource
from collectors.modbus.transport import ModbusTransport
from collectors.profile import Profile
from facility.errors import ConfigError
from facility.site import Device, Site, Tls

_Line = tuple[str, str, int, str | None]
_lines: WeakValueDictionary[_Line, Gateway] = WeakValueDictionary()
"""Lines in use, by scheme, host, port and credential; a line lives as long as its devices."""


def open_modbus(device: Device, profile: Profile, site: Site) -> ModbusSource:
    """Make the source of one device. Nothing is sent before its first read.

    Raises:
        ConfigError: its TLS files are missing or cannot be used.
    """
    assert profile.modbus is not None
    limits = device_limits(site, device.id)
    return ModbusSource(device, profile.modbus, _line_of(device, site), limits=limits)


def _line_of(device: Device, site: Site) -> Gateway:
    address = device.address
    key = (address.scheme, address.host, address.port, device.credential)
    line = _lines.get(key)
    if line is None:
        line = Gateway(transport_of(device, site))
        _lines[key] = line
    return line


def transport_of(device: Device, site: Site) -> ModbusTransport:
    """Make a connection of the device's own. Nothing is sent before its first read.

    Raises:
        ConfigError: as `open_modbus`.
    """
    address = device.address
    tls = _tls_context(device, site) if address.scheme == "modbus+tls" else None
    return ModbusTransport(address.host, address.port, tls)


def _tls_context(device: Device, site: Site) -> ssl.SSLContext:
    """How to know the device and be known by it; without a credential, the system's authorities."""
    tls = site.modbus_credentials[device.credential] if device.credential else Tls()
    try:
        context = ssl.create_default_context(cafile=tls.ca_file)
        context.check_hostname = tls.check_host_name
        if tls.certificate_file is not None:
            context.load_cert_chain(tls.certificate_file, tls.key_file)
    except OSError as error:
        raise ConfigError(
            f"{device.id}: credential {device.credential!r}: {error}; check ca_file, "
            "certificate_file and key_file"
        ) from error
    return context
