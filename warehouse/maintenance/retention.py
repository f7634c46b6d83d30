"""Old rows go, a whole file at a time, without reading one.

A file goes when its newest row is too old, or, where its rows claim a time after their commit, when
its commit is. So a row stays up to one period of compaction (a day) longer than it must.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from facility.site import KeptTable
from warehouse.lake import Lake
from warehouse.maintenance.catalogue import LakeTable, files_of, table_of
from warehouse.maintenance.kept_tables import KEPT
from warehouse.maintenance.plan import LakeFile
from warehouse.maintenance.report import Report
from warehouse.maintenance.swap import Swap, swap


def retain(
    lake: Lake, retention_days: Mapping[KeptTable, float], *, now: datetime | None = None
) -> Report:
    """Take out of each table what is older than it may be; tables without an age keep everything.

    Raises:
        LakeUnavailable: the catalogue cannot be used.
    """
    gone: list[LakeFile] = []
    for name, days in retention_days.items():
        table = table_of(lake.connection, name)
        if table is not None:
            cutoff = (now or datetime.now(UTC)) - timedelta(days=days)
            gone += _drop_older(lake, table, cutoff)
    return Report(
        files_in=len(gone),
        bytes_in=sum(file.bytes for file in gone),
        rows=sum(file.rows for file in gone),
    )


def is_older(file: LakeFile, cutoff: datetime) -> bool:
    """Whether every row of a file is from before a moment."""
    return min(file.newest_at, file.committed_at) < cutoff


def _drop_older(lake: Lake, table: LakeTable, cutoff: datetime) -> list[LakeFile]:
    files = files_of(lake.connection, table, KEPT[table.name].time)
    old = [file for file in files if is_older(file, cutoff)]
    if old:
        message = f"retention: before {cutoff:%Y-%m-%d %H:%M}Z"
        swap(lake.connection, Swap(table, tuple(old), None, "deleted_from_table", message))
    return old
