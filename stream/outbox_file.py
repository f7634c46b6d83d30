"""The outbox's SQLite file: opened whole and alone or not at all, its errors in our words."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from facility.errors import BuswayError, ConfigError, OutboxCorrupt, OutboxFull, OutboxInUse

FORMAT = 1
PAGE_BYTES = 16_384
"""Of a new file; messages are large, and pages of 4 kB cost twice the time to store and delete."""
CHECKPOINT_PAGES = 512
CACHE_KILOBYTES = 8_000
"""So that what is appended, sent and deleted at once is never read from the file."""
_APPLICATION_ID = 0x42757377  # "Busw": tells an outbox from any other SQLite file
_TABLES = """
CREATE TABLE outbox (id TEXT NOT NULL, collector TEXT NOT NULL);
CREATE TABLE topic (
    name TEXT PRIMARY KEY,
    last_seq INTEGER NOT NULL,
    messages INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE entry (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL REFERENCES topic (name),
    seq INTEGER NOT NULL,
    schema TEXT NOT NULL,
    rows INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    appended_at_us INTEGER NOT NULL,
    value BLOB NOT NULL,
    UNIQUE (topic, seq)
);
CREATE TABLE dropped (
    topic TEXT NOT NULL,
    seq INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    dropped_at_us INTEGER NOT NULL,
    PRIMARY KEY (topic, seq)
);
CREATE TRIGGER entry_stored AFTER INSERT ON entry BEGIN
    UPDATE topic SET messages = messages + 1, bytes = bytes + new.bytes, last_seq = new.seq
    WHERE name = new.topic;
END;
CREATE TRIGGER entry_gone AFTER DELETE ON entry BEGIN
    UPDATE topic SET messages = messages - 1, bytes = bytes - old.bytes WHERE name = old.topic;
END;
"""


class OutboxFile:
    """One open outbox file; the caller serialises its threads.

    WAL with synchronous=FULL: a committed transaction outlives power loss. The exclusive lock is
    held until close or the death of the process.

    Raises:
        OutboxCorrupt, OutboxInUse, ConfigError: as `Outbox` says.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"outbox directory {path.parent}: {error.strerror}") from error
        if not path.exists():
            self._create()
        elif path.stat().st_size == 0:
            raise OutboxCorrupt(self._corrupt("it is empty"))
        has_wal = _has_content(path.with_name(path.name + "-wal"))
        with self._in_our_words():
            self._connection = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, timeout=0
            )
        try:
            with self._in_our_words():
                self._prepare()
                self._note_open(has_wal=has_wal)
        except BaseException:
            self._connection.close()
            raise

    def execute(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement and give its rows."""
        with self._in_our_words():
            return self._connection.execute(sql, values).fetchall()

    def stream(self, sql: str, *values: object) -> Iterator[tuple[Any, ...]]:
        """Run one query and give its rows as they are asked for."""
        with self._in_our_words():
            yield from self._connection.execute(sql, values)

    def value(self, number: int) -> bytes:
        """Give the value of an entry."""
        with (
            self._in_our_words(),
            self._connection.blobopen("entry", "value", number, readonly=True) as blob,
        ):
            return blob.read()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; on disk when the block ends."""
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def execute_unsynced(self, sql: str, *values: object) -> None:
        """Run one statement that power loss may undo, without waiting for the disk."""
        self.execute("PRAGMA synchronous = NORMAL")
        try:
            self.execute(sql, *values)
        finally:
            self.execute("PRAGMA synchronous = FULL")

    def close(self) -> None:
        """Let go of the file. Safe twice."""
        with suppress(sqlite3.Error):  # closed already, or not to be written any more
            self._connection.execute("UPDATE life SET is_open = 0")
        self._connection.close()

    def _create(self) -> None:
        """Make a new outbox under another name first, so that one without tables is damaged."""
        new = self.path.with_name(f"{self.path.name}.{os.getpid()}.new")
        try:
            new.unlink(missing_ok=True)
            with self._in_our_words(), closing(sqlite3.connect(new, isolation_level=None)) as made:
                made.executescript(
                    f"PRAGMA page_size = {PAGE_BYTES}; BEGIN;"
                    f" PRAGMA application_id = {_APPLICATION_ID};"
                    f" PRAGMA user_version = {FORMAT}; {_TABLES} COMMIT;"
                )
            with suppress(FileExistsError):  # another process was first
                os.link(new, self.path)
            new.unlink()
        except OSError as error:
            raise ConfigError(
                f"outbox {self.path} cannot be opened for writing: {error.strerror}"
            ) from error

    def _note_open(self, *, has_wal: bool) -> None:
        """Have it on disk, in the file itself, that from now on there is a -wal file.

        Without it the file is an older one, whose next seqs have been used already.
        """
        run = self._connection.execute
        run("CREATE TABLE IF NOT EXISTS life (is_open INTEGER NOT NULL)")
        was_open = run("SELECT max(is_open) FROM life").fetchone()[0]
        if was_open and not has_wal:
            raise OutboxCorrupt(
                self._corrupt("its -wal file is missing, though it was not closed in order")
            )
        if was_open is None:
            run("INSERT INTO life VALUES (1)")
        else:
            run("UPDATE life SET is_open = 1")
        run("PRAGMA wal_checkpoint(PASSIVE)")

    def _prepare(self) -> None:
        run = self._connection.execute
        run("PRAGMA locking_mode = EXCLUSIVE")
        run("PRAGMA journal_mode = WAL")
        run(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        run("PRAGMA synchronous = FULL")
        run("PRAGMA secure_delete = OFF")  # Debian's SQLite writes zeros over all that it deletes
        run(f"PRAGMA cache_size = -{CACHE_KILOBYTES}")
        if (found := run("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise OutboxCorrupt(self._corrupt(found))
        if run("PRAGMA application_id").fetchone()[0] != _APPLICATION_ID:
            raise OutboxCorrupt(f"{self.path} is an SQLite file, but no outbox; move it away")
        if (version := run("PRAGMA user_version").fetchone()[0]) > FORMAT:
            raise ConfigError(
                f"outbox {self.path} has format {version}, this Busway knows up to {FORMAT}:"
                " upgrade it"
            )

    @contextmanager
    def _in_our_words(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._translate(error) from error

    def _translate(self, error: sqlite3.Error) -> BuswayError:
        # A primary result code is the low byte of the extended one.
        match getattr(error, "sqlite_errorcode", sqlite3.SQLITE_MISUSE) & 0xFF:
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return OutboxInUse(
                    f"outbox {self.path} is open in another process; stop that one, or give this"
                    " collector a directory of its own"
                )
            case sqlite3.SQLITE_FULL:
                return OutboxFull(f"outbox {self.path}: the disk is full")
            case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
                return ConfigError(f"outbox {self.path} cannot be opened for writing: {error}")
            case _:
                return OutboxCorrupt(self._corrupt(error))

    def _corrupt(self, found: object) -> str:
        what = " ".join(str(found).split())
        return (
            f"outbox {self.path} is damaged: {what}. Restore it, or move it away to start a new"
            " one; what it held and the broker had not taken is lost"
        )


def _has_content(file: Path) -> bool:
    return file.exists() and file.stat().st_size > 0
