"""The SQLite file in which notifications wait: opened alone, its errors in our words.

A transaction outlives a kill -9. One that power loss takes is made again: it is of transitions
that the engine's outbox or topic still has, and the position in those goes with it.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog

from facility.errors import AlertQueueUnusable

FORMAT = 1
_APPLICATION_ID = 0x42757361  # "Busa"
_TABLES = """
CREATE TABLE position (outbox TEXT PRIMARY KEY, seq INTEGER NOT NULL);
CREATE TABLE standing (alert TEXT PRIMARY KEY, began_at TEXT NOT NULL, transition TEXT NOT NULL);
CREATE TABLE mark (
    hook TEXT NOT NULL,
    alert TEXT NOT NULL,
    key TEXT NOT NULL,
    told TEXT NOT NULL DEFAULT '',
    waiting TEXT NOT NULL DEFAULT '',
    notice TEXT NOT NULL DEFAULT '',
    since_s REAL NOT NULL DEFAULT 0,
    is_urgent INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (hook, alert)
) WITHOUT ROWID;
CREATE INDEX mark_of_group ON mark (hook, key);
CREATE TABLE grouping (
    hook TEXT NOT NULL,
    key TEXT NOT NULL,
    labels TEXT NOT NULL,
    wait_s REAL NOT NULL,
    interval_s REAL NOT NULL,
    repeat_s REAL NOT NULL,
    told_s REAL NOT NULL DEFAULT 0,
    told_times INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (hook, key)
);
CREATE TABLE outgoing (
    hook TEXT NOT NULL,
    key TEXT NOT NULL,
    delivery TEXT NOT NULL,
    priority INTEGER NOT NULL,
    made_s REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    body TEXT NOT NULL,
    PRIMARY KEY (hook, key)
);
CREATE TABLE silence (
    id TEXT PRIMARY KEY,
    match TEXT NOT NULL,
    starts_s REAL NOT NULL,
    ends_s REAL NOT NULL,
    author TEXT NOT NULL,
    comment TEXT NOT NULL
);
"""
log = structlog.get_logger()


class QueueFile:
    """One open file for any number of threads. A damaged one is moved aside, and begun anew.

    Raises:
        AlertQueueUnusable: it cannot be opened for writing, or another process has it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        try:
            self._connection = self._open()
        except sqlite3.OperationalError as error:
            raise self._unusable(error) from error
        except sqlite3.DatabaseError as error:
            aside = path.with_name(f"{path.name}.damaged-{int(time.time())}")
            path.rename(aside)
            log.error(  # noqa: TRY400 - the message says all
                "The queue of notifications is damaged and begun anew; what fires is told again.",
                moved_to=str(aside),
                error=str(error),
            )
            self._connection = self._open()

    def execute(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement and give its rows."""
        with self._lock:
            try:
                return self._connection.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise self._unusable(error) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and nobody else meanwhile."""
        with self._lock:
            self.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Let go of the file. Safe twice."""
        with self._lock:
            self._connection.close()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, timeout=0
        )
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        run = connection.execute
        run("PRAGMA locking_mode = EXCLUSIVE")
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = NORMAL")
        if (found := run("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError(found)
        if not run("PRAGMA user_version").fetchone()[0]:
            connection.executescript(
                f"BEGIN; PRAGMA application_id = {_APPLICATION_ID};"
                f" PRAGMA user_version = {FORMAT}; {_TABLES} COMMIT;"
            )
        elif (version := run("PRAGMA user_version").fetchone()[0]) > FORMAT:
            raise sqlite3.OperationalError(
                f"it has format {version}, this Busway knows up to {FORMAT}: upgrade it"
            )

    def _unusable(self, error: sqlite3.Error) -> AlertQueueUnusable:
        return AlertQueueUnusable(f"queue of notifications {self.path}: {error}")
