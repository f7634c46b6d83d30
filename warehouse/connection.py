"""The one way to DuckDB: an in-process database with a lake attached; its errors as ours."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files

import duckdb
import pyarrow as pa

from facility.errors import LakeUnavailable, QueryError, QueryTooSlow
from facility.site import Catalogue
from warehouse.attachment import (
    ALIAS,
    CATALOGUE_SECRET,
    attach_statement,
    conninfo,
    extensions,
    literal,
    secret_statements,
)
from warehouse.location import LakeLocation

LOCK = "from postgres_query('guard', 'select 1 as held from pg_advisory_xact_lock(4219755372)')"
"""The number is of no meaning: it only must be nobody else's."""

PLANS_SOON = "set global disabled_optimizers = 'statistics_propagation'"
"""That step's time grows faster than the square of a query's parts: with it, planning `kpi` takes
20 s, and 6 s without; `pue` and `per_mw` gain a fifth. What it finds out serves none of ours."""
FIRST_TO_COMMIT_WINS = "set global ducklake_max_retry_count = 0"
"""Left to itself DuckLake saves the loser of a race by putting its changes on top of the winner's,
which doubles what both found missing and added. Here the loser runs again, seeing what has changed:
see `warehouse.transaction`."""
LONGEST_ERROR = 800

Parameters = Sequence[object] | Mapping[str, object]
"""Bound to `?` and `$1` by position, or to `$name`."""


class CatalogueBusy(LakeUnavailable):
    """Another writer holds the catalogue or committed first: run the transaction again."""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What DuckDB may take of the machine; None leaves DuckDB's own choice."""

    memory_megabytes: int | None = None
    threads: int | None = None


WHOLE_MACHINE = EngineSettings()


