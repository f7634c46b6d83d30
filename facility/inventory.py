"""The inventory: a CSV of devices, for the thousands that follow no pattern."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from facility.csv_rows import CsvRow, read_rows
from facility.mistakes import Mistake

COLUMNS = (
    "id",
    "profile",
    "address",
    "role",
    "credential",
    "interval_seconds",
    "timeout_seconds",
    "hall",
    "row",
    "rack",
    "fed_by",
    "gpus",
)
REQUIRED = COLUMNS[:4]
_PLACE = ("hall", "row", "rack")


class Row(NamedTuple):
    """What one row states of its device; an empty cell states nothing."""

    origin: CsvRow
    fields: dict[str, Any]


def parse_inventory(text: str, name: str) -> Iterator[Row | Mistake]:
    """Give each row, or what is wrong with it.

    Columns may stand in any order; `fed_by` and UUIDs of `gpus` are separated by `;`.
    """
    for row in read_rows(text, name, COLUMNS, REQUIRED):
        yield row if isinstance(row, Mistake) else Row(row.origin, _fields(row.given))


def _fields(given: Mapping[str, str]) -> dict[str, Any]:
    fields: dict[str, Any] = {key: _number(key, cell) for key, cell in given.items()}
    place = {key: fields.pop(key) for key in _PLACE if key in fields}
    if place:
        fields["place"] = place
    if "fed_by" in fields:
        fields["fed_by"] = _parts(fields["fed_by"])
    if "gpus" in fields:
        gpus = fields["gpus"]
        fields["gpus"] = int(gpus) if gpus.isdecimal() else _parts(gpus)
    return fields


def _parts(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split(";"))


def _number(column: str, cell: str) -> float | str:
    if not column.endswith("_seconds"):
        return cell
    try:
        return float(cell)
    except ValueError:
        return cell  # the device's model says what is wrong with it
