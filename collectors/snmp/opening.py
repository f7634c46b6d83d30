"""Make an SnmpSource of a device."""

from __future__ import annotations

from collectors.profile import Profile
from collectors.snmp.source import SnmpSource
from collectors.snmp.transport import PysnmpSession
from facility.errors import ConfigError
from facility.site import Device, Site, SnmpCredential


def open_snmp(device: Device, profile: Profile, site: Site) -> SnmpSource:
    """Make the source of one device; without a credential, community `public` over SNMPv2c.

    Raises:
        ConfigError: the credential is incomplete, or its secrets cannot be read.
    """
    assert profile.snmp is not None
    name = device.credential
    credential = site.snmp_credentials[name] if name else SnmpCredential()
    try:
        session = PysnmpSession(device.address, credential)
    except ConfigError as error:
        raise ConfigError(f"{device.id}: credential {name!r}: {error}") from error
    return SnmpSource(device, profile.snmp, session)
