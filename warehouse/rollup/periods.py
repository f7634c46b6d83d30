"""Make long roll-ups of shorter ones: local days of quarters, local months of days.

A file holds a month: the days of it together, or itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import pyarrow as pa

from warehouse.connection import Connection
from warehouse.lake import Lake
from warehouse.parquet_files import write_file
from warehouse.rollup.layouts import LONG_LAYOUTS
from warehouse.rollup.store import Overtaken, TableFile, store
from warehouse.statements import statement

MOST_FILES = 3
"""In one run."""
Order = list[tuple[str, Literal["ascending", "descending"]]]
Periods = Sequence[Mapping[str, Any]]
"""start_at, end_at, file_at, file_end_at, rollings."""


@dataclass(frozen=True, slots=True)
class Grain:
    """A length of time that is rolled up from a shorter one."""

    name: str
    suffix: str
    """Of its table, and of the statements about it."""
    source: str
    """Which runs it is made of, as the statement's parameters call them."""


DAY = Grain("day", "1d", "quarters")
MONTH = Grain("month", "1mo", "days")


def roll_up_periods(lake: Lake, grain: Grain) -> list[TableFile]:
    """Bring in the periods all of which is rolled up in what they are made of, the latest first.

    Raises:
        LakeUnavailable: the lake cannot be read or written now.
    """
    by_file: defaultdict[tuple[datetime, datetime], list[dict[str, Any]]] = defaultdict(list)
    for period in lake.connection.fetch(statement(f"rollup/open_{grain.name}s")).to_pylist():
        by_file[period["file_at"], period["file_end_at"]].append(period)
    files = []
    for span, periods in list(by_file.items())[:MOST_FILES]:
        files += _roll_up(lake, grain, {"start_at": span[0], "end_at": span[1]}, periods)
    return files


def _roll_up(
    lake: Lake, grain: Grain, month: Mapping[str, datetime], periods: Periods
) -> list[TableFile]:
    starts = [period["start_at"] for period in periods]
    with lake.connection.transaction():
        known = _rollings(lake.connection, month)
        rows = _rows(lake.connection, grain, periods)
        if grain is DAY:
            others = {**month, "periods": starts}
            kept = lake.connection.fetch(statement("rollup/kept_1d"), others)
            rows = pa.concat_tables([rows, kept.select(rows.column_names)])
    layout = LONG_LAYOUTS[grain.name]
    order: Order = [(name, "ascending") for name in (*layout.keys, "first_at", "kind")]
    files = (
        [(layout.table, write_file(rows.sort_by(order), layout, lake.storage))]
        if rows.num_rows
        else []
    )

    def replace(connection: Connection) -> None:
        if _rollings(connection, month) != known:
            raise Overtaken
        connection.execute(statement(f"rollup/drop_{grain.suffix}"), month)
        parameters: dict[str, object] = {"grain": grain.name, "periods": starts}
        connection.execute(statement("rollup/forget_periods"), parameters)
        parameters["periods"] = [
            _only(period, "start_at", "end_at", "rollings") for period in periods
        ]
        connection.execute(statement("rollup/note_periods"), parameters)

    return files if store(lake, files, replace) else []


def _rows(connection: Connection, grain: Grain, periods: Periods) -> pa.Table:
    parameters: dict[str, object] = dict.fromkeys(
        ("quarters_from", "quarters_to", "days_from", "days_to")
    )
    parameters |= {
        "periods": [_only(period, "start_at", "end_at") for period in periods],
        f"{grain.source}_from": min(period["start_at"] for period in periods),
        f"{grain.source}_to": max(period["end_at"] for period in periods),
    }
    rows = connection.fetch(statement("rollup/longer_runs"), parameters)
    return rows.rename_columns({"start_at": LONG_LAYOUTS[grain.name].time})


def _only(period: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: period[name] for name in names}


def _rollings(connection: Connection, month: Mapping[str, datetime]) -> object:
    return connection.fetch(statement("rollup/count_rollings"), month)["rollings"][0].as_py()
