"""Make an SnmpSource of a device, over the fast engine where it is installed and can."""

from __future__ import annotations

from collectors.growth import device_limits
from collectors.profile import Profile
from collectors.snmp.session import Session
from collectors.snmp.source import SnmpSource
from collectors.snmp.transport import PysnmpSession
from facility.address import Address
from facility.errors import ConfigError
from facility.site import Device, Site, SnmpCredential

try:
    from collectors.snmp import gufo
except ImportError:  # the extra `fast` is not installed
    FAST = False
else:
    FAST = True


def open_snmp(device: Device, profile: Profile, site: Site) -> SnmpSource:
    """Make the source of one device; without a credential, community `public` over SNMPv2c.

    Raises:
        ConfigError: the credential is incomplete, or its secrets cannot be read.
    """
    assert profile.snmp is not None
    limits = device_limits(site, device.id)
    return SnmpSource(device, profile.snmp, session_of(device, site), limits=limits)


def session_of(device: Device, site: Site) -> Session:
    """Make a session with the device's agent. Nothing is sent before its first request.

    Raises:
        ConfigError: as `open_snmp`.
    """
    name = device.credential
    credential = site.snmp_credentials[name] if name else SnmpCredential()
    try:
        return open_session(device.address, credential)
    except ConfigError as error:
        raise ConfigError(f"{device.id}: credential {name!r}: {error}") from error


def open_session(address: Address, credential: SnmpCredential) -> Session:
    """Make a session with an agent, over the fast engine where it is installed and can.

    Raises:
        ConfigError: the credential's secrets cannot be read.
    """
    if FAST and gufo.speaks(credential):
        return gufo.GufoSession(address, credential)
    return PysnmpSession(address, credential)
