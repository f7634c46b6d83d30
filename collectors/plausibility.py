"""What speaks against the values of a first reading, row by row. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping

from collectors.consistency import Rows, contradictions
from collectors.profile import Profile
from collectors.source import Poll
from facility.catalogue import load_catalogue
from facility.quality import Quality

SMALLEST = 1e-12
"""In any quantity's unit; below it a value is not measured, but a float with bytes out of place."""


def doubts(profile: Profile, poll: Poll) -> list[str | None]:
    """Why each value cannot be right; None where nothing speaks against it, or there is none.

    Looked at: the quantity's range, the profile's `plausible` and `known_value`, and whether the
    values agree with each other.
    """
    values = poll.value.tolist()
    found = [
        None if math.isnan(value) else _doubt(profile, poll, row, value)
        for row, value in enumerate(values)
    ]
    for contradiction in contradictions(_by_component(poll, found)):
        for row in contradiction.rows:
            found[row] = found[row] or contradiction.text
    return found


def fitting(profile: Profile, poll: Poll) -> int:
    """How many points have a value that nothing speaks against."""
    found = doubts(profile, poll)
    return sum(
        doubt is None and not math.isnan(value)
        for doubt, value in zip(found, poll.value.tolist(), strict=True)
    )


def _doubt(profile: Profile, poll: Poll, row: int, value: float) -> str | None:
    component, quantity = poll.points.components[row], poll.points.quantities[row]
    entry = load_catalogue()[quantity]
    low, high = entry.range
    if not low <= value <= high:
        return f"outside {low:,g} to {high:,g} {entry.unit}"
    known = profile.modbus.identity.known_value if profile.modbus else None
    if known and (known.component, known.quantity) == (component, quantity):
        low, high = known.between
        if not low <= value <= high:
            return f"outside {low:,g} to {high:,g} {entry.unit}, which the profile knows it to be"
    if poll.quality[row] == Quality.UNCERTAIN:
        return "outside the range that the profile holds plausible"
    if value and abs(value) < SMALLEST:
        return f"{value:.3g} is too small to be measured"
    return None


def _by_component(poll: Poll, doubted: list[str | None]) -> Mapping[str, Rows]:
    """The values that can be compared: those that are not absurd already."""
    parts: dict[str, dict[str, tuple[int, float]]] = {}
    points = poll.points
    for row, value in enumerate(poll.value.tolist()):
        if doubted[row] is None and not math.isnan(value):
            parts.setdefault(points.components[row], {})[points.quantities[row]] = (row, value)
    return parts
