"""What a sink that died left behind: files half written, or written and never registered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import prometheus_client
import structlog

from warehouse.lake import Lake
from warehouse.layout import LAYOUTS
from warehouse.parquet_files import OUR_NAME
from warehouse.statements import statement
from warehouse.storage import TEMPORARY

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
    paths = lake.connection.fetch(statement("known_files"))["path"].to_pylist()
    known = {str(path).rpartition("/")[2] for path in paths}
    written_before = datetime.now(UTC) - least_age
    for layout in LAYOUTS.values():
        for file in lake.storage.files(layout.table):
            if file.name in known or not OUR_NAME.fullmatch(file.name):
                continue
            if file.written_at > written_before:
                continue
            kind = "half_written" if file.name.endswith(TEMPORARY) else "not_registered"
            lake.storage.delete(file.path)
            SWEPT.labels(kind).inc()
            log.warning("Removed a file that a dead sink left.", file=file.path, kind=kind)
