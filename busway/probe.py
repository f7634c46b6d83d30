"""`busway probe`: one reading of one device, shown point by point."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
from pydantic import TypeAdapter, ValidationError

from busway.format import Format
from busway.output import write_table
from busway.readings import poll_table
from busway.site import load_checked_site
from collectors.lone_device import lone_device
from collectors.open_source import open_source
from collectors.profile import Profile
from collectors.profile_library import load_profile
from collectors.source import Poll, Source
from facility.address import PROTOCOL_SCHEMES, Address, AddressUrl
from facility.errors import ConfigError, DeviceError, DeviceTimeout
from facility.mistakes import did_you_mean
from facility.site import Device, Site

CLOSE_SECONDS = 2.0
AD_HOC = "probe"
"""Name of a device that is given by its address."""


def probe(
    target: str,
    *,
    site_file: Path,
    profile_name: str,
    credential: str,
    timeout_seconds: float,
    output_format: Format,
) -> None:
    """Read a device once and print every point.

    Args:
        target: a device of the site, or with a profile its address.
        site_file: where the device stands; with a profile, only read for a credential.
        profile_name: empty for a device of the site.
        credential: name of one of the site's; empty for the device's own, or for none.
        timeout_seconds: for the whole reading, a survey of the device's tables included.
        output_format: how to print.

    Raises:
        ConfigError: there is no such device, profile or credential, or the address is wrong.
        DeviceError: nothing could be read.
    """
    site = load_checked_site(site_file) if credential or not profile_name else no_site()
    if profile_name:
        device = device_at(target, load_profile(profile_name), timeout_seconds)
    else:
        device = _of_site(site, target)
    profile = load_profile(device.profile)
    changes: dict[str, object] = {"timeout_seconds": timeout_seconds}
    if credential:
        changes["credential"] = known_credential(site, profile.protocol, credential)
    source = open_source(device.model_copy(update=changes), profile, site)
    write_table(read(source, target, timeout_seconds), output_format)


def read(source: Source, name: str, timeout_seconds: float) -> pa.Table:
    """Read once, and let the connection go: one row a point, as `poll_table` says.

    Raises:
        DeviceError: nothing could be read; it begins with the name.
    """
    try:
        return poll_table(asyncio.run(_read_once(source, timeout_seconds)))
    except DeviceError as error:
        raise DeviceError(f"{name}: {error.kind}: {error}") from error


async def _read_once(source: Source, timeout_seconds: float) -> Poll:
    try:
        async with asyncio.timeout(timeout_seconds):
            return await source.read()
    except TimeoutError:
        raise DeviceTimeout(f"no answer within {timeout_seconds:g} s") from None
    finally:
        async with asyncio.timeout(CLOSE_SECONDS):
            await source.close()


def device_at(address: str, profile: Profile, timeout_seconds: float) -> Device:
    """A device that is in no site. An address without a scheme gets the profile's.

    Raises:
        ConfigError: the address is wrong, or of another protocol than the profile.
    """
    place = parse_place(address, profile.protocol)
    return lone_device(AD_HOC, profile, place, timeout_seconds)


def parse_place(address: str, protocol: str) -> Address:
    """An address; without a scheme it gets the protocol's.

    Raises:
        ConfigError: it is wrong, or of another protocol.
    """
    schemes = PROTOCOL_SCHEMES[protocol]
    url = address if "://" in address else f"{schemes[0]}://{address}"
    try:
        place: Address = TypeAdapter(AddressUrl).validate_python(url)
    except ValidationError as error:
        raise ConfigError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None
    if place.scheme not in schemes:
        raise ConfigError(f"{url}: expected {' or '.join(schemes)}, found {place.scheme}")
    return place


def known_credential(site: Site, protocol: str, name: str) -> str:
    """The name, if the site has such a credential for the protocol.

    Raises:
        ConfigError: it has not.
    """
    key = {"snmp": "snmp_credentials", "dcgm": "http_credentials", "modbus": "modbus_credentials"}
    known: Mapping[str, object] = getattr(site, key[protocol])
    if name not in known:
        raise ConfigError(
            f"site {site.name}: {key[protocol]} has no '{name}'; {did_you_mean(name, known)}"
        )
    return name


def _of_site(site: Site, name: str) -> Device:
    for device in site.devices:
        if device.id == name:
            return device
    names = [device.id for device in site.devices]
    raise ConfigError(
        f"site {site.name} has no device '{name}' (an address needs --profile); "
        f"{did_you_mean(name, names)}"
    )


def no_site() -> Site:
    """A site of no devices, for a device that is in none."""
    return Site(name=AD_HOC, devices=())
