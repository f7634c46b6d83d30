"""One transaction of a roll-up: its files in place of what was there, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from facility.errors import LakeUnavailable
from warehouse.connection import Connection
from warehouse.lake import Lake
from warehouse.parquet_files import DataFile
from warehouse.statements import statement
from warehouse.transaction import in_transaction

TableFile = tuple[str, DataFile]


class Overtaken(Exception):
    """What this roll-up found in its snapshot has been rolled up by another since."""


def take_arrivals(connection: Connection, arrivals: Sequence[str]) -> None:
    """Take these arrivals off the list, all of them, within the caller's transaction.

    Raises:
        Overtaken: another has taken some of them.
    """
    if not arrivals:
        return
    parameters = {"arrivals": ",".join(arrivals)}
    if connection.changed_rows(statement("rollup/take_arrivals"), parameters) != len(arrivals):
        raise Overtaken


def store(lake: Lake, files: Iterable[TableFile], work: Callable[[Connection], None]) -> bool:
    """Run `work` and register the files; say whether it was done, or another was first.

    Raises:
        LakeUnavailable: the catalogue was locked for too long, or cannot be written.
    """
    added = tuple(files)

    def whole() -> None:
        work(lake.connection)
        for table, file in added:
            parameters = {"table_name": table, "path": file.path}
            lake.connection.execute(statement("rollup/add_file"), parameters)

    try:
        in_transaction(lake.connection, whole)
    except BaseException as error:
        for _, file in added:
            with suppress(LakeUnavailable):
                lake.storage.delete(file.path)
        if isinstance(error, Overtaken):
            return False
        raise
    return True
