"""The inventory: a CSV of devices, for the thousands that follow no pattern."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from typing import Any, NamedTuple

from facility.mistakes import Mistake, Step, did_you_mean

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
)
REQUIRED = COLUMNS[:4]
_PLACE = ("hall", "row", "rack")


@dataclass(frozen=True, slots=True, eq=False)
class CsvRow:
    """One row of an inventory, as the origin of its device."""

    file: str
    line: int

    def mistake(self, text: str, *field: Step) -> Mistake:
        """Place a mistake at the column that a field came from."""
        names = [step for step in field if isinstance(step, str)]
        return Mistake(self.file, self.line, names[-1] if names else "", text)

    def place(self) -> str:
        """`racks.csv:17`."""
        return f"{self.file}:{self.line}"


class Row(NamedTuple):
    """What one row states of its device; an empty cell states nothing."""

    origin: CsvRow
    fields: dict[str, Any]


def parse_inventory(text: str, name: str) -> Iterator[Row | Mistake]:
    """Give each row, or what is wrong with it.

    Columns may stand in any order; `fed_by` is separated by `;`.
    """
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        header = [column.strip() for column in next(reader, [])]
        if mistakes := list(_header_mistakes(header, name)):
            yield from mistakes
            return
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _row(CsvRow(name, line), header, cells)
            line = reader.line_num + 1
    except csv.Error as error:
        yield Mistake(name, reader.line_num, "", f"not CSV: {error}")


def _header_mistakes(header: list[str], name: str) -> Iterator[Mistake]:
    for column in header:
        if column not in COLUMNS:
            yield Mistake(name, 1, column, f"unknown column; {did_you_mean(column, COLUMNS)}")
        elif header.count(column) > 1:
            yield Mistake(name, 1, column, "column stands twice; keep one")
            return
    for column in REQUIRED:
        if column not in header:
            yield Mistake(name, 1, column, "column is missing from the first line; add it")


def _row(origin: CsvRow, header: list[str], cells: list[str]) -> Row | Mistake:
    if len(cells) != len(header):
        return origin.mistake(
            f"expected {len(header)} cells as in the first line, found {len(cells)}"
        )
    given = {column: cell.strip() for column, cell in zip(header, cells, strict=True)}
    fields: dict[str, Any] = {key: _number(key, cell) for key, cell in given.items() if cell}
    place = {key: fields.pop(key) for key in _PLACE if key in fields}
    if place:
        fields["place"] = place
    if "fed_by" in fields:
        fields["fed_by"] = tuple(part.strip() for part in fields["fed_by"].split(";"))
    return Row(origin, fields)


def _number(column: str, cell: str) -> float | str:
    if not column.endswith("_seconds"):
        return cell
    try:
        return float(cell)
    except ValueError:
        return cell  # the device's model says what is wrong with it