class Connection:
    """DuckDB with one lake attached and in use. One thread at a time; `fork` gives another."""

    def __init__(self, database: duckdb.DuckDBPyConnection) -> None:
        self._database = database

    def execute(self, text: str, parameters: Parameters = ()) -> None:
        """Run one or more statements and leave their result."""
        with _our_errors():
            self._database.execute(text, parameters)

    def fetch(self, text: str, parameters: Parameters = ()) -> pa.Table:
        """Run statements and give the last one's rows."""
        with _our_errors():
            return self._database.execute(text, parameters).to_arrow_table()

    def changed_rows(self, text: str, parameters: Parameters = ()) -> int:
        """Run one INSERT, UPDATE or DELETE and give how many rows it touched."""
        with _our_errors():
            row = self._database.execute(text, parameters).fetchone()
        assert row is not None
        return int(row[0])

    @contextmanager
    def limited(self, limit_s: float) -> Iterator[None]:
        """Interrupt what the block asks after so many seconds.

        Raises:
            QueryTooSlow: it was interrupted.
        """
        timer = threading.Timer(limit_s, self._database.interrupt)
        timer.daemon = True
        timer.start()
        try:
            yield
        except QueryError as error:
            if isinstance(error.__cause__, duckdb.InterruptException):
                raise QueryTooSlow(f"no answer within {limit_s:g} s") from error
            raise
        finally:
            timer.cancel()

    @contextmanager
    def given(self, rows: pa.Table) -> Iterator[None]:
        """Let statements in the block read `rows` as the table `given`."""
        with _our_errors():
            self._database.register("given", rows)
        try:
            yield
        finally:
            self._database.unregister("given")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what the block does, or nothing of it.

        Raises:
            CatalogueBusy: another writer was first; nothing is stored, and the block may run again.
        """
        self.execute("begin transaction")
        try:
            yield
            self.execute("commit")
        except BaseException:
            with suppress(duckdb.Error):  # a failed commit has ended the transaction itself
                self._database.rollback()
            raise

    def fork(self) -> Connection:
        """Another connection to the same attached lake, for another thread."""
        with _our_errors():
            other = self._database.cursor()
            other.execute(f"use {ALIAS}")
        return Connection(other)

    def close(self) -> None:
        """Let go of the database, and of what is not committed; safe twice."""
        _close(self._database)


def connect(
    location: LakeLocation,
    *,
    read_only: bool,
    settings: EngineSettings,
    as_of: datetime | None = None,
) -> Connection:
    """Attach a lake, as it was at `as_of` where that is given, and use it.

    Raises:
        LakeUnavailable: an extension is missing, or the catalogue cannot be opened.
        ConfigError: a secret is not where the site file says.
    """
    with _our_errors():
        database = open_database(settings)
        try:
            return attach(database, location, read_only=read_only, as_of=as_of)
        except BaseException:
            database.close()
            raise


def open_database(settings: EngineSettings) -> duckdb.DuckDBPyConnection:
    """Start DuckDB in memory."""
    database = duckdb.connect(config=_configuration(settings))
    database.execute("set global TimeZone = 'UTC'")
    database.execute(PLANS_SOON)
    load(database, ("ducklake",))
    database.execute(FIRST_TO_COMMIT_WINS)
    return database


def attach(
    database: duckdb.DuckDBPyConnection,
    location: LakeLocation,
    *,
    read_only: bool,
    as_of: datetime | None = None,
) -> Connection:
    """Attach a lake to a running DuckDB, and use it."""
    load(database, extensions(location))
    _give_secrets(database, location)
    database.execute(attach_statement(location, read_only=read_only, as_of=as_of))
    database.execute(f"use {ALIAS}")
    return Connection(database)


@contextmanager
def catalogue_locked(location: LakeLocation) -> Iterator[None]:
    """Hold a PostgreSQL catalogue against others that would create or upgrade the same lake.

    Raises:
        LakeUnavailable: it cannot be reached, or was held by others for STATEMENT_TIMEOUT_S.
    """
    assert isinstance(location.catalogue, Catalogue)
    with _our_errors():
        guard = open_database(WHOLE_MACHINE)
    try:
        with _our_errors():
            load(guard, extensions(location))
            _give_secrets(guard, location)
            source = literal(conninfo(location.catalogue, may_idle=True))
            guard.execute(f"attach {source} as guard (type postgres, secret {CATALOGUE_SECRET})")
            guard.execute("begin transaction")
            guard.execute(LOCK).fetchall()
        yield
    finally:
        _close(guard)


def _configuration(settings: EngineSettings) -> dict[str, str | bool | int | float | list[str]]:
    configuration: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False  # never reach for the network unasked
    }
    if settings.memory_megabytes is not None:
        configuration["memory_limit"] = f"{settings.memory_megabytes}MB"
    if settings.threads is not None:
        configuration["threads"] = settings.threads
    return configuration


def load(database: duckdb.DuckDBPyConnection, names: Iterable[str]) -> None:
    """Load the signed extensions from their wheels, else those installed on this machine."""
    for name in names:
        try:
            wheel = files(f"duckdb_extension_{name}")
        except ModuleNotFoundError:
            database.execute(f"load {name}")
            continue
        file = wheel / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
        database.execute(f"load {literal(str(file))}")


def _give_secrets(database: duckdb.DuckDBPyConnection, location: LakeLocation) -> None:
    for statement in secret_statements(location):
        try:
            database.execute(statement)
        except duckdb.Error:  # its text would quote the statement
            raise LakeUnavailable(
                f"DuckDB does not take the credentials of lake {location}"
            ) from None


def _close(database: duckdb.DuckDBPyConnection) -> None:
    """Roll back first: closing would, and ends the process where PostgreSQL is gone."""
    with suppress(duckdb.Error):
        database.rollback()
    database.close()


_MISTAKES = (
    duckdb.ProgrammingError,
    duckdb.DataError,
    duckdb.IntegrityError,
    duckdb.NotSupportedError,
    duckdb.OutOfMemoryException,
    duckdb.PermissionException,
    duckdb.InterruptException,
)

_ANOTHER_WRITER = (
    "database is locked",
    "conflict",
    "maximum retry count",
    "ducklake_snapshot_pkey",
    "could not serialize access",
)
"""SQLite's words, those of DuckLake and DuckDB, DuckLake's for FIRST_TO_COMMIT_WINS, and
PostgreSQL's to whoever writes a snapshot itself."""


_CUT_OFF = (
    "closed the connection",
    "terminating connection",
    "no connection to the server",
    "connection to server",
    "unsuccessful query result",
)
"""PostgreSQL's words, and DuckDB's for a read that broke off, which it counts as a mistake."""


@contextmanager
def _our_errors() -> Iterator[None]:
    """Give DuckDB's errors as ours; the text keeps DuckDB's line and caret."""
    try:
        yield
    except _MISTAKES as error:
        if any(words in str(error) for words in _CUT_OFF):
            raise LakeUnavailable(_shortened(str(error))) from error
        raise QueryError(str(error)) from error
    except duckdb.Error as error:
        busy = any(words in str(error) for words in _ANOTHER_WRITER)
        raise (CatalogueBusy if busy else LakeUnavailable)(_shortened(str(error))) from error


def _shortened(text: str) -> str:
    """Leave out the middle, where DuckLake quotes whole statements; the cause stands at the end."""
    half = LONGEST_ERROR // 2
    return text if len(text) <= LONGEST_ERROR else f"{text[:half]} ... {text[-half:]}"
