"""What a sink that died left behind: files half written, or written and never registered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import prometheus_client
import structlog

from facility.errors import LakeUnavailable
from warehouse.lake import Lake
from warehouse.layout import LAYOUTS
from warehouse.parquet_files import OUR_NAME
from warehouse.statements import statement
from warehouse.storage import TEMPORARY, StoredFile

LEAST_LOST = 2
"""So many files of each table never are a reason to think that commits were lost."""
SWEPT = prometheus_client.Counter(
    "busway_sink_swept_files", "Files that a dead sink left behind, removed.", ["kind"]
)
log = structlog.get_logger()


@contextmanager
def sink_present(lake: Lake) -> Iterator[None]:
    """Make the tables' places and say to other sinks that this one is alive.

    Files that nobody will register any more are removed first; the storage knows when that is sure.

    Raises:
        LakeUnavailable: the places cannot be made, written or swept.
    """
    lake.storage.prepare(layout.table for layout in LAYOUTS.values())
    with lake.storage.writer_present(lambda least_age: _sweep(lake, least_age)):
        yield


def _sweep(lake: Lake, least_age: timedelta) -> None:
    """Remove files that dead sinks left, unless they are more than sinks leave.

    Raises:
        LakeUnavailable: the catalogue is older than the files.
    """
    paths = lake.connection.fetch(statement("known_files"))["path"].to_pylist()
    known = {str(path).rpartition("/")[2] for path in paths}
    written_before = datetime.now(UTC) - least_age
    left = [
        file
        for layout in LAYOUTS.values()
        for file in lake.storage.files(layout.table)
        if file.name not in known
        and OUR_NAME.fullmatch(file.name)
        and file.written_at <= written_before
    ]
    _refuse_older_catalogue(lake, left)
    for file in left:
        kind = "half_written" if file.name.endswith(TEMPORARY) else "not_registered"
        lake.storage.delete(file.path)
        SWEPT.labels(kind).inc()
        log.warning("Removed a file that a dead sink left.", file=file.path, kind=kind)


def _refuse_older_catalogue(lake: Lake, left: Sequence[StoredFile]) -> None:
    """Tell a catalogue that lost its last commits from sinks that lost their last files.

    A sink that dies leaves a file of a topic at most, and there are no more sinks than partitions.
    """
    [now] = lake.connection.fetch(statement("last_commit")).to_pylist()
    lost = [
        file
        for file in left
        if file.written_at > now["committed_at"] and not file.name.endswith(TEMPORARY)
    ]
    if len(lost) > max(LEAST_LOST, now["partitions"]):
        ends_at = f"{now['committed_at']:%Y-%m-%d %H:%M:%S}Z"
        raise LakeUnavailable(
            f"catalogue {lake.location.catalogue_name} ends at {ends_at} and knows none of "
            f"{len(lost)} files that were written later ({lost[0].path}, ...): its -wal file was "
            "lost, or an older one put in place. Put the right one back, or move these files out "
            "of the lake: what the broker still has is then read again"
        )
