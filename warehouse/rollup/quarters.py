"""Roll up one stretch of quarters: read in a snapshot, then replace in a transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import pyarrow as pa

from facility.reading import TIMESTAMP
from warehouse.connection import Connection
from warehouse.lake import Lake
from warehouse.maintenance.kept_tables import KEPT
from warehouse.parquet_files import write_file
from warehouse.rollup.plan import Stretch, quarter_of
from warehouse.rollup.store import Overtaken, TableFile, store, take_arrivals
from warehouse.statements import statement

MOST_READINGS = 8_000_000
"""That are brought to minutes at once."""
MOST_IN_STRETCH = 32_000_000
"""Readings of a stretch; one of more is rolled up in parts."""
MINUTE = timedelta(minutes=1)
Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class _Found:
    """What the lake holds of a stretch in one snapshot."""

    arrivals: Sequence[Mapping[str, Any]]
    """quarter_at, committed_at, arrival."""
    rolled: Mapping[datetime, tuple[int, int]]
    """Quarters that were rolled up before: how often, and their readings the last time."""
    minutes: Mapping[datetime, int]
    """Readings by the minute."""

    @cached_property
    def readings(self) -> Counter[datetime]:
        """Readings by the quarter."""
        counts = Counter[datetime]()
        for minute, readings in self.minutes.items():
            counts[quarter_of(minute)] += readings
        return counts

    def is_spent(self, quarter: datetime) -> bool:
        """Whether readings that were rolled up are gone: then the roll-up is all there is."""
        return quarter in self.rolled and self.readings[quarter] < self.rolled[quarter][1]


def roll_up_stretch(lake: Lake, stretch: Stretch) -> list[TableFile]:
    """Give the files that now hold the stretch; none where there are no readings.

    A quarter whose readings are gone stays as it was rolled up, whatever comes late.

    Raises:
        LakeUnavailable: the lake cannot be read or written now.
    """
    with lake.connection.transaction():
        found = _find(lake.connection, stretch)
        is_spent = any(found.is_spent(quarter) for quarter in stretch.quarters)
        is_much = sum(found.minutes.values()) > MOST_IN_STRETCH
        must_part = (is_spent or is_much) and len(stretch.quarters) > 1
        files = [] if is_spent or must_part else _write(lake, stretch, found)
    if must_part:
        return [file for half in stretch.halves() for file in roll_up_stretch(lake, half)]
    is_done = store(
        lake, files, lambda connection: _replace(connection, stretch, found, keep=is_spent)
    )
    return files if is_done else []


def _find(connection: Connection, stretch: Stretch) -> _Found:
    span = {"start_at": stretch.start_at, "end_at": stretch.end_at}
    rolled = connection.fetch(statement("rollup/rolled"), span).to_pylist()
    minutes = connection.fetch(statement("rollup/minutes"), span).to_pylist()
    return _Found(
        connection.fetch(statement("rollup/arrivals"), span).to_pylist(),
        {row["quarter_at"]: (row["rollings"], row["readings"]) for row in rolled},
        {row["minute_at"]: row["readings"] for row in minutes},
    )


def _write(lake: Lake, stretch: Stretch, found: _Found) -> list[TableFile]:
    files: list[TableFile] = []
    if found.minutes:
        files += _write_rows(lake, "energy_15m", (stretch.start_at, stretch.end_at))
    for span in _slices(found.minutes):
        files += _write_rows(lake, "readings_1m", span)
    return files


def _write_rows(lake: Lake, table: str, span: Span) -> list[TableFile]:
    parameters = {"start_at": span[0], "end_at": span[1]}
    rows = lake.connection.fetch(statement(f"rollup/{table}"), parameters)
    return [(table, write_file(rows, KEPT[table], lake.storage))] if rows.num_rows else []


def _slices(minutes: Mapping[datetime, int]) -> Iterable[Span]:
    """Cut so that MOST_READINGS are in memory, or one minute."""
    start_at, end_at, readings = None, None, 0
    for minute, count in sorted(minutes.items()):
        if start_at and end_at and readings + count > MOST_READINGS:
            yield start_at, end_at
            start_at, readings = None, 0
        start_at, end_at, readings = start_at or minute, minute + MINUTE, readings + count
    if start_at and end_at:
        yield start_at, end_at


def _replace(connection: Connection, stretch: Stretch, found: _Found, *, keep: bool) -> None:
    span = {"start_at": stretch.start_at, "end_at": stretch.end_at}
    rollings = sum(times for times, _ in found.rolled.values())
    if (
        connection.fetch(statement("rollup/count_rollings"), span)["rollings"][0].as_py()
        != rollings
    ):
        raise Overtaken
    take_arrivals(connection, [row["arrival"] for row in found.arrivals])
    if keep:
        return
    if rollings:
        connection.execute(statement("rollup/drop_quarters"), span)
        connection.execute(statement("rollup/drop_minutes"), span)
    with connection.given(_notes(stretch, found)):
        connection.execute(statement("rollup/note_quarters"))


def _notes(stretch: Stretch, found: _Found) -> pa.Table:
    """A table and no parameter: DuckDB looks for pandas anew at each value of a list."""
    latest: dict[datetime, datetime] = {}
    for row in found.arrivals:
        latest[row["quarter_at"]] = row["committed_at"]  # in time's order
    quarters = stretch.quarters
    return pa.table(
        {
            "quarter_at": pa.array(quarters, TIMESTAMP),
            "readings": pa.array([found.readings[quarter] for quarter in quarters], pa.int64()),
            "arrived_at": pa.array([latest.get(quarter) for quarter in quarters], TIMESTAMP),
        }
    )
