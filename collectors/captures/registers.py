"""Registers in CSV: `address,value[,table]`, with or without a first line that names them. Pure.

`address` is the 0-based one on the wire, `value` 16 bits (0 or 1 in a bit table), both decimal or
as 0x1F; `table` is holding, input, coil or discrete, and the profile's own where it is left out.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from typing import get_args

from collectors.captures.mistake import CaptureError
from collectors.profile import RegisterTable

LINE = re.compile(
    r"\s*(0x[0-9A-Fa-f]+|\d+)\s*,\s*(0x[0-9A-Fa-f]+|-?\d+)\s*(,[\s\w]*)?"
    r"|(?=.*\baddress\b)(?=.*\bvalue\b)[\w\s]+(,[\w\s]+)+"
)
"""A first line: numbers, or the columns' names."""
COLUMNS = ("address", "value", "table")
REQUIRED = {"address", "value"}
TABLES: tuple[RegisterTable, ...] = get_args(RegisterTable)
Place = tuple[RegisterTable | None, int]
"""Table, None for the profile's own, and wire address."""


def parse_registers(text: str, file: str) -> dict[Place, int]:
    """The 16-bit values, from 0 to 65535, by their place.

    Raises:
        CaptureError: a line is not of that form, or a number is out of range.
    """
    registers: dict[Place, int] = {}
    columns: Sequence[str] = COLUMNS
    for number, cells in enumerate(csv.reader(text.splitlines(), skipinitialspace=True), 1):
        row = [cell.strip() for cell in cells]
        if not any(row) or row[0].startswith("#"):
            continue
        if not registers and REQUIRED.issubset(row):
            columns = row
            continue
        try:
            place, value = _register(dict(zip(columns, row, strict=False)))
        except ValueError as error:
            raise CaptureError.at(file, number, str(error)) from None
        registers[place] = value
    return registers


def _register(row: Mapping[str, str]) -> tuple[Place, int]:
    table = row.get("table") or None
    if table is not None and table not in TABLES:
        raise ValueError(f"table: expected one of {', '.join(TABLES)}, found {table!r}")
    address = _whole(row, "address", 0)
    return (table, address), _whole(row, "value", -0x8000) & 0xFFFF


def _whole(row: Mapping[str, str], column: str, low: int) -> int:
    text = row.get(column, "")
    try:
        number = int(text, 0) if text.lower().startswith("0x") else int(text)
    except ValueError:
        raise ValueError(f"{column}: expected a whole number, found {text!r}") from None
    if not low <= number <= 0xFFFF:  # noqa: PLR2004 - 16 bits
        raise ValueError(f"{column}: expected {low} to 65535, found {number}")
    return number
