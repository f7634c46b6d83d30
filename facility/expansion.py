"""Names made from ranges: `hall-{hall}/rack-{rack:02}` for every hall and rack.

A placeholder is `{name}`, `{name:02}` (padded with zeros), `{name+100}` or `{name-1}` (shifted), or
`{name#}` (which of the values it is, from 1), and combinations: `{side#+100:03}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

from facility.mistakes import did_you_mean

Value = int | str
Ranges = Mapping[str, Sequence[Value]]

LARGEST = 1_000_000
"""Devices in one group; more is a slip of the pen."""

_RANGE = re.compile(r"(\d{1,9})\.\.(\d{1,9})")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_BODY = re.compile(r"([a-z][a-z0-9_]*)(#?)([+-]\d{1,9})?(?::0?(\d))?")


def range_values(written: object) -> tuple[Value, ...]:
    """Values of one `for:` variable, written as `1..10`, or a list such as `[a, b]` or `[1..4, 6]`.

    Raises:
        ValueError: saying what was found and what would be right.
    """
    if isinstance(written, str) and not _RANGE.fullmatch(written):
        raise ValueError(
            f"expected a range such as 1..10 or a list such as [a, b], found '{written}'"
        )
    items = written if isinstance(written, (list, tuple)) else [written]
    values = [value for item in items for value in _item_values(item)]
    if not values:
        raise ValueError("expected at least one value, found an empty list")
    if len(set(values)) < len(values):
        twice = next(value for value in values if values.count(value) > 1)
        raise ValueError(f"value {twice!r} stands twice; keep one")
    return tuple(values)


def _item_values(item: object) -> Sequence[Value]:
    if isinstance(item, bool) or not isinstance(item, (int, str)):
        raise ValueError(f"expected a number, a word or a range such as 1..10, found {item!r}")  # noqa: TRY004 - pydantic reads ValueError
    if isinstance(item, int) or not (match := _RANGE.fullmatch(item)):
        return (item,)
    first, last = int(match[1]), int(match[2])
    if last < first:
        raise ValueError(f"range {item} runs backwards; write {last}..{first}")
    if last - first >= LARGEST:
        raise ValueError(f"range {item} has more than {LARGEST:,} values")
    return range(first, last + 1)


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One `{...}` of a text: a variable's value or its position, shifted."""

    name: str
    is_position: bool
    shift: int | None

    def value(self, value: Value, position: int) -> Value:
        """What stands in its place for one value of the variable."""
        chosen = position if self.is_position else value
        return chosen if self.shift is None else int(chosen) + self.shift


@dataclass(frozen=True, slots=True)
class Template:
    """A text with placeholders, ready to be filled.

    `text` is a format string whose field names are the keys of `placeholders`.
    """

    text: str
    placeholders: Mapping[str, Placeholder]

    def fill(self, values: Mapping[str, Value]) -> str:
        """Put a value in every place; `values` is one of `combinations`."""
        return self.text.format_map(values)


def parse_template(text: str, ranges: Ranges) -> Template:
    """Check a text's placeholders against the variables there are.

    Raises:
        ValueError: naming the placeholder and what would be right.
    """
    placeholders: dict[str, Placeholder] = {}

    def field(match: re.Match[str]) -> str:
        body = _BODY.fullmatch(match[1])
        if not body:
            raise ValueError(
                f"placeholder {match[0]} in '{text}' is not understood; "
                "write {name}, {name:02}, {name+100} or {name#}"
            )
        name, position, shift, width = body.groups()
        if not ranges:
            raise ValueError(
                f"{match[0]} in '{text}' stands for nothing; "
                "placeholders belong to entries with for:"
            )
        if name not in ranges:
            raise ValueError(
                f"{match[0]} in '{text}' is not under for:; {did_you_mean(name, ranges)}"
            )
        if (shift or width) and not position and any(isinstance(v, str) for v in ranges[name]):
            raise ValueError(
                f"{match[0]} in '{text}' calculates with words; "
                f"write {{{name}}}, or {{{name}#}} for its position"
            )
        key = f"{name}{position}{shift or ''}"
        placeholders[key] = Placeholder(name, bool(position), int(shift) if shift else None)
        return f"{{{key}:0{width}}}" if width else f"{{{key}}}"

    filled = _PLACEHOLDER.sub(field, text)
    if re.search(r"[{}]", _PLACEHOLDER.sub("", text)):
        raise ValueError(f"'{text}' has a brace without its partner")
    return Template(filled, placeholders)


def combinations(ranges: Ranges, templates: Iterable[Template]) -> Iterator[dict[str, Value]]:
    """Give, for every combination of values, what fills the templates.

    The last variable runs fastest. Without variables there is one combination.
    """
    wanted = {key: p for template in templates for key, p in template.placeholders.items()}
    choices = [
        [
            {key: p.value(value, position) for key, p in wanted.items() if p.name == name}
            for position, value in enumerate(values, start=1)
        ]
        for name, values in ranges.items()
    ]
    for parts in product(*choices):
        yield {key: value for part in parts for key, value in part.items()}


def count(ranges: Ranges) -> int:
    """How many combinations there are."""
    return prod(len(values) for values in ranges.values())
