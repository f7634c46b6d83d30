"""Snapshots that nobody may look back at any more, and the files that only they have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from warehouse.lake import Lake
from warehouse.maintenance.report import Report
from warehouse.statements import statement
from warehouse.transaction import in_transaction

READER_GRACE = timedelta(hours=1)
"""Longer than a question takes: it keeps the files it began with."""
MOST = 1000
"""Snapshots forgotten in one transaction, which keeps sinks waiting."""


def expire(lake: Lake, history: timedelta) -> Report:
    """Forget snapshots, but for those that stood within `history`; remove files let go a grace ago.

    Raises:
        LakeUnavailable: the catalogue or the storage cannot be used.
    """
    now = datetime.now(UTC)
    forgotten = _forget_snapshots(lake, now - history)
    removed = _remove_files(lake, now - READER_GRACE)
    return Report(files_in=removed, more=forgotten == MOST)


def _forget_snapshots(lake: Lake, kept_from: datetime) -> int:
    asked = {"kept_from": kept_from, "most": MOST}
    found = lake.connection.fetch(statement("maintenance/expirable_snapshots"), asked)
    old = found["snapshot_id"].to_pylist()
    if old:
        forget = "call ducklake_expire_snapshots('lake', versions => ?)"
        in_transaction(lake.connection, lambda: lake.connection.execute(forget, [old]))
    return len(old)


def _remove_files(lake: Lake, let_go_before: datetime) -> int:
    """Remove the files, then strike them off: a crash between has some struck off the next time."""
    asked = {"let_go_before": let_go_before}
    found = lake.connection.fetch(statement("maintenance/files_let_go"), asked).to_pylist()
    root = lake.storage.root
    for file in found:
        lake.storage.delete(f"{root}/{file['path']}" if file["is_relative"] else file["path"])
    if found:
        strike_off, numbers = statement("maintenance/strike_off"), [f["number"] for f in found]
        in_transaction(
            lake.connection, lambda: lake.connection.execute(strike_off, {"files": numbers})
        )
    return len(found)
