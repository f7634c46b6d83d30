"""The job: bring the roll-ups up to what the lake holds of every quarter of an hour that is over.

Each stretch of quarters, in order; a crash between any two steps loses nothing and doubles nothing:

1. in one snapshot: what has arrived, and the rows that the readings now give, as Parquet files;
2. in one transaction: the files in place of what stood there, and exactly those arrivals away that
   the snapshot showed. What arrived since stays, and its quarter is rolled up again.

Roll-ups may run side by side: of two that took the same arrivals one finds them gone and gives up.
Reading and writing are apart because a transaction of SQLite's that has read cannot write once
another has written. Then days are made of quarters, and months of days, likewise.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from warehouse.connection import Connection
from warehouse.lake import Lake
from warehouse.maintenance.report import Report
from warehouse.rollup.periods import DAY, MONTH, roll_up_periods
from warehouse.rollup.plan import Plan, plan
from warehouse.rollup.quarters import roll_up_stretch
from warehouse.rollup.store import store, take_arrivals
from warehouse.statements import statement

LATENESS = timedelta(minutes=2)
"""How long after its end a quarter is over: the sink's flush, and clocks that differ."""
TABLES = ("readings_1m", "energy_15m", "energy_1d", "energy_1mo")


def roll_up(lake: Lake, *, now: datetime | None = None, lateness: timedelta = LATENESS) -> Report:
    """Roll up what is over and not rolled up as it is, the latest first, MOST_QUARTERS at most.

    Raises:
        LakeUnavailable: the lake cannot be read or written now; what was done stays done.
    """
    closed_before = (now or datetime.now(UTC)) - lateness
    lake.storage.prepare(TABLES)
    todo = _plan(lake.connection, closed_before)
    files = [file for stretch in todo.stretches for file in roll_up_stretch(lake, stretch)]
    _merge_waiting(lake, closed_before)
    files += roll_up_periods(lake, DAY) + roll_up_periods(lake, MONTH)
    return Report(
        files_out=len(files),
        bytes_out=sum(file.bytes for _, file in files),
        rows=sum(file.rows for _, file in files),
        more=todo.has_more,
    )


def _plan(connection: Connection, closed_before: datetime) -> Plan:
    with connection.transaction():
        arrived = _times(connection, "select distinct quarter_at from arrivals")
        rolled = _times(connection, "select distinct quarter_at from rolled_quarters")
        changes = _times(connection, statement("rollup/changes"))
    return plan(arrived, rolled, changes, closed_before=closed_before)


def _times(connection: Connection, text: str) -> list[datetime]:
    return [time for row in connection.fetch(text).to_pylist() for time in row.values()]


def _merge_waiting(lake: Lake, closed_before: datetime) -> None:
    """Keep arrivals small where a clock that is fast tells of quarters that are not over."""
    found = lake.connection.fetch(statement("rollup/waiting"), {"closed_before": closed_before})
    if not found.num_rows:
        return
    rows = found.to_pylist()
    taken = [arrival for row in rows for arrival in row.pop("arrivals")]

    def merge(connection: Connection) -> None:
        take_arrivals(connection, taken)
        connection.execute(statement("rollup/merge_arrivals"), {"quarters": rows})

    store(lake, [], merge)
