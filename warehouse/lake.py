"""The lake: a DuckLake catalogue (SQLite or PostgreSQL) and Parquet files (directory or bucket)."""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Self

from facility.errors import LakeSchemaNewer, LakeUnavailable, QueryError
from facility.site import Catalogue
from warehouse import sql_catalogue, sql_install
from warehouse.connection import (
    WHOLE_MACHINE,
    Connection,
    EngineSettings,
    catalogue_locked,
    connect,
)
from warehouse.first_row import write_first_rows
from warehouse.layout import LAYOUTS
from warehouse.location import LakeLocation
from warehouse.statements import statement
from warehouse.storage import Storage, path_of
from warehouse.transaction import in_transaction

FORMAT = 2
"""Version of the tables in SCHEMA; a lake of a higher one is refused."""
SCHEMA = Path(__file__).parent / "schema"
CREATION_DEADLINE_S = 30.0
NO_SNAPSHOT = "No snapshot found at timestamp"
"""DuckLake's words when it is asked for a time before its first snapshot."""
_OF_DAMAGE = ("malformed", "not a database")
"""SQLite's words."""
DAMAGED = "; it is damaged: put it back from a backup, together with its -wal file"
NEVER_MADE = "creating a new DuckLake is explicitly disabled"
"""DuckLake's words when a database without a catalogue is opened for reading."""


class Lake:
    """An open lake. One thread at a time uses `connection`; others `fork` it."""

    def __init__(self, location: LakeLocation, connection: Connection) -> None:
        self.location = location
        self.connection = connection

    @classmethod
    def create_or_open(
        cls, place: LakeLocation | Path | str, *, settings: EngineSettings = WHOLE_MACHINE
    ) -> Self:
        """Open the lake for writing; make it, and bring its SQL up to date, where needed.

        `place` is what a site file describes, or the directory of a lake that is all in one.
        Creation is one transaction, under a lock: a crash leaves no tables or all.

        Raises:
            LakeUnavailable: the lake cannot be written, or the catalogue not be opened.
            LakeSchemaNewer: a newer Busway made the tables.
            ConfigError: a secret is not where the site file says.
        """
        location = _location(place)
        with _locked(location):
            lake = cls(location, _connect(location, settings, read_only=False))
            try:
                lake._bring_up_to_date()
            except BaseException:
                lake.close()
                raise
        return lake

    @classmethod
    def open_read_only(
        cls,
        place: LakeLocation | Path | str,
        *,
        settings: EngineSettings = WHOLE_MACHINE,
        as_of: datetime | None = None,
    ) -> Self:
        """Open the lake for questions, as it is or as it was at a moment; it must be there.

        Raises:
            QueryError: `as_of` is before the first snapshot that is kept.
            LakeUnavailable: there is no lake in that place, or it cannot be opened.
            LakeSchemaNewer: a newer Busway made the tables.
            ConfigError: a secret is not where the site file says.
        """
        location = _location(place)
        catalogue = location.catalogue
        if isinstance(catalogue, Path) and not catalogue.is_file():
            raise LakeUnavailable(
                f"no lake in {location}: {catalogue.name} is missing; `busway sink` makes one"
            )
        try:
            lake = cls(location, _connect(location, settings, read_only=True, as_of=as_of))
        except LakeUnavailable as error:
            if as_of and NO_SNAPSHOT in str(error):
                raise _too_early(location, as_of) from error
            raise
        try:
            lake._refuse_empty()
        except BaseException:
            lake.close()
            raise
        return lake

    @property
    def directory(self) -> Path:
        """The lake's place on this machine."""
        return self.location.directory

    @property
    def storage(self) -> Storage:
        """Where its Parquet files lie."""
        return self.location.storage

    def table_directory(self, table: str) -> Path:
        """Where the Parquet files of a table lie, in a lake that keeps them in a directory."""
        return Path(path_of(self.storage, table))

    def close(self) -> None:
        """Let go of the lake; safe twice."""
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _bring_up_to_date(self) -> None:
        with self.connection.transaction():
            version = self._known_version()
            if version is None:
                self._refuse_lost_catalogue()
            self._create_missing_tables(is_new=version is None)
            if version != FORMAT:
                self._upgrade(version)
            sql_install.install(self.connection, sql_catalogue.load_definitions())
        in_transaction(self.connection, lambda: write_first_rows(self.connection))

    def _create_missing_tables(self, *, is_new: bool) -> None:
        """Create what a lake of an earlier Busway has not; its options it keeps."""
        there = {*self._tables(), *([] if is_new else ["options"])}
        for file in sorted(SCHEMA.glob("*.sql")):
            if file.stem not in there:
                self.connection.execute(file.read_text("utf-8"))

    def _upgrade(self, version: int | None) -> None:
        """Fill the tables that came after `version` from what is there; None: nothing is."""
        for later in range(FORMAT if version is None else version, FORMAT):
            self.connection.execute(statement(f"upgrades/{later + 1}"))
        self.connection.execute("delete from lake_format")
        self.connection.execute("insert into lake_format values (?)", [FORMAT])

    def _refuse_lost_catalogue(self) -> None:
        """See that a new catalogue would not forget files that another one knew."""
        files = [file for layout in LAYOUTS.values() for file in self.storage.files(layout.table)]
        if files:
            raise LakeUnavailable(
                f"catalogue {self.location.catalogue_name} is empty or was not there, but "
                f"{self.storage.root} has files ({files[0].path}, ...): put the catalogue back "
                "from a backup, or, to begin a new lake, move the files away"
            )

    def _refuse_empty(self) -> None:
        if self._known_version() is None:
            raise LakeUnavailable(
                f"{self.location.catalogue_name} has no tables; `busway sink` makes them"
            )

    def _known_version(self) -> int | None:
        """Give the tables' version, None where there are none.

        Raises:
            LakeSchemaNewer: it is one that this Busway does not know.
            LakeUnavailable: the tables are somebody else's.
        """
        tables = self._tables()
        if not tables:
            return None
        if "lake_format" not in tables:
            raise LakeUnavailable(
                f"{self.location.catalogue_name} is not Busway's: it has tables ({tables[0]}, ...) "
                "but no lake_format; give another place"
            )
        version = self.connection.fetch("select version from lake_format")["version"][0].as_py()
        if version > FORMAT:
            raise LakeSchemaNewer(
                f"lake {self.location} has format {version}, and this Busway knows formats up to "
                f"{FORMAT}: upgrade Busway"
            )
        return int(version)

    def _tables(self) -> list[str]:
        listing = "select table_name from duckdb_tables() where database_name = current_database()"
        return [str(name) for name in self.connection.fetch(listing)["table_name"].to_pylist()]


