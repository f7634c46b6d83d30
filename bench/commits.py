"""Brings batches into a lake as the sink does, without a stream."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import count

import pyarrow as pa

from facility.reading import TOPICS
from stream.message import Partition
from warehouse.buffer import Buffer
from warehouse.lake import Lake
from warehouse.progress import Numbering, Standing
from warehouse.writer import Writer

TOPIC = TOPICS["readings"]
PARTITION = Partition(TOPIC, "bench", 0)


class Commits:
    """One after another; the lake must be one in which `sink_present`."""

    def __init__(self, lake: Lake) -> None:
        self._writer = Writer(lake)
        self._writer.take_over([PARTITION])
        self._never, self._at = threading.Event(), count(1)

    def commit(self, batches: Sequence[pa.RecordBatch]) -> int:
        """Sort, write and commit these as one flush, a batch a collector; give their rows."""
        at, buffer = next(self._at), Buffer()
        for number, batch in enumerate(batches):
            buffer.add(batch, Numbering(f"collector-{number}", TOPIC, "o"), Standing(at))
        buffer.pass_over(PARTITION, at, 0)
        self._writer.store(buffer, self._never)
        return buffer.rows
