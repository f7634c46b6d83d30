"""Files that no snapshot has: what killed sinks and maintainers leave."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from warehouse.lake import Lake
from warehouse.maintenance.kept_tables import KEPT
from warehouse.maintenance.report import Report
from warehouse.storage import TEMPORARY

GRACE = timedelta(hours=24)
"""Longer than any writer takes from a file's first byte to its commit."""
MOST = 100
"""More than crashes leave in a day."""


def remove_orphans(lake: Lake) -> Report:
    """Remove files that are in no snapshot, half written or whole, and older than a grace.

    So many that no crash explains them are left: an older catalogue may have been put in place.

    Raises:
        LakeUnavailable: the catalogue or the storage cannot be used.
    """
    before = datetime.now(UTC) - GRACE
    orphans = _orphans(lake, before)
    if len(orphans) > MOST:
        return Report(
            trouble=f"{len(orphans)} files, {orphans[0]} among them, are in no snapshot: was an "
            "older catalogue put in place? Restore the right one, or remove them by hand"
        )
    for path in orphans:
        lake.storage.delete(path)
    return Report(files_in=len(orphans))


def _orphans(lake: Lake, before: datetime) -> list[str]:
    half = [
        file.path
        for table in KEPT
        for file in lake.storage.files(table)
        if file.name.endswith(TEMPORARY) and file.written_at < before
    ]
    listing = "call ducklake_delete_orphaned_files('lake', older_than => ?, dry_run => true)"
    return half + [str(p) for p in lake.connection.fetch(listing, [before])["path"].to_pylist()]
