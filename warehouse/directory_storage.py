"""Parquet files in a directory: temporary name, sync, rename, sync the directory."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from facility.errors import LakeUnavailable
from warehouse.storage import TEMPORARY, StoredFile, Sweep, WriteTo, path_of


class DirectoryStorage:
    """A directory on this machine, or one that all hosts see at the same path."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.root = str(directory)

    def prepare(self, tables: Iterable[str]) -> None:
        """Make the tables' directories."""
        for table in tables:
            place = Path(path_of(self, table))
            with _our_errors(place, "be made"):
                place.mkdir(parents=True, exist_ok=True)

    def put(self, table: str, name: str, write: WriteTo) -> StoredFile:
        """Write under a temporary name, sync, rename, sync; nothing is left of a failure."""
        path = Path(path_of(self, table, name))
        temporary = path.with_name(path.name + TEMPORARY)
        try:
            with _our_errors(path, "be written"):
                with temporary.open("wb") as file:
                    write(file)
                    file.flush()
                    os.fsync(file.fileno())
                    size = file.tell()
                temporary.rename(path)
                _sync_directory(path.parent)
        except LakeUnavailable:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        return StoredFile(str(path), size, datetime.now(UTC))

    @contextmanager
    def open(self, path: str) -> Iterator[IO[bytes]]:
        """Open a file for reading."""
        with _our_errors(Path(path), "be read"):
            file = Path(path).open("rb")  # noqa: SIM115 - closed below; what is read is not ours to name
        with file:
            yield file

    def exists(self, path: str) -> bool:
        """Say whether a file is there."""
        return Path(path).exists()

    def delete(self, path: str) -> None:
        """Remove a file; one that is not there is no error."""
        with _our_errors(Path(path), "be removed"):
            Path(path).unlink(missing_ok=True)

    def files(self, table: str) -> Sequence[StoredFile]:
        """List a table's directory."""
        place = Path(path_of(self, table))
        with _our_errors(place, "be listed"):
            return [_stored(file) for file in place.iterdir()] if place.is_dir() else []

    @contextmanager
    def writer_present(self, sweep: Sweep) -> Iterator[None]:
        """Hold a lock on the directory while the block lasts.

        The first writer finds it free of others and sweeps it, whatever a file's age. While any
        lives, even one that is paused, nothing is swept: what looks forgotten may be about to be
        registered.
        """
        with _our_errors(self.directory, "be opened"):
            descriptor = os.open(self.directory, os.O_RDONLY)
        try:
            if _is_alone(descriptor):
                sweep(timedelta(0))
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            yield
        finally:
            os.close(descriptor)


def _is_alone(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _stored(file: Path) -> StoredFile:
    facts = file.stat()
    return StoredFile(str(file), facts.st_size, datetime.fromtimestamp(facts.st_mtime, UTC))


def _sync_directory(directory: Path) -> None:
    """Make renames in a directory outlive a power failure."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _our_errors(path: Path, what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LakeUnavailable(f"{path} cannot {what}: {error.strerror or error}") from error
