"""Let DuckLake know that a new table is empty.

It keeps a table's number of rows from the first write on. Of a table without, it asks the catalogue
for files each time that a scan of it is planned: 4 ms, where a question may scan `factors` fifty
times and the site states none.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from warehouse.connection import Connection
from warehouse.statements import statement

ANY_TEXT = "00000000-0000-0000-0000-000000000000"
"""Fits a UUID as well."""


def write_first_rows(connection: Connection) -> None:
    """Write a row to each table that never had one and take it back, in the caller's transaction.

    Nothing of it is stored but that there are no rows.
    """
    for table in connection.fetch(statement("never_written"))["table_name"].to_pylist():
        schema = connection.fetch(f"from {table} limit 0").schema
        row = pa.table({field.name: _any_value(field.type) for field in schema})
        with connection.given(row):
            connection.execute(f"insert into {table} by name from given")
        connection.execute(f"delete from {table}")  # noqa: S608 - our own name


def _any_value(kind: pa.DataType) -> pa.Array[Any]:
    if pa.types.is_nested(kind):
        return pa.nulls(1, kind)
    return pa.array([ANY_TEXT] if pa.types.is_string(kind) else [0]).cast(kind)
