"""Rows that lie in the catalogue itself: small changes of small tables, and small roll-ups.

DuckLake keeps every version of such a row for ever, and a sink's commit reads through all versions
of its offsets. So versions that no snapshot has are removed, and what has become many rows is
brought into a file.
"""

from __future__ import annotations

from warehouse.lake import Lake
from warehouse.maintenance.catalogue import METADATA
from warehouse.maintenance.report import Report
from warehouse.statements import statement
from warehouse.transaction import in_transaction

MANY = 100_000
ROLL_UPS = ("readings_1m", "energy_15m", "energy_1d")


def tidy_inlined(lake: Lake) -> Report:
    """Remove versions that no snapshot has, then bring long tables of roll-ups into files.

    Raises:
        LakeUnavailable: the catalogue cannot be used.
    """
    removed = sum(_remove_versions(lake, name) for name in _inlined_tables(lake))
    for table in ROLL_UPS:
        if sum(_rows(lake, name) for name in _inlined_tables(lake, table)) >= MANY:
            flush = "call ducklake_flush_inlined_data('lake', table_name => ?)"
            in_transaction(lake.connection, lambda: lake.connection.execute(flush, [table]))  # noqa: B023 - called at once
    return Report(rows=removed)


def _inlined_tables(lake: Lake, table: str = "%") -> list[str]:
    found = lake.connection.fetch(statement("maintenance/inlined_tables"), {"table": table})
    return [str(name) for name in found["name"].to_pylist()]


def _remove_versions(lake: Lake, name: str) -> int:
    oldest = f"(select min(snapshot_id) from {METADATA}.ducklake_snapshot)"  # noqa: S608 - our own names
    remove = f"delete from {METADATA}.{name} where end_snapshot <= {oldest}"  # noqa: S608 - DuckLake's own name
    removed = [0]

    def work() -> None:
        removed[0] = lake.connection.changed_rows(remove)

    in_transaction(lake.connection, work)
    return removed[0]


def _rows(lake: Lake, name: str) -> int:
    count = f"select count(*) as n from {METADATA}.{name}"  # noqa: S608 - DuckLake's own name
    return int(lake.connection.fetch(count)["n"][0].as_py())
