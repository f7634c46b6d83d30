"""`busway dry-run`: a captured dump, read as if its device stood there."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

from busway.format import Format
from busway.probe import read_once, show
from collectors.captures.dump import Capture, read_capture
from collectors.captures.opening import TIMEOUT_SECONDS, identify_capture, open_capture
from collectors.profile import Profile
from collectors.profile_library import load_profile
from collectors.source import Poll
from facility.errors import DeviceError

AUTO = "auto"


def read_dump(profile_name: str, path: Path, output_format: Format) -> None:
    """Print every point that the dump holds of a profile; `auto` finds the profile, and says why.

    Raises:
        ConfigError: the dump cannot be read or is of another protocol; no profile has that name,
            or none fits.
        DeviceError: the dump holds nothing of the profile.
    """
    capture = read_capture(path)
    try:
        asyncio.run(_read(profile_name, path, capture, output_format))
    except DeviceError as error:
        raise DeviceError(f"{path}: {error.kind}: {error}") from error


async def _read(name: str, path: Path, capture: Capture, output_format: Format) -> None:
    profile = await _identified(capture) if name == AUTO else load_profile(name)

    async def again(changed: Profile) -> Poll:
        source = open_capture(_device_name(path), changed, capture)
        return await read_once(source, TIMEOUT_SECONDS)

    await show(profile, await again(profile), capture, again, output_format)


async def _identified(capture: Capture) -> Profile:
    finding = await identify_capture(capture)
    fit = finding.chosen()
    print(f"{fit.profile.name}: {fit.evidence} ({finding.said})", file=sys.stderr)
    return fit.profile


def _device_name(path: Path) -> str:
    """The file's name as a device's: `PDU A (2).snmprec` is `pdu-a-2`."""
    return re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-") or "capture"
