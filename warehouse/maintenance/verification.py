"""Whether every file that the catalogue names is there, whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import prometheus_client

from warehouse.lake import Lake
from warehouse.maintenance.catalogue import METADATA, LakeTable, files_of, table_of
from warehouse.maintenance.kept_tables import KEPT
from warehouse.maintenance.plan import LakeFile
from warehouse.maintenance.report import Report
from warehouse.maintenance.swap import Swap, swap

DAMAGED = prometheus_client.Gauge(
    "busway_maintenance_damaged_files", "Files of the lake that are missing or have another size."
)
NAMED = 5
"""How many damaged files a complaint names."""


def verify(lake: Lake) -> Report:
    """Check the catalogue's own file; compare the storage with it, by name and size.

    Raises:
        LakeUnavailable: the catalogue or the storage cannot be used.
    """
    if (found := _damage_of_catalogue(lake)) != "ok":
        name = lake.location.catalogue_name
        return Report(trouble=f"catalogue {name} is damaged: {found}. Put it back from a backup")
    damaged = list(_damaged(lake))
    DAMAGED.set(len(damaged))
    if not damaged:
        return Report()
    named = "; ".join(f"{table.name}/{file.path} {what}" for table, file, what in damaged[:NAMED])
    rows = sum(file.rows for _, file, _ in damaged)
    return Report(
        trouble=f"{len(damaged)} files with {rows} rows are damaged: {named}. Put them back from a "
        "backup, or go on without them: `busway maintain --once --forget-damaged`"
    )


def forget_damaged(lake: Lake) -> Report:
    """Take damaged files out of the lake, so that questions are answered from the others.

    Raises:
        LakeUnavailable: the catalogue or the storage cannot be used.
    """
    gone = list(_damaged(lake))
    for name in {table.name for table, *_ in gone}:
        table = next(table for table, *_ in gone if table.name == name)
        files = tuple(file for of, file, _ in gone if of.name == name)
        swap(lake.connection, Swap(table, files, None, "deleted_from_table", "damaged files"))
    return Report(files_in=len(gone), rows=sum(file.rows for _, file, _ in gone))


def _damage_of_catalogue(lake: Lake) -> str:
    """Say what SQLite finds wrong in its file; PostgreSQL looks after its own."""
    if not isinstance(lake.location.catalogue, Path):
        return "ok"
    check = f"from sqlite_query('{METADATA}', 'pragma quick_check(1)')"
    return str(lake.connection.fetch(check)[0][0].as_py())


def _damaged(lake: Lake) -> Iterator[tuple[LakeTable, LakeFile, str]]:
    for layout in KEPT.values():
        table = table_of(lake.connection, layout.table)
        if table is None:
            continue
        expected = files_of(lake.connection, table, layout.time)
        sizes = {stored.name: stored.bytes for stored in lake.storage.files(layout.table)}
        for file in expected:
            if (size := sizes.get(file.path)) is None:
                yield table, file, "is missing"
            elif size != file.bytes:
                yield table, file, f"has {size} bytes instead of {file.bytes}"
