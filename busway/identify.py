"""`busway identify`: what stands at an address, and which profile reads it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from busway.devices import CREDENTIALS, known_credential, no_site, parse_url, protocol_of
from busway.format import Format
from busway.output import write_table
from busway.site import load_checked_site
from collectors.identify.address import identify_at
from collectors.identify.finding import Finding
from collectors.lone_device import lone_device
from facility.address import PROTOCOL_SCHEMES, Address
from facility.errors import ConfigError, DeviceError, ProfileError
from facility.mistakes import did_you_mean
from facility.site import Device, Site

AD_HOC = "identify"
COLUMNS: dict[str, pa.DataType] = {
    "address": pa.string(),
    "answer": pa.string(),
    "profile": pa.string(),
    "evidence": pa.string(),
    "chosen": pa.bool_(),
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """An address and what became of asking it: a finding, or why there is none."""

    device: Device
    found: Finding | DeviceError


def identify(
    target: str,
    *,
    site_file: Path,
    credential: str,
    unit: int | None,
    timeout_seconds: float,
    output_format: Format,
) -> None:
    """Print what answers at the target and the profiles that fit, one row each; chosen or not.

    Args:
        target: an address with its scheme; a bare HOST or HOST:PORT is asked over every protocol.
        site_file: only read for a credential.
        credential: name of one of the site's, or empty.
        unit: Modbus unit id; None for the address's own.
        timeout_seconds: for each protocol.
        output_format: how to print.

    Raises:
        ConfigError: the address or the credential is wrong, or no profile fits.
        DeviceError: nothing answers.
    """
    site = load_checked_site(site_file) if credential else no_site()
    devices = _devices(target, site, credential, unit, timeout_seconds)
    asked = asyncio.run(_ask(devices, site))
    if not any(isinstance(one.found, Finding) for one in asked):
        raise DeviceError(f"{target}: {'; '.join(_silence(one) for one in asked)}")
    rows = [row for one in asked for row in _rows(one)]
    write_table(pa.Table.from_pylist(rows, pa.schema(COLUMNS)), output_format)
    _conclude(target, asked)


def _devices(
    target: str, site: Site, credential: str, unit: int | None, timeout_seconds: float
) -> list[Device]:
    """One for each address to ask."""
    places = _places(target)
    names = _logins(places, site, credential)
    if unit is not None:
        places = [
            place.model_copy(update={"unit": unit}) if protocol_of(place) == "modbus" else place
            for place in places
        ]
    return [
        lone_device(AD_HOC, "", place, timeout_seconds, name)
        for place, name in zip(places, names, strict=True)
    ]


def _places(target: str) -> list[Address]:
    """The address, or one of each protocol where it names none."""
    if "://" in target:
        return [parse_url(target)]
    return [parse_url(f"{schemes[0]}://{target}") for schemes in PROTOCOL_SCHEMES.values()]


def _logins(places: Sequence[Address], site: Site, credential: str) -> list[str | None]:
    """The credential's name for each place whose protocol has it.

    Raises:
        ConfigError: none has.
    """
    if not credential:
        return [None] * len(places)
    if len(places) == 1:
        return [known_credential(site, protocol_of(places[0]), credential)]
    of = [getattr(site, CREDENTIALS[protocol_of(place)]) for place in places]
    if not any(credential in known for known in of):
        near = did_you_mean(credential, [name for known in of for name in known])
        raise ConfigError(f"site {site.name} has no credential '{credential}'; {near}")
    return [credential if credential in known else None for known in of]


async def _ask(devices: Sequence[Device], site: Site) -> list[_Asked]:
    """Ask them side by side.

    Raises:
        ConfigError: a credential cannot be used.
    """
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_ask_one(device, site)) for device in devices]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]


async def _ask_one(device: Device, site: Site) -> _Asked:
    try:
        return _Asked(device, await identify_at(device, site))
    except DeviceError as error:
        return _Asked(device, error)


def _silence(asked: _Asked) -> str:
    assert isinstance(asked.found, DeviceError)
    return f"{asked.device.address}: {asked.found.kind}: {asked.found}"


def _rows(asked: _Asked) -> list[dict[str, object]]:
    row: dict[str, object] = dict.fromkeys(COLUMNS)
    row["address"], row["chosen"] = str(asked.device.address), False
    if isinstance(asked.found, DeviceError):
        return [row | {"answer": f"{asked.found.kind}: {asked.found}"}]
    finding = asked.found
    row["answer"] = finding.said
    if not finding.fits:
        return [row]
    return [
        row
        | {
            "profile": fit.profile.name,
            "evidence": fit.evidence,
            "chosen": finding.best == (fit,),
        }
        for fit in finding.fits
    ]


def _conclude(target: str, asked: Sequence[_Asked]) -> None:
    """Say which profile it is, or that it is left open, on standard error.

    Raises:
        ProfileError: none fits.
    """
    findings = [one.found for one in asked if isinstance(one.found, Finding) and one.found.fits]
    if not findings:
        raise ProfileError(f"{target}: no profile knows what answers; see 'busway profile list'")
    for finding in findings:
        names = " and ".join(fit.profile.name for fit in finding.best)
        several = len(finding.best) > 1
        print(f"{names} fit equally: name one" if several else names, file=sys.stderr)
