"""`busway sql`: one question, or a prompt."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console

from busway.format import Format
from busway.output import WIDTH, as_rich, write_table
from busway.site import lake_location
from busway.window import moment
from facility.errors import QueryError
from warehouse.lake import Lake
from warehouse.publication import EXACT
from warehouse.query import run_sql, views

LONGEST_ANSWER = 200
"""Rows that the prompt shows of one answer."""


def answer(directory: Path, query: str, output_format: Format, *, as_of: str = "") -> None:
    """Print the rows of one statement, of the lake as it is or as it was at a time.

    Raises:
        QueryError: the statement is wrong, or the time, or that time is not kept.
        LakeUnavailable: there is no lake, or it cannot be read.
    """
    with _opened(directory, as_of) as lake:
        write_table(run_sql(lake, query), output_format)


def prompt(directory: Path, *, as_of: str = "") -> None:
    """Read statements, each ended by `;`, until `.quit` or the end of input; `.views` lists views.

    Raises:
        QueryError: the time is wrong, or the lake of that time is not kept.
        LakeUnavailable: there is no lake, or it cannot be read.
    """
    console = Console(width=WIDTH, highlight=False)
    with _opened(directory, as_of) as lake:
        console.print(
            f"Lake {lake.location}. End a statement with ';'. '.views' lists, '.quit' ends."
        )
        while (statement := _read_statement(console)) is not None:
            try:
                if statement == ".views":
                    console.print(as_rich(views(lake)))
                elif statement:
                    rows = run_sql(lake, statement)
                    console.print(as_rich(rows.slice(0, LONGEST_ANSWER)))
                    if (more := rows.num_rows - LONGEST_ANSWER) > 0:
                        console.print(f"({more:,} rows more; 'busway sql --format' gives all)")
            except QueryError as error:
                console.print(str(error), markup=False, style="red")


def _opened(directory: Path, as_of: str) -> Lake:
    """The lake; as it was at a time, in the way that gives published digits again."""
    location = lake_location(directory)
    if not as_of:
        return Lake.open_read_only(location)
    then = moment(as_of, "--as-of", ZoneInfo("UTC"))
    return Lake.open_read_only(location, settings=EXACT, as_of=then)


def _read_statement(console: Console) -> str | None:
    """One statement over as many lines as it takes; None at the end."""
    lines: list[str] = []
    while True:
        try:
            line = console.input("busway> " if not lines else "   ...> ").rstrip()
        except (EOFError, KeyboardInterrupt):
            console.print()
            return None
        if not lines and line in (".quit", ".exit"):
            return None
        if not lines and line == ".views":
            return line
        lines.append(line)
        if line.endswith(";"):
            return "\n".join(lines).rstrip(";")
        if not "".join(lines).strip():
            return ""
