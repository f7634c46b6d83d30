"""Make the source of a node's GPUs: through its exporter, or NVML on the node itself."""

from __future__ import annotations

from collectors.dcgm.source import DcgmSource
from collectors.exporter.opening import text_of
from collectors.profile import Profile
from collectors.source import Source
from collectors.this_machine import is_this_machine, machine_name
from facility.errors import ConfigError
from facility.site import Device, Site


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
