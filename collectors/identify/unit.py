"""What a Modbus unit is: by its identification objects, its SunSpec models, or a known value."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from collectors.identify.finding import Finding, Fit, profiles_of
from collectors.modbus.frames import ModbusRefused
from collectors.modbus.gateway import SILENT_CODES
from collectors.modbus.planner import Range
from collectors.modbus.sunspec import SunSpec, find_sunspec
from collectors.plausibility import fitting
from collectors.profile import KnownValue, ModbusIdentity, ModbusPoint, ModbusSection, Profile
from collectors.source import Poll
from facility.errors import DeviceError, DeviceRefused, DeviceTimeout, DeviceUnreachable

SAID_SO, HAS_MODEL, HAS_VALUE = 3, 2, 1
"""Ranks of evidence: what the unit says, a SunSpec model where the profile reads it, a value."""
SHARE_TO_FIT = 0.5
"""Of a profile's points that must have plausible values, where only a value speaks for it."""


class Unit(Protocol):
    """A unit that can be asked: over its line, or from recorded registers."""

    async def identification(self) -> Mapping[str, str]:
        """Its objects by name, as `read_identification`. Raises DeviceError."""

    async def read(self, place: Range) -> bytes:
        """The register bytes of a range. Raises DeviceError."""

    async def poll(self, section: ModbusSection) -> Poll:
        """One reading by a profile. Raises DeviceError."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What the unit says of itself."""

    objects: Mapping[str, str]
    sunspec: SunSpec | None
    why_no_objects: str

    def __str__(self) -> str:
        objects = ", ".join(f"{name} {text!r}" for name, text in self.objects.items())
        models = str(self.sunspec) if self.sunspec else "no SunSpec marker"
        return f"{objects or f'no identification ({self.why_no_objects})'}; {models}"


async def identify_unit(unit: Unit, profiles: Sequence[Profile] | None = None) -> Finding:
    """Profiles of a Modbus unit, ranked by how they are known, then by their plausible points.

    Where something the unit says of itself speaks for a profile, known values are not looked at.

    Args:
        unit: to ask.
        profiles: to choose from; None for the library's.

    Raises:
        DeviceError: the unit cannot be reached, or answers nothing.
    """
    said = await _listen(unit)
    known = profiles_of("modbus") if profiles is None else profiles
    fits = [fit for profile in known if (fit := _fit_by_words(profile, said))]
    if not fits:
        others = [profile for profile in known if not _contradicts(profile, said)]
        found = [await _fit_by_value(profile, unit) for profile in others]
        fits = [fit for fit in found if fit]
    elif len(fits) > 1:
        best = Finding.of("", fits).best
        fits = [await _with_points(fit, unit) if fit in best else fit for fit in fits]
    return Finding.of(str(said), fits)


async def _listen(unit: Unit) -> _Said:
    objects: Mapping[str, str] = {}
    why = ""
    silence: DeviceTimeout | None = None
    try:
        objects = await unit.identification()
    except DeviceUnreachable:
        raise
    except DeviceTimeout as error:  # some say nothing to a function they do not know
        silence, why = error, "no answer"
    except DeviceError as error:
        if isinstance(error, ModbusRefused) and error.code in SILENT_CODES:
            raise
        why = str(error)
    try:
        return _Said(objects, await find_sunspec(unit.read), why)
    except DeviceTimeout:
        if silence is not None:
            raise
        return _Said(objects, None, why)


def _fit_by_words(profile: Profile, said: _Said) -> Fit | None:
    """Whether all that the profile asks of the unit's own words is so; it must ask something."""
    identity = _identity(profile)
    patterns = _patterns(identity)
    if patterns and all(_has(said.objects.get(name, ""), p) for name, p in patterns.items()):
        asked = " and ".join(f"{name} has {pattern!r}" for name, pattern in patterns.items())
        return Fit(profile, asked, (SAID_SO, len(patterns), 0))
    asked_model, models = identity.sunspec, said.sunspec.models if said.sunspec else {}
    if asked_model and models.get(asked_model.address) == asked_model.model:
        text = f"SunSpec model {asked_model.model} stands at {asked_model.address}"
        return Fit(profile, text, (HAS_MODEL, 0, 0))
    return None


def _contradicts(profile: Profile, said: _Said) -> bool:
    """Whether the unit says something else than the profile asks."""
    identity = _identity(profile)
    if identity.sunspec is not None:
        return True
    return any(
        name in said.objects and not _has(said.objects[name], pattern)
        for name, pattern in _patterns(identity).items()
    )


def _has(text: str, pattern: str) -> bool:
    return re.search(pattern, text, re.IGNORECASE) is not None


def _patterns(identity: ModbusIdentity) -> dict[str, str]:
    names = ("vendor_name", "product_code", "revision", "model_name")
    return {name: pattern for name in names if (pattern := getattr(identity, name))}


async def _fit_by_value(profile: Profile, unit: Unit) -> Fit | None:
    """Whether the profile's known value is there, and most of its other points are plausible."""
    section, known = profile.modbus, _identity(profile).known_value
    if section is None or known is None:
        return None
    try:
        value = (await unit.poll(_only(section, known))).value[0]
    except (DeviceUnreachable, DeviceTimeout):
        raise
    except DeviceError:
        return None
    low, high = known.between
    if not low <= value <= high:
        return None
    points = await _plausible_points(profile, unit)
    if points < SHARE_TO_FIT * len(profile.points):
        return None
    text = (
        f"{known.quantity} is {value:.4g}, expected {low:g} to {high:g}; "
        f"{points} of {len(profile.points)} points are plausible"
    )
    return Fit(profile, text, (HAS_VALUE, 0, points))


async def _with_points(fit: Fit, unit: Unit) -> Fit:
    points = await _plausible_points(fit.profile, unit)
    text = f"{fit.evidence}; {points} of {len(fit.profile.points)} points are plausible"
    return Fit(fit.profile, text, (*fit.rank[:2], points))


async def _plausible_points(profile: Profile, unit: Unit) -> int:
    assert profile.modbus is not None
    try:
        return fitting(profile, await unit.poll(profile.modbus))
    except DeviceRefused:
        return 0


def _only(section: ModbusSection, known: KnownValue) -> ModbusSection:
    """The section with its known value for its only point."""
    wanted = (known.component, known.quantity)
    points: tuple[ModbusPoint, ...] = tuple(
        point for point in section.points if (point.component, point.quantity) == wanted
    )
    return section.model_copy(update={"points": points})


def _identity(profile: Profile) -> ModbusIdentity:
    assert profile.modbus is not None
    return profile.modbus.identity
