"""Make the source of a device behind an exporter."""

from __future__ import annotations

from collectors.exporter.exposition import Exposition
from collectors.exporter.fields import SeriesFields
from collectors.exporter.http import HttpText
from collectors.exporter.inventory import Whatever
from collectors.exporter.polls import Manners, Polls
from collectors.exporter.source import ExporterSource, Text
from collectors.profile import ExporterSection, Profile
from collectors.source import SHARE_OF_DEADLINE, Source
from facility.errors import ConfigError
from facility.site import Device, HttpCredential, Site

MANNERS = Manners(adds_up=True)


def open_exporter(device: Device, profile: Profile, site: Site) -> Source:
    """Make the source of one device. Nothing is asked before its first read.

    Raises:
        ConfigError: its credential cannot be read.
    """
    assert profile.exporter is not None
    return exporter_source(device, profile.exporter, text_of(device, site))


def exporter_source(device: Device, section: ExporterSection, text: Text) -> ExporterSource:
    """The source that reads a text by a profile's section."""
    exposition = Exposition(SeriesFields(section.points).recognise)
    polls = Polls(device, section.points, exposition, Whatever(section.points), MANNERS)
    return ExporterSource(device.id, text, exposition, polls)


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
