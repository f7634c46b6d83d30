"""What a wrong profile may have wrong: the order of a value's bytes, or all addresses by one.

Both give numbers that look like values. What tells is how many points fit: have a value, and
nothing speaks against it (`collectors.plausibility`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass

from collectors.plausibility import doubts, fitting
from collectors.profile import ModbusPoint, ModbusSection, Profile, WordOrder
from collectors.source import Poll
from facility.errors import DeviceError

Read = Callable[[Profile], Awaitable[Poll]]
"""A reading of the device by a changed profile. Raises DeviceError."""

SWAPPED_WORDS: Mapping[WordOrder, WordOrder] = {
    "ABCD": "CDAB",
    "CDAB": "ABCD",
    "BADC": "DCBA",
    "DCBA": "BADC",
}
SWAPPED_BYTES: Mapping[WordOrder, WordOrder] = {
    "ABCD": "BADC",
    "BADC": "ABCD",
    "CDAB": "DCBA",
    "DCBA": "CDAB",
}


@dataclass(frozen=True, slots=True)
class _Trial:
    """A changed profile, and what is changed in it."""

    change: str
    profile: Profile


async def explain_misreading(profile: Profile, own: Poll, *, same: Read, again: Read) -> str | None:
    """In words, which word order, or which addresses one off, fit more points than the profile's.

    Of all these the one that fits most is named: where addresses are off by one, swapped words
    often give numbers close to the right ones.

    None where nothing speaks against the values, and for other protocols than Modbus.

    Args:
        profile: as the device was read.
        own: what that gave.
        same: reads the same registers again, as recorded.
        again: reads from the device, other registers, too.
    """
    section = profile.modbus
    if section is None or not any(doubts(profile, own)):
        return None
    count, ours = len(own.points), fitting(profile, own)
    fits = [(await _fitting(trial.profile, same), trial) for trial in _orders(profile, section)]
    fits += [(await _fitting(trial.profile, again), trial) for trial in _shifts(profile, section)]
    fit, trial = max(fits, key=lambda pair: pair[0])
    if fit > ours:
        return f"{trial.change}, with which {fit} of {count} points fit; as it is, {ours} do"
    return (
        f"{ours} of {count} points fit; neither another word order nor addresses one off fit more"
    )


async def _fitting(profile: Profile, read: Read) -> int:
    try:
        return fitting(profile, await read(profile))
    except DeviceError:  # it has nothing at these addresses
        return 0


def _orders(profile: Profile, section: ModbusSection) -> Iterator[_Trial]:
    """The profile with words swapped, bytes of each register swapped, and both."""
    both = {order: SWAPPED_BYTES[SWAPPED_WORDS[order]] for order in SWAPPED_WORDS}
    for swap in (SWAPPED_WORDS, SWAPPED_BYTES, both):
        points = tuple(
            point.model_copy(update={"word_order": swap[point.word_order or section.word_order]})
            for point in section.points
        )
        found, said = swap[section.word_order], section.word_order
        change = f"the device seems to send word order {found}, the profile says {said}"
        yield _Trial(change, _with(profile, section, points))


def _shifts(profile: Profile, section: ModbusSection) -> Iterator[_Trial]:
    """The profile with each address one lower, and one higher."""
    for by, word in ((-1, "lower"), (1, "higher")):
        points = tuple(_shifted(point, by) for point in section.points)
        if all(0 <= point.address <= 0xFFFF for point in points):  # noqa: PLR2004 - 16 bits
            change = f"the device seems to count each address one {word} than the profile"
            yield _Trial(change, _with(profile, section, points))


def _shifted(point: ModbusPoint, by: int) -> ModbusPoint:
    exponent = point.exponent_address
    moved = {"exponent_address": None if exponent is None else exponent + by}
    return point.model_copy(update={"address": point.address + by} | moved)


def _with(profile: Profile, section: ModbusSection, points: tuple[ModbusPoint, ...]) -> Profile:
    changed = section.model_copy(update={"points": points})
    return profile.model_copy(update={"modbus": changed})
