"""What a table's rows are called: by the numbers of their index, or by texts the device has. Pure.

A number may be given anew when a device starts again; a text that a maker or an operator has
chosen stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from collectors.profile import SnmpPoint
from collectors.snmp.index import name_component, parse_pattern
from collectors.snmp.oid import Oid, parse_oid
from collectors.snmp.session import Value

LONGEST_LABEL = 60
_BETWEEN_WORDS = re.compile(r"[\W_]+")

Row = tuple[SnmpPoint, Oid]
"""A point at a row suffix that its index fits; a scalar's suffix is empty."""


def name_rows(rows: Iterable[Row], cells: Mapping[Oid, Value]) -> list[str]:
    """The component of each row. Rows whose labels are the same have their numbers added."""
    rows = list(rows)
    labels = [_labels(point, suffix, cells) for point, suffix in rows]
    numbers: dict[tuple[str, str], set[int]] = {}
    for found in labels:
        for name, (number, label) in found.items():
            numbers.setdefault((name, label), set()).add(number)
    return [
        _component(point, suffix, found, numbers)
        for (point, suffix), found in zip(rows, labels, strict=True)
    ]


def label_cells(point: SnmpPoint, suffix: Oid) -> Iterable[Oid]:
    """Where the texts stand that may name this row."""
    for columns in point.labels.values():
        for column in columns:
            yield parse_oid(column) + suffix


def _labels(
    point: SnmpPoint, suffix: Oid, cells: Mapping[Oid, Value]
) -> dict[str, tuple[int, str]]:
    """By index name: its number in this row, and the text in its place, where there is one."""
    if not point.labels or point.index is None:
        return {}
    numbers = parse_pattern(point.index).bind(suffix) or {}
    found = {}
    for name, columns in point.labels.items():
        texts = (_text(cells.get(parse_oid(column) + suffix)) for column in columns)
        if text := next(filter(None, texts), ""):
            found[name] = (numbers[name], text)
    return found


def _text(cell: Value | None) -> str:
    """A text as part of a component's name: `PSU 1 / Inlet` is `psu-1-inlet`."""
    if not isinstance(cell, bytes):
        return ""
    words = _BETWEEN_WORDS.sub("-", cell.decode("utf-8", "replace"))
    return words.strip("-").lower()[:LONGEST_LABEL]


def _component(
    point: SnmpPoint,
    suffix: Oid,
    labels: Mapping[str, tuple[int, str]],
    numbers: Mapping[tuple[str, str], set[int]],
) -> str:
    if point.index is None:
        return point.component
    names: dict[str, int | str] = {**(parse_pattern(point.index).bind(suffix) or {})}
    for name, (number, label) in labels.items():
        alone = len(numbers[name, label]) == 1
        names[name] = label if alone else f"{label}-{number}"
    return name_component(point.component, names)
