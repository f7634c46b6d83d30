"""Small files of closed periods become one: merged, written, and swapped in one transaction.

Whatever is killed at any moment, the lake has each row once: the new file is in no snapshot before
the transaction, the old ones in every snapshot before it and in none after. What a dead maintainer
leaves is a file in no snapshot, which clean-up removes.

One core merges 4 to 5 million readings a second. Memory: 65 bytes for each of `plan.MOST_OPEN_ROWS`
rows at most, 1 GB; in a bucket, the new file as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import IO

import pyarrow as pa
import structlog

from facility.errors import LakeUnavailable
from warehouse.lake import Lake
from warehouse.layout import Layout
from warehouse.maintenance.catalogue import LakeTable, files_of, files_with_deletes, table_of
from warehouse.maintenance.compacted_file import new_name, write_pieces
from warehouse.maintenance.kept_tables import KEPT
from warehouse.maintenance.merge import merge
from warehouse.maintenance.new_file import NewFile, read_facts
from warehouse.maintenance.plan import Unit, plan_units
from warehouse.maintenance.report import Report
from warehouse.maintenance.swap import FilesChanged, Swap, swap
from warehouse.storage import path_of

log = structlog.get_logger()


def compact(lake: Lake, *, now: datetime | None = None) -> Report:
    """Merge the files of one unit of `plan_units`, the oldest; say whether there are more.

    Raises:
        LakeUnavailable: a file cannot be read or written, or the catalogue not be used.
    """
    for layout in KEPT.values():
        table = table_of(lake.connection, layout.table)
        if table is None:
            continue
        touched = files_with_deletes(lake.connection, table)
        files = [
            f for f in files_of(lake.connection, table, layout.time) if f.number not in touched
        ]
        if units := plan_units(files, now or datetime.now(UTC)):
            return _compact(lake, layout, table, units[0])
    return Report()


def _compact(lake: Lake, layout: Layout, table: LakeTable, unit: Unit) -> Report:
    new = _write(lake, layout, table, unit)
    work = Swap(table, unit, new, "merge_adjacent", f"compacted {len(unit)} files")
    try:
        swap(lake.connection, work)
    except FilesChanged as error:
        lake.storage.delete(path_of(lake.storage, layout.table, new.name))
        log.info("Compaction begins again.", table=layout.table, reason=str(error))
        return Report(more=True)
    return Report(
        files_in=len(unit),
        files_out=1,
        bytes_in=sum(file.bytes for file in unit),
        bytes_out=new.bytes,
        rows=new.rows,
        more=True,
    )


def _write(lake: Lake, layout: Layout, table: LakeTable, unit: Unit) -> NewFile:
    """Write the merged file, read its footer back, and see that no row is missing."""
    storage, name = lake.storage, new_name()
    names = ", ".join(file.path for file in unit)
    with ExitStack() as opened, _named(f"one of {len(unit)} files of {layout.table} ({names})"):
        paths = [path_of(storage, layout.table, file.path) for file in unit]
        files = [opened.enter_context(storage.open(path)) for path in paths]

        def write(file: IO[bytes]) -> None:
            write_pieces(merge(files, layout, list(table.field_ids)), file, layout, table.field_ids)

        stored = storage.put(layout.table, name, write)
    with storage.open(stored.path) as file, _named(stored.path):
        new = read_facts(file, name, table.field_ids)
    expected = sum(file.rows for file in unit)
    if new.rows != expected:
        storage.delete(stored.path)
        raise LakeUnavailable(
            f"{expected} rows of {layout.table} became {new.rows} in merging; its files are left"
        )
    return new


@contextmanager
def _named(what: str) -> Iterator[None]:
    try:
        yield
    except pa.ArrowException as error:
        raise LakeUnavailable(f"{what} cannot be read as Parquet: {error}") from error
