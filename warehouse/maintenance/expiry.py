"""Snapshots that nobody may look back at any more, and the files that only they have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from warehouse.lake import Lake
from warehouse.maintenance.report import Report

READER_GRACE = timedelta(hours=1)
"""Longer than a question takes: it keeps the files it began with."""


def expire(lake: Lake, history: timedelta) -> Report:
    """Forget the snapshots from more than `history` ago; remove files let go a grace ago.

    The present snapshot is always kept.

    Raises:
        LakeUnavailable: the catalogue or the storage cannot be used.
    """
    now = datetime.now(UTC)
    forget = "call ducklake_expire_snapshots('lake', older_than => ?)"
    lake.connection.execute(forget, [now - history])
    remove = "call ducklake_cleanup_old_files('lake', older_than => ?)"
    return Report(files_in=lake.connection.fetch(remove, [now - READER_GRACE]).num_rows)
