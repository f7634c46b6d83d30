"""How a table's rows are named: `{pdu}.{outlet}.5` between row suffixes and component names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from collectors.snmp.oid import Oid

_NAME = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class IndexPattern:
    """A row suffix by parts: a number stands for itself, a name binds whatever number is there."""

    parts: tuple[int | str, ...]

    def bind(self, suffix: Oid) -> dict[str, int] | None:
        """The names' numbers in this row, or None where the row is not of this pattern."""
        if len(suffix) != len(self.parts):
            return None
        names: dict[str, int] = {}
        for part, number in zip(self.parts, suffix, strict=True):
            if isinstance(part, str):
                names[part] = number
            elif part != number:
                return None
        return names

    def suffix(self, names: Mapping[str, int]) -> Oid:
        """The row where the names have these numbers; a name left out is 1."""
        return tuple(names.get(part, 1) if isinstance(part, str) else part for part in self.parts)


@cache
def parse_pattern(text: str) -> IndexPattern:
    """Read `{pdu}.{outlet}.5`.

    Raises:
        ValueError: a part is neither a number nor a name in braces, or a name stands twice.
    """
    parts = tuple(_part(text, part) for part in text.split("."))
    names = [part for part in parts if isinstance(part, str)]
    if len(set(names)) != len(names):
        raise ValueError(f"index '{text}' binds one name twice")
    return IndexPattern(parts)


def _part(text: str, part: str) -> int | str:
    if part.isdecimal():
        return int(part)
    if match := _NAME.fullmatch(part):
        return match[1]
    raise ValueError(
        f"index '{text}': '{part}' is neither a number nor a name in braces such as {{outlet}}"
    )


def names_of(component: str) -> tuple[str, ...]:
    """The index names that a component's template mentions."""
    return tuple(_NAME.findall(component))


def name_component(template: str, names: Mapping[str, int | str]) -> str:
    """`outlet.{outlet}` with outlet 7 is `outlet.7`."""
    return _NAME.sub(lambda match: str(names[match[1]]), template)


def read_component(template: str, component: str) -> dict[str, int] | None:
    """The way back: the names' numbers, or None where the component is not of this template."""
    match = _matcher(template).fullmatch(component)
    return {name: int(number) for name, number in match.groupdict().items()} if match else None


@cache
def _matcher(template: str) -> re.Pattern[str]:
    literals = _NAME.split(template)
    literals[::2] = [re.escape(literal) for literal in literals[::2]]
    literals[1::2] = [f"(?P<{name}>[0-9]+)" for name in literals[1::2]]
    return re.compile("".join(literals))
