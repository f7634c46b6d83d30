"""Where the lake's Parquet files lie: the few operations that a directory and a bucket share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO, Protocol

WriteTo = Callable[[IO[bytes]], None]
"""Writes a file's whole content to what it is given."""
Sweep = Callable[[timedelta], None]
"""Removes what nobody will register any more: whatever is at least this old."""
TEMPORARY = ".tmp"
"""Ends the name of a file that is not whole."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as its storage lists it."""

    path: str
    """As the catalogue names it: a path, or an `s3://` URL."""
    bytes: int
    written_at: datetime

    @property
    def name(self) -> str:
        """Last part of the path."""
        return self.path.rpartition("/")[2]


class Storage(Protocol):
    """Files by table; a path it gives can be registered in the catalogue and read by DuckDB.

    Raises:
        LakeUnavailable: the storage refuses, is full, or does not answer; any method may.
    """

    @property
    def root(self) -> str:
        """What DuckLake is given as the data path."""

    def prepare(self, tables: Iterable[str]) -> None:
        """Make what a table's first file needs; refuse now what cannot be written."""

    def put(self, table: str, name: str, write: WriteTo) -> StoredFile:
        """Store a file: whole and durable when this returns, or not there under its name."""

    def open(self, path: str) -> AbstractContextManager[IO[bytes]]:
        """Open a file for reading anywhere in it."""

    def exists(self, path: str) -> bool:
        """Say whether a file is there."""

    def delete(self, path: str) -> None:
        """Remove a file; one that is not there is no error."""

    def files(self, table: str) -> Sequence[StoredFile]:
        """List a table's files, those that are not whole too; none where the table has no place."""

    def writer_present(self, sweep: Sweep) -> AbstractContextManager[None]:
        """Say to other writers that this one is alive; call `sweep` first, where that is safe."""


def path_of(storage: Storage, table: str, name: str = "") -> str:
    """Name a table's place, or a file in it, as DuckLake does: under the schema `main`."""
    return "/".join((storage.root, "main", table, *([name] if name else [])))
