"""`busway probe`: one reading of one device, shown point by point."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from busway.devices import known_credential, no_site, parse_place
from busway.format import Format
from busway.output import write_table
from busway.readings import poll_table
from busway.site import load_checked_site
from collectors.captures.dump import Capture
from collectors.captures.opening import open_capture
from collectors.captures.recording import open_recorded
from collectors.captures.writing import dump_text
from collectors.lone_device import lone_device
from collectors.misread import explain_misreading
from collectors.profile import Profile
from collectors.profile_library import load_profile
from collectors.source import Poll, Source
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
    save: Path | None,
    output_format: Format,
) -> None:
    """Read a device once and print every point; on standard error, what may be wrong.

    Args:
        target: a device of the site, or with a profile its address.
        site_file: where the device stands; with a profile, only read for a credential.
        profile_name: empty for a device of the site.
        credential: name of one of the site's; empty for the device's own, or for none.
        timeout_seconds: for the whole reading, a survey of the device's tables included.
        save: a file for what the device answered, as a capture; None for no file.
        output_format: how to print.

    Raises:
        ConfigError: there is no such device, profile or credential, the address is wrong, or the
            file cannot be written.
        DeviceError: nothing could be read.
    """
    site = load_checked_site(site_file) if credential or not profile_name else no_site()
    if profile_name:
        named = load_profile(profile_name)
        place = parse_place(target, named.protocol)
        device = lone_device(AD_HOC, profile_name, place, timeout_seconds)
    else:
        device = _of_site(site, target)
    profile = load_profile(device.profile)
    changes: dict[str, object] = {"timeout_seconds": timeout_seconds}
    if credential:
        changes["credential"] = known_credential(site, profile.protocol, credential)
    device = device.model_copy(update=changes)
    try:
        asyncio.run(_probe(device, profile, site, save, output_format))
    except DeviceError as error:
        raise DeviceError(f"{target}: {error.kind}: {error}") from error


async def _probe(
    device: Device, profile: Profile, site: Site, save: Path | None, output_format: Format
) -> None:
    async def again(changed: Profile) -> Poll:
        source, _ = open_recorded(device, changed, site)
        return await read_once(source, device.timeout_seconds)

    source, recorder = open_recorded(device, profile, site)
    poll = await read_once(source, device.timeout_seconds)
    if save is not None:
        _write(save, recorder.capture())
    await show(profile, poll, recorder.capture(), again, output_format)


async def show(
    profile: Profile,
    poll: Poll,
    capture: Capture,
    again: Callable[[Profile], Awaitable[Poll]],
    output_format: Format,
) -> None:
    """Print a reading point by point; on standard error, which other reading of it fits better.

    `again` reads the device by a changed profile, `capture` is what it answered the first time.
    """

    async def same(changed: Profile) -> Poll:
        return await open_capture(poll.points.device, changed, capture).read()

    write_table(poll_table(profile, poll, capture), output_format)
    explained = await explain_misreading(profile, poll, same=same, again=again)
    if explained:
        print(f"{poll.points.device}: {explained}", file=sys.stderr)


async def read_once(source: Source, timeout_seconds: float) -> Poll:
    """Read once, and let the connection go.

    Raises:
        DeviceError: nothing could be read.
    """
    try:
        async with asyncio.timeout(timeout_seconds):
            return await source.read()
    except TimeoutError:
        raise DeviceTimeout(f"no answer within {timeout_seconds:g} s") from None
    finally:
        async with asyncio.timeout(CLOSE_SECONDS):
            await source.close()


def _write(path: Path, capture: Capture) -> None:
    try:
        path.write_bytes(dump_text(capture))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from error


def _of_site(site: Site, name: str) -> Device:
    for device in site.devices:
        if device.id == name:
            return device
    names = [device.id for device in site.devices]
    raise ConfigError(
        f"site {site.name} has no device '{name}' (an address needs --profile); "
        f"{did_you_mean(name, names)}"
    )
