"""Make a DcgmSource of a device."""

from __future__ import annotations

from collectors.dcgm.http import HttpText
from collectors.dcgm.source import DcgmSource
from collectors.profile import Profile
from collectors.source import SHARE_OF_DEADLINE
from facility.errors import ConfigError
from facility.site import Device, HttpCredential, Site


def open_dcgm(device: Device, profile: Profile, site: Site) -> DcgmSource:
    """Make the source of one exporter. Nothing is sent before its first read.

    Raises:
        ConfigError: its credential cannot be read, or it is to be read without an exporter.
    """
    assert profile.dcgm is not None
    return DcgmSource(device, profile.dcgm, text_of(device, site))


def text_of(device: Device, site: Site) -> HttpText:
    """Make the way to the exporter's text. Nothing is sent before it is first asked for.

    Raises:
        ConfigError: as `open_dcgm`.
    """
    if device.address.scheme == "nvml":
        raise ConfigError(f"{device.id}: {device.address}: write the exporter's http://HOST:9400")
    name = device.credential
    credential = site.http_credentials[name] if name else HttpCredential()
    try:
        return HttpText(device.address, credential, device.timeout_seconds * SHARE_OF_DEADLINE)
    except ConfigError as error:
        raise ConfigError(f"{device.id}: credential {name!r}: {error}") from error
