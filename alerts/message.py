"""Message templates: `{name}` for a few names, and nothing else; no code, no attributes.

A number may say how it is written: `{value:.1f}` with so many decimals, `{value:.0%}` in per cent.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

NUMBERS = frozenset({"value", "threshold"})
NAMES = NUMBERS | {"device", "component", "quantity", "unit", "place"}
_FIELD = re.compile(r"\{([^{}]*)\}")
_WRITTEN = re.compile(r"([a-z]+)(?::\.([0-6])([f%]))?")


def unknown_names(template: str) -> list[str]:
    """Give what stands in braces and cannot be filled in, in order."""
    return [name for name in _FIELD.findall(template) if not _is_known(name)]


def render(template: str, names: Mapping[str, str | float | None]) -> str:
    """Fill in the names; what is none of them stays as it stands."""
    return _FIELD.sub(lambda field: _filled(field[1], field[0], names), template)


def _is_known(name: str) -> bool:
    found = _WRITTEN.fullmatch(name)
    return found is not None and found[1] in (NAMES if found[2] is None else NUMBERS)


def _filled(name: str, written: str, names: Mapping[str, str | float | None]) -> str:
    found = _WRITTEN.fullmatch(name)
    if found is None or found[1] not in names:
        return written
    value = names[found[1]]
    if isinstance(value, str):
        return value
    if found[2] is None or value is None or not math.isfinite(value):
        return as_text(value)
    return f"{value:.{int(found[2])}{found[3]}}"


def as_text(value: float | None) -> str:
    """Write a number as people read it: 6 digits, no exponent where it can be done without."""
    if value is None or not math.isfinite(value):
        return "unknown"
    digits = max(0, 5 - math.floor(math.log10(abs(value)))) if value else 0
    text = f"{value:.{min(digits, 6)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
