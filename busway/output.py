"""Printing a table the way the caller wants it."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from io import IOBase
from typing import Any, cast

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from rich.console import Console
from rich.table import Table

from busway.format import Format

WIDTH = 2000
"""Wider than any table: a long row is left to the terminal to wrap, and nothing is cut off."""
LONGEST_ROW = 8
"""Columns of a single row that are still printed side by side."""
LONG_NUMBER = 1e6
"""From here on a float is written out instead of in powers of ten."""
ABSURD_NUMBER = 1e16
"""From here on, no more: no float is exact, and no quantity so large."""


def write_table(table: pa.Table, output_format: Format) -> None:
    """Write a table to standard output; Parquet and Arrow are binary, for a file or a pipe."""
    if output_format is Format.TABLE:
        Console(width=WIDTH).print(as_rich(table))
    elif output_format is Format.JSON:
        for row in table.to_pylist():
            sys.stdout.write(json.dumps(row, default=str) + "\n")
    else:
        sys.stdout.flush()
        binary = pa.PythonFile(cast("IOBase", sys.stdout.buffer), mode="w")
        if output_format is Format.CSV:
            pyarrow.csv.write_csv(without_lists(table), binary)
        elif output_format is Format.PARQUET:
            pyarrow.parquet.write_table(table, binary)
        else:
            with pa.ipc.new_stream(binary, table.schema) as writer:
                writer.write_table(table)
        binary.flush()


def without_lists(table: pa.Table) -> pa.Table:
    """The table with each list as one text, its items parted by commas: CSV has no lists."""
    for i, column in enumerate(table.schema):
        if pa.types.is_list(column.type):
            lists = table.column(i).to_pylist()
            texts = [None if items is None else as_text(items) for items in lists]
            table = table.set_column(i, column.name, pa.array(texts, pa.string()))
    return table


def as_rich(table: pa.Table) -> Table:
    """A table for a person: short numbers to the right, nulls as `-`; one long row stands up."""
    grid = Table(box=None, header_style="bold", pad_edge=False)
    if table.num_rows == 1 and table.num_columns > LONGEST_ROW:
        grid.show_header = False
        grid.add_column(style="bold", no_wrap=True)
        grid.add_column(no_wrap=True)
        for name, value in table.to_pylist()[0].items():
            grid.add_row(name, as_text(value))
        return grid
    for column in table.schema:
        is_number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
        grid.add_column(column.name, justify="right" if is_number else "left", no_wrap=True)
    for row in table.to_pylist():
        grid.add_row(*(as_text(value) for value in row.values()))
    return grid


def as_text(value: Any) -> str:
    """One cell: floats at six significant digits, times to the second or millisecond."""
    match value:
        case None:
            text = "-"
        case bool():
            text = "yes" if value else "no"
        case float():
            is_long = LONG_NUMBER <= abs(value) < ABSURD_NUMBER
            text = f"{value:,.1f}" if is_long else f"{value:,.6g}"
        case int():
            text = f"{value:,}"
        case datetime():
            precision = "milliseconds" if value.microsecond else "seconds"
            text = value.isoformat(sep=" ", timespec=precision)
        case list():
            text = ", ".join(as_text(item) for item in value)
        case _:
            text = str(value)
    return text
