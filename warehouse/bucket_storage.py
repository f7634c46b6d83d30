"""Parquet files in an S3-compatible object store: no rename, but an upload is whole or nothing.

A file is made in memory and uploaded under its final name; an object shows when its upload has
ended, and not before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import IO, Any

import pyarrow as pa
from pyarrow import fs

from facility.errors import LakeUnavailable
from facility.site import Bucket
from warehouse.storage import StoredFile, Sweep, WriteTo, path_of

FORGOTTEN_AFTER = timedelta(hours=2)
"""Longer than `kafka.session_timeout_seconds` may be: whoever still held a file of this age has
lost its partitions, and with them the right to register it."""
CONNECT_TIMEOUT_S = 3.0
REQUEST_TIMEOUT_S = 30.0
ATTEMPTS = 2
"""Of one request; the sink tries the whole file again by itself."""
CHECK = "busway-can-write"

_REMEDIES = {
    "INVALID_ACCESS_KEY_ID": "check lake.bucket.access_key",
    "SIGNATURE_DOES_NOT_MATCH": "check lake.bucket.secret_key",
    "ACCESS_DENIED": "let this access key list, read, write and delete under the prefix",
    "NO_SUCH_BUCKET": "make the bucket, or mend lake.bucket.url",
    "NETWORK_CONNECTION": "check lake.bucket.endpoint, and that the store is up",
}


class BucketStorage:
    """A bucket and prefix. Constructing reads no secret and does no I/O."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self.root = str(bucket.url)

    def prepare(self, tables: Iterable[str]) -> None:
        """Write and remove a small object, so that a refusal comes now and by name."""
        del tables  # a bucket has no directories
        check = f"{self._bucket.url.path}/{CHECK}"
        with self._our_errors(f"{self.root}/{CHECK}", "written"):
            self._upload(check, b"")
            self._files.delete_file(check)

    def put(self, table: str, name: str, write: WriteTo) -> StoredFile:
        """Make the file in memory, then upload it."""
        whole = pa.BufferOutputStream()
        write(whole)  # type: ignore[arg-type]  # a file to all that write to it
        content = whole.getvalue()
        path = path_of(self, table, name)
        with self._our_errors(path, "written"):
            self._upload(_key(path), content)
        return StoredFile(path, content.size, datetime.now(UTC))

    @contextmanager
    def open(self, path: str) -> Iterator[IO[bytes]]:
        """Open an object for reading; each read is a request."""
        with self._our_errors(path, "read"):
            file = self._files.open_input_file(_key(path))
        with file:
            yield file  # type: ignore[misc]  # a file to all that read from it

    def exists(self, path: str) -> bool:
        """Say whether a file is there."""
        with self._our_errors(path, "looked up"):
            return self._files.get_file_info(_key(path)).type == fs.FileType.File

    def delete(self, path: str) -> None:
        """Remove a file; one that is not there is no error."""
        with self._our_errors(path, "removed"):
            if self._files.get_file_info(_key(path)).type == fs.FileType.File:
                self._files.delete_file(_key(path))

    def files(self, table: str) -> Sequence[StoredFile]:
        """List the table's prefix."""
        place = path_of(self, table)
        asked = fs.FileSelector(_key(place), allow_not_found=True)
        with self._our_errors(place, "listed"):
            return [
                StoredFile(f"s3://{found.path}", found.size, _written_at(found))
                for found in self._files.get_file_info(asked)
                if found.type == fs.FileType.File
            ]

    @contextmanager
    def writer_present(self, sweep: Sweep) -> Iterator[None]:
        """Sweep what is too old to be registered; an object store has no locks to tell by."""
        sweep(FORGOTTEN_AFTER)
        yield

    def _upload(self, key: str, content: pa.Buffer | bytes) -> None:
        with self._files.open_output_stream(key) as stream:
            stream.write(content)

    @cached_property
    def _files(self) -> fs.S3FileSystem:
        bucket = self._bucket
        scheme, _, endpoint = (bucket.endpoint or "https://").partition("://")
        settings: dict[str, Any] = {  # the stubs know only older ones
            "access_key": bucket.access_key.reveal(),
            "secret_key": bucket.secret_key.reveal(),
            "region": bucket.region,
            "scheme": scheme,
            "endpoint_override": endpoint or None,
            "force_virtual_addressing": bucket.url_style == "virtual_host",
            "tls_ca_file_path": str(bucket.ca_file) if bucket.ca_file else None,
            "connect_timeout": CONNECT_TIMEOUT_S,
            "request_timeout": REQUEST_TIMEOUT_S,
            "retry_strategy": fs.AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
            "allow_delayed_open": True,  # one request for a small file
            "background_writes": False,
        }
        return fs.S3FileSystem(**settings)

    @contextmanager
    def _our_errors(self, path: str, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            text = str(error)
            remedy = next((f"; {r}" for name, r in _REMEDIES.items() if name in text), "")
            raise LakeUnavailable(f"{path} cannot be {what}: {text}{remedy}") from error


def _written_at(found: fs.FileInfo) -> datetime:
    assert found.mtime is not None, "an object store gives every object's time"
    return found.mtime.astimezone(UTC)


def _key(path: str) -> str:
    return path.removeprefix("s3://")
