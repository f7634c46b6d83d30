"""Brings buffers into the lake: files first, then one transaction; patient while it is away."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import prometheus_client
import structlog

from facility.errors import FenceLost, LakeUnavailable
from stream.message import Partition
from warehouse.buffer import Buffer
from warehouse.commit import Advance, commit, open_offsets, read_progress
from warehouse.lake import Lake
from warehouse.layout import LAYOUTS
from warehouse.parquet_files import DataFile, write_file
from warehouse.progress import Numbering, Standing
from warehouse.sorting import Sorter
from warehouse.statements import statement

STOPPING_S = 10.0
"""How long a lake that is away is waited for once the sink is told to stop."""
LONGEST_DELAY_S = 5.0

ROWS = prometheus_client.Counter("busway_sink_rows", "Rows committed to the lake.", ["table"])
BYTES = prometheus_client.Counter("busway_sink_bytes", "Bytes of Parquet committed.", ["table"])
COMMITS = prometheus_client.Counter("busway_sink_commits", "Transactions committed.")
WRITE_SECONDS = prometheus_client.Histogram(
    "busway_sink_write_seconds", "Time to sort and write the files of one commit."
)
COMMIT_SECONDS = prometheus_client.Histogram(
    "busway_sink_commit_seconds", "Time of one commit, waiting for other writers included."
)
NEWEST = prometheus_client.Gauge(
    "busway_sink_newest_timestamp_seconds", "When the newest committed message was produced."
)
log = structlog.get_logger()


class Writer:
    """The lake as one sink has left it. One thread at a time; `facts` any thread."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._offsets: dict[Partition, int] = {}
        self._committed: Mapping[Numbering, Standing] = {}
        self._trouble = ""
        self._rows: Counter[str] = Counter()
        self._sorters = {topic: Sorter(layout) for topic, layout in LAYOUTS.items()}

    def take_over(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """Begin with what the lake says of these partitions: the offsets to read on from.

        Raises:
            LakeUnavailable: the lake cannot be read or written now.
        """
        offsets = open_offsets(self._lake.connection, partitions)
        self._offsets |= offsets
        self._committed = read_progress(self._lake.connection)
        return offsets

    @property
    def standings(self) -> Mapping[Numbering, Standing]:
        """How far the lake has each collector's batches."""
        return self._committed

    def store(self, buffer: Buffer, stop: threading.Event) -> None:
        """Write and commit; while the lake is away, try again, until told to stop.

        Raises:
            FenceLost: another sink has taken over; nothing of the buffer is stored.
            LakeUnavailable: the lake stayed away while stopping.
        """
        files: dict[str, DataFile] = {}
        patience = _Patience(stop)
        while True:
            try:
                self._write(buffer, files)
                self._commit(buffer, files)
            except LakeUnavailable as error:
                self._note_trouble(str(error))
                if not patience.wait():
                    raise
            else:
                self._note_trouble("")
                return

    def lag(self, ends: Mapping[Partition, int]) -> dict[str, int]:
        """Give, by topic, how many of the messages before `ends` are not in the lake."""
        lag: Counter[str] = Counter()
        for partition, end in ends.items():
            lag[partition.topic] += max(0, end - self._offsets.get(partition, 0))
        return lag

    def facts(self) -> dict[str, Any]:
        """Give what the sink's health says of the lake."""
        return {
            "trouble": self._trouble,
            "rows": self._rows["readings"],
            "committed": [
                {
                    "collector": numbering.collector,
                    "topic": numbering.topic,
                    "outbox": numbering.outbox,
                    "last_seq": standing.last_seq,
                    "missing": standing.missing,
                }
                for numbering, standing in self._committed.items()
            ],
        }

    @WRITE_SECONDS.time()
    def _write(self, buffer: Buffer, files: dict[str, DataFile]) -> None:
        """Write what no earlier attempt has written, or what has vanished since."""
        storage = self._lake.storage
        for topic, batches in buffer.batches.items():
            layout = LAYOUTS[topic]
            if layout.table not in files or not storage.exists(files[layout.table].path):
                files[layout.table] = write_file(
                    self._sorters[topic].sort(batches), layout, storage
                )

    @COMMIT_SECONDS.time()
    def _commit(self, buffer: Buffer, files: Mapping[str, DataFile]) -> None:
        """Commit once, even where an earlier attempt was cut off before it knew its end."""
        offsets = {
            partition: (self._offsets[partition], reached)
            for partition, reached in buffer.next_offsets.items()
        }
        try:
            commit(self._lake.connection, Advance(tuple(files.items()), offsets, buffer.standings))
        except FenceLost:
            if not self._are_registered(files):
                self._remove(files)
                raise
        self._offsets |= buffer.next_offsets
        self._committed = {**self._committed, **buffer.standings}
        for table, file in files.items():
            self._rows[table] += file.rows
            ROWS.labels(table).inc(file.rows)
            BYTES.labels(table).inc(file.bytes)
        COMMITS.inc()
        NEWEST.set(buffer.newest_ms / 1000)

    def _are_registered(self, files: Mapping[str, DataFile]) -> bool:
        """Say whether a commit whose answer never came was made all the same."""
        names = [file.path.rpartition("/")[2] for file in files.values()]
        found = self._lake.connection.fetch(statement("registered_files"), {"names": names})
        return bool(names) and found["files"][0].as_py() == len(names)

    def _remove(self, files: Mapping[str, DataFile]) -> None:
        """Remove what will not be registered; what cannot be removed now is swept later."""
        for file in files.values():
            with suppress(LakeUnavailable):
                self._lake.storage.delete(file.path)

    def _note_trouble(self, trouble: str) -> None:
        """Say once that the lake is away, and once that it is back."""
        if trouble and not self._trouble:
            log.error("The lake cannot be written; trying on.", error=trouble)
        elif self._trouble and not trouble:
            log.info("The lake can be written again.")
        self._trouble = trouble


class _Patience:
    """Waits longer each time; no more once a stop is STOPPING_S old."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._delay_s = 0.1
        self._deadline: float | None = None

    def wait(self) -> bool:
        """Sleep; say whether to try again."""
        if not self._stop.wait(self._delay_s):
            self._delay_s = min(2 * self._delay_s, LONGEST_DELAY_S)
            return True
        now = time.monotonic()
        self._deadline = self._deadline or now + STOPPING_S
        time.sleep(self._delay_s / 2)
        return now < self._deadline
