"""CSV files beside a site file: rows by column, or what is wrong with them, by file and line."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import NamedTuple

from facility.mistakes import Mistake, Step, did_you_mean


@dataclass(frozen=True, slots=True, eq=False)
class CsvRow:
    """One row of a file, as the origin of what it states."""

    file: str
    line: int

    def mistake(self, text: str, *field: Step) -> Mistake:
        """Place a mistake at the column that a field came from."""
        names = [step for step in field if isinstance(step, str)]
        return Mistake(self.file, self.line, names[-1] if names else "", text)

    def place(self) -> str:
        """`racks.csv:17`."""
        return f"{self.file}:{self.line}"


class Cells(NamedTuple):
    """The cells of one row that are not empty, by column."""

    origin: CsvRow
    given: dict[str, str]


def read_rows(
    text: str, name: str, columns: Sequence[str], required: Sequence[str]
) -> Iterator[Cells | Mistake]:
    """Give each row, or what is wrong with it. Columns may stand in any order."""
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        header = [column.strip() for column in next(reader, [])]
        if mistakes := list(_header_mistakes(header, name, columns, required)):
            yield from mistakes
            return
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _row(CsvRow(name, line), header, cells)
            line = reader.line_num + 1
    except csv.Error as error:
        yield Mistake(name, reader.line_num, "", f"not CSV: {error}")


def _header_mistakes(
    header: list[str], name: str, columns: Sequence[str], required: Sequence[str]
) -> Iterator[Mistake]:
    for column in header:
        if column not in columns:
            yield Mistake(name, 1, column, f"unknown column; {did_you_mean(column, columns)}")
        elif header.count(column) > 1:
            yield Mistake(name, 1, column, "column stands twice; keep one")
            return
    for column in required:
        if column not in header:
            yield Mistake(name, 1, column, "column is missing from the first line; add it")


def _row(origin: CsvRow, header: list[str], cells: list[str]) -> Cells | Mistake:
    if len(cells) != len(header):
        return origin.mistake(
            f"expected {len(header)} cells as in the first line, found {len(cells)}"
        )
    given = {column: cell.strip() for column, cell in zip(header, cells, strict=True)}
    return Cells(origin, {column: cell for column, cell in given.items() if cell})
