"""What the sink has taken from the stream and not yet committed."""

from __future__ import annotations

import time
from collections import defaultdict

import pyarrow as pa

from facility.site import Lake as LakeSettings
from stream.message import Partition
from warehouse.progress import Numbering, Standing

BYTES_PER_MEGABYTE = 1_000_000


class Buffer:
    """Batches by topic, with the offsets and seqs that they bring the lake to."""

    def __init__(self) -> None:
        self.batches: defaultdict[str, list[pa.RecordBatch]] = defaultdict(list)
        self.next_offsets: dict[Partition, int] = {}
        self.standings: dict[Numbering, Standing] = {}
        self.rows = 0
        self.bytes = 0
        self.newest_ms = 0
        """When its newest message was produced: milliseconds since 1970, UTC."""
        self._since = time.monotonic()

    def add(self, batch: pa.RecordBatch, numbering: Numbering, standing: Standing) -> None:
        """Take a batch that is new."""
        if batch.num_rows:
            self.batches[numbering.topic].append(batch)
        self.standings[numbering] = standing
        self.rows += batch.num_rows
        self.bytes += batch.nbytes

    def pass_over(self, partition: Partition, offset: int, produced_ms: int) -> None:
        """Note that a message is dealt with, whatever became of it."""
        if not self.next_offsets:
            self._since = time.monotonic()
        self.next_offsets[partition] = offset + 1
        self.newest_ms = max(self.newest_ms, produced_ms)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to commit, not even an offset."""
        return not self.next_offsets

    def seconds_left(self, settings: LakeSettings) -> float:
        """Say how long it may still wait: 0 when it must be flushed, by size or by age."""
        if self.is_empty:
            return settings.flush_seconds
        is_full = (
            self.rows >= settings.flush_rows
            or self.bytes >= settings.flush_megabytes * BYTES_PER_MEGABYTE
        )
        age_s = time.monotonic() - self._since
        return 0.0 if is_full else max(0.0, settings.flush_seconds - age_s)
