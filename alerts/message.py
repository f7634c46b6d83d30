"""Message templates: `{name}` for a few names, and nothing else; no code, no attributes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

NAMES = frozenset({"value", "threshold", "device", "component", "quantity", "unit", "place"})
_FIELD = re.compile(r"\{([^{}]*)\}")


def unknown_names(template: str) -> list[str]:
    """Give what stands in braces and is none of NAMES, in order."""
    return [name for name in _FIELD.findall(template) if name not in NAMES]


def render(template: str, names: Mapping[str, str]) -> str:
    """Fill in the names; what is none of them stays as it stands."""
    return _FIELD.sub(lambda field: names.get(field[1], field[0]), template)


def as_text(value: float | None) -> str:
    """Write a number as people read it: 6 digits, no exponent where it can be done without."""
    if value is None or not math.isfinite(value):
        return "unknown"
    digits = max(0, 5 - math.floor(math.log10(abs(value)))) if value else 0
    text = f"{value:.{min(digits, 6)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
