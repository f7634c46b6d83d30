"""`busway dry-run`: a captured dump, read as if its device stood there."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

from busway.format import Format
from busway.output import write_table
from busway.probe import read
from collectors.captures.dump import Capture, read_capture
from collectors.captures.opening import TIMEOUT_SECONDS, identify_capture, open_capture
from collectors.profile import Profile
from collectors.profile_library import load_profile

AUTO = "auto"


def read_dump(profile_name: str, path: Path, output_format: Format) -> None:
    """Print every point that the dump holds of a profile; `auto` finds the profile, and says why.

    Raises:
        ConfigError: the dump cannot be read or is of another protocol; no profile has that name,
            or none fits.
        DeviceError: the dump holds nothing of the profile.
    """
    capture = read_capture(path)
    profile = _identified(capture) if profile_name == AUTO else load_profile(profile_name)
    source = open_capture(_device_name(path), profile, capture)
    write_table(read(source, str(path), TIMEOUT_SECONDS), output_format)


def _identified(capture: Capture) -> Profile:
    found = asyncio.run(identify_capture(capture))
    print(f"{found.profile.name}: {found.reason}", file=sys.stderr)
    return found.profile


def _device_name(path: Path) -> str:
    """The file's name as a device's: `PDU A (2).snmprec` is `pdu-a-2`."""
    return re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-") or "capture"
