"""The points that a site's devices have shown, kept in a file between runs of the engine."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import structlog

from alerts.watch import SeriesKey

_SCHEMA = pa.schema([(name, pa.string()) for name in ("device", "component", "quantity")])
log = structlog.get_logger()


def read_points(path: Path) -> set[SeriesKey]:
    """Read what `write_points` wrote; where it cannot be read, the devices will show them again."""
    try:
        with pa.memory_map(str(path)) as file, pa.ipc.open_file(file) as reader:
            columns = [reader.read_all()[name].to_pylist() for name in _SCHEMA.names]
    except FileNotFoundError:
        return set()
    except (pa.ArrowException, OSError, KeyError) as error:
        log.warning("Known points are lost; they are learnt again.", error=str(error))
        return set()
    return set(zip(*columns, strict=True))


def write_points(path: Path, points: Iterable[SeriesKey]) -> None:
    """Put the file in the place of the one before, whole or not at all."""
    columns = list(zip(*sorted(points), strict=True)) or [(), (), ()]
    table = pa.table([pa.array(column, pa.string()) for column in columns], schema=_SCHEMA)
    partial = path.with_suffix(".part")
    with pa.OSFile(str(partial), "wb") as file, pa.ipc.new_file(file, _SCHEMA) as writer:
        writer.write_table(table)
    with partial.open("rb") as written:
        os.fsync(written.fileno())
    partial.replace(path)
