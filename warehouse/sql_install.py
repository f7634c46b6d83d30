"""Keep the catalogue's views and macros those of the SQL files."""

from __future__ import annotations

from collections.abc import Sequence

from facility.errors import ConfigError, QueryError
from warehouse.connection import Connection
from warehouse.sql_catalogue import Definition


def install(connection: Connection, definitions: Sequence[Definition]) -> bool:
    """Create the definitions anew, in their order, if any differs from what is installed.

    Runs inside the caller's transaction. A view or macro whose file is gone is dropped; what
    others have put into the catalogue stays. Gives whether anything was done.

    Raises:
        ConfigError: DuckDB refuses a file; its line and caret are in the message.
    """
    installed = connection.fetch("select name, kind, text_sha256 from installed_sql").to_pylist()
    before = {(row["name"], row["kind"]): row["text_sha256"] for row in installed}
    after = {(d.name, d.kind): d.text_sha256 for d in definitions}
    if before == after:
        return False
    for name, kind in sorted(before.keys() - after.keys()):
        connection.execute(f"drop {kind} if exists {name}")
    connection.execute("delete from installed_sql")
    for definition in definitions:
        _create(connection, definition)
    return True


def _create(connection: Connection, definition: Definition) -> None:
    try:
        connection.execute(definition.text)
    except QueryError as error:
        raise ConfigError(f"{definition.place}: {error}") from error
    if definition.kind == "view":  # the catalogue has no comments on macros
        text = definition.comment.replace("'", "''")
        connection.execute(f"comment on view {definition.name} is '{text}'")
    connection.execute(
        "insert into installed_sql values (?, ?, ?, ?, ?)",
        (
            definition.name,
            definition.kind,
            definition.layer,
            definition.comment,
            definition.text_sha256,
        ),
    )
