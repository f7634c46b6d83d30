"""What a sink that died left behind: files half written, or written and never registered."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import prometheus_client
import structlog

from facility.errors import LakeUnavailable
from warehouse.lake import Lake
from warehouse.layout import LAYOUTS
from warehouse.parquet_files import OUR_NAME, TEMPORARY
from warehouse.statements import statement

SWEPT = prometheus_client.Counter(
    "busway_sink_swept_files", "Files that a dead sink left behind, removed.", ["kind"]
)
log = structlog.get_logger()


@contextmanager
def sink_present(lake: Lake) -> Iterator[None]:
    """Make the tables' directories and say to other sinks that this one is alive.

    The first sink of a lake finds it free of others and sweeps it. While any sink lives, even one
    that is paused, nothing is swept: what looks forgotten may be about to be registered.

    Raises:
        LakeUnavailable: the directories cannot be made or swept.
    """
    directories = [lake.table_directory(layout.table) for layout in LAYOUTS.values()]
    try:
        for directory in directories:
            directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(directories[0].parent, os.O_RDONLY)
    except OSError as error:
        raise LakeUnavailable(f"lake {lake.directory}: {error}") from error
    try:
        if _is_alone(descriptor):
            _sweep(lake, directories)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


def _is_alone(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sweep(lake: Lake, directories: list[Path]) -> None:
    paths = lake.connection.fetch(statement("known_files"))["path"].to_pylist()
    known = {Path(str(path)).name for path in paths}
    for directory in directories:
        for file in directory.iterdir():
            if file.name in known or not OUR_NAME.fullmatch(file.name):
                continue
            kind = "half_written" if file.name.endswith(TEMPORARY) else "not_registered"
            try:
                file.unlink()
            except OSError as error:
                raise LakeUnavailable(f"{file} cannot be removed: {error.strerror}") from error
            SWEPT.labels(kind).inc()
            log.warning("Removed a file that a dead sink left.", file=str(file), kind=kind)