def _location(place: LakeLocation | Path | str) -> LakeLocation:
    return place if isinstance(place, LakeLocation) else LakeLocation.of_directory(place)


def _connect(
    location: LakeLocation,
    settings: EngineSettings,
    *,
    read_only: bool,
    as_of: datetime | None = None,
) -> Connection:
    with _named(location):
        return connect(location, read_only=read_only, settings=settings, as_of=as_of)


def _too_early(location: LakeLocation, as_of: datetime) -> QueryError:
    with Lake.open_read_only(location) as lake:
        oldest = lake.connection.fetch(statement("oldest_snapshot"))["taken_at"][0].as_py()
    return QueryError(
        f"the lake as of {as_of.isoformat()} is not kept any more: its first snapshot is of "
        f"{oldest.isoformat()}; lake.history_hours in the site file says how long they are kept"
    )


@contextmanager
def _named(location: LakeLocation) -> Iterator[None]:
    """Say of which catalogue an error is."""
    try:
        yield
    except (LakeUnavailable, QueryError) as error:
        if NEVER_MADE in str(error):
            raise LakeUnavailable(f"no lake in {location}: `busway sink` makes one") from error
        raise LakeUnavailable(
            f"catalogue {location.catalogue_name} cannot be opened: {error}"
            f"{DAMAGED if any(words in str(error) for words in _OF_DAMAGE) else ''}"
        ) from error


def _make_writable(path: Path) -> None:
    """Make the directory and try a file in it, so that a refusal comes now and by name."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise LakeUnavailable(
            f"lake directory {path} cannot be written: {error.strerror}; give a directory that "
            "this user may write to"
        ) from error


@contextmanager
def _locked(location: LakeLocation) -> Iterator[None]:
    """Hold the lake against other processes that would create or upgrade the same."""
    if isinstance(location.catalogue, Catalogue):
        with ExitStack() as held:
            with _named(location):
                held.enter_context(catalogue_locked(location))
            yield
    else:
        _make_writable(location.directory)
        with _directory_locked(location.directory):
            yield


@contextmanager
def _directory_locked(directory: Path) -> Iterator[None]:
    descriptor = os.open(directory, os.O_RDONLY)
    deadline = time.monotonic() + CREATION_DEADLINE_S
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise LakeUnavailable(
                        f"lake directory {directory} is locked by a process that is creating it "
                        f"for more than {CREATION_DEADLINE_S:.0f} s"
                    ) from None
                time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)
