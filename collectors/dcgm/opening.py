"""Make the source of a node's GPUs: through its exporter, or NVML on the node itself."""

from __future__ import annotations

from collectors.dcgm.http import HttpText
from collectors.dcgm.source import DcgmSource
from collectors.profile import Profile
from collectors.source import SHARE_OF_DEADLINE, Source
from collectors.this_machine import is_this_machine, machine_name
from facility.errors import ConfigError
from facility.site import Device, HttpCredential, Site


def open_dcgm(device: Device, profile: Profile, site: Site) -> Source:
    """Make the source of one node. Nothing is asked before its first read.

    Raises:
        ConfigError: its credential cannot be read; or it is to be read through NVML, and is not
            this machine, or the extra is not installed.
    """
    assert profile.dcgm is not None
    if device.address.scheme == "nvml":
        return _open_nvml(device, profile)
    return DcgmSource(device, profile.dcgm, text_of(device, site))


def text_of(device: Device, site: Site) -> HttpText:
    """Make the way to the exporter's text. Nothing is sent before it is first asked for.

    Raises:
        ConfigError: its credential cannot be read, or it is to be read without an exporter.
    """
    if device.address.scheme == "nvml":
        raise ConfigError(
            f"{device.id}: {device.address}: NVML prints no text; write an exporter's "
            "http://HOST:9400"
        )
    name = device.credential
    credential = site.http_credentials[name] if name else HttpCredential()
    try:
        return HttpText(device.address, credential, device.timeout_seconds * SHARE_OF_DEADLINE)
    except ConfigError as error:
        raise ConfigError(f"{device.id}: credential {name!r}: {error}") from error


def _open_nvml(device: Device, profile: Profile) -> Source:
    assert profile.dcgm is not None
    if not is_this_machine(device.address.host):
        raise ConfigError(
            f"{device.id}: {device.address} is not this machine, {machine_name()}: NVML sees "
            "the GPUs of its own machine only; run a collector there, or write http://HOST:9400 "
            "of an exporter"
        )
    try:
        # Only a GPU node has the extra, and waits for it to load.
        from collectors.dcgm.nvml_source import NvmlSource  # noqa: PLC0415
    except ImportError as error:
        needed = "needs an extra: pip install 'busway[nvml]'"
        raise ConfigError(f"{device.id}: {device.address} {needed}") from error
    return NvmlSource(device, profile.dcgm)
