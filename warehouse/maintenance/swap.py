"""Old files for new ones in the catalogue, in one transaction, without touching a row.

DuckLake's DELETE marks rows one by one (150 ns and 40 bytes of memory each), and conflicts with
every INSERT beside it. So this writes the catalogue's own tables, as the DuckLake specification
describes them: a snapshot, the ends of the old files, the new file with its statistics. Writers
beside it see the same change that DuckLake's own compaction makes (`merge_adjacent`), which the
commit of a sink passes by and a DELETE conflicts with. Readers keep the snapshot they began with.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from facility.errors import LakeUnavailable
from warehouse.connection import Connection
from warehouse.maintenance.catalogue import LakeTable, files_with_deletes
from warehouse.maintenance.new_file import NewFile
from warehouse.maintenance.plan import LakeFile
from warehouse.statements import statement
from warehouse.transaction import in_transaction

Change = Literal["merge_adjacent", "deleted_from_table"]


class FilesChanged(LakeUnavailable):
    """Another process changed the files meanwhile: plan anew."""


@dataclass(frozen=True, slots=True)
class Swap:
    """Files of one table that go, and the one with the same rows that comes, if any."""

    table: LakeTable
    old: tuple[LakeFile, ...]
    new: NewFile | None
    change: Change
    message: str
    """Why, for whoever reads the list of snapshots."""


def swap(connection: Connection, work: Swap) -> None:
    """End the old files and begin the new one: all of it, or nothing.

    Raises:
        FilesChanged: an old file is gone, or rows of it were deleted; nothing is stored.
        LakeUnavailable: the catalogue was locked for too long, or cannot be written.
    """
    in_transaction(connection, lambda: _swap(connection, work))


def _swap(connection: Connection, work: Swap) -> None:
    def run(name: str, /, **values: object) -> int:
        return connection.changed_rows(statement(f"maintenance/{name}"), values)

    table, new = work.table, work.new
    old = [file.number for file in work.old]
    if new and not files_with_deletes(connection, table).isdisjoint(old):
        raise FilesChanged(f"rows of {table.name} were deleted meanwhile; those files are left")
    run("begin_snapshot", new_files=1 if new else 0)
    newest = connection.fetch(statement("maintenance/newest_snapshot")).to_pylist()[0]
    snapshot, file = newest["number"], newest["next_file"] - 1
    changes = f"{work.change}:{table.number}"
    run("explain_snapshot", snapshot=snapshot, changes=changes, message=work.message)
    if (ended := run("end_files", snapshot=snapshot, files=old)) != len(old):
        raise FilesChanged(f"{len(old) - ended} of {len(old)} files of {table.name} are gone")
    if new:
        facts = {"name": new.name, "rows": new.rows, "bytes": new.bytes}
        place = {"file": file, "table": table.number}
        run("add_file", **place, snapshot=snapshot, **facts, footer_bytes=new.footer_bytes)
        columns = [asdict(column) | {"rows": new.rows} for column in new.columns]
        run("add_statistics", **place, columns=columns)
    rows, size = (new.rows, new.bytes) if new else (0, 0)
    run(
        "count_rows",
        table=table.number,
        new_rows=rows,
        more_rows=rows - sum(file.rows for file in work.old),
        more_bytes=size - sum(file.bytes for file in work.old),
    )
