"""What the catalogue's own tables say of a table's files: DuckLake has no function for it.

These tables are those of the DuckLake specification, the same in SQLite and PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from facility.errors import QueryError
from warehouse.connection import Connection
from warehouse.maintenance.plan import LakeFile
from warehouse.statements import statement

METADATA = "__ducklake_metadata_lake"


@dataclass(frozen=True, slots=True)
class LakeTable:
    """A table as the catalogue numbers it."""

    name: str
    number: int
    field_ids: Mapping[str, int]
    """By column, in the table's order."""


def table_of(connection: Connection, name: str) -> LakeTable | None:
    """Look a table up; None where the lake has none of this name."""
    rows = connection.fetch(statement("maintenance/table_columns"), {"table": name}).to_pylist()
    if not rows:
        return None
    return LakeTable(name, rows[0]["table"], {row["column"]: row["field_id"] for row in rows})


def files_of(connection: Connection, table: LakeTable, time: str) -> list[LakeFile]:
    """List the files of the present snapshot; `time` is the column that says when a row is from."""
    asked = {"table": table.number, "field": table.field_ids[time]}
    rows = connection.fetch(statement("maintenance/files"), asked)
    return [LakeFile(**row) for row in rows.to_pylist()]


def files_with_deletes(connection: Connection, table: LakeTable) -> frozenset[int]:
    """Number the files from which rows were deleted one by one, which no file shows by itself."""
    asked = {"table": table.number}
    numbers = connection.fetch(statement("maintenance/files_with_deletes"), asked)["file"]
    found = set(numbers.to_pylist())
    with suppress(QueryError):  # DuckLake makes this table when it first needs it
        inlined = f"select distinct file_id from {METADATA}.ducklake_inlined_delete_{table.number}"  # noqa: S608 - a number
        found |= set(connection.fetch(inlined)["file_id"].to_pylist())
    return frozenset(int(number) for number in found if number is not None)
