"""The sink: takes batches from the stream and commits them to the lake, each exactly once.

A flush, in order; a crash between any two steps loses nothing and doubles nothing:

1. rows are sorted and written to Parquet files under temporary names, synced, renamed;
2. one transaction registers the files, moves the offsets (only if they are where this sink left
   them) and each collector's last seq.

The lake is the truth about offsets: what was taken from the stream and not committed is read again.
Memory holds at most two buffers of the size that the settings give, one filling and one being
written, and POLL_BYTES of messages.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

import prometheus_client
import structlog

from facility.errors import BrokerUnavailable, FenceLost, LakeUnavailable
from facility.site import Lake as LakeSettings
from stream.message import Envelope, Partition, Received
from stream.subscriber import OnPartitions
from warehouse.connection import EngineSettings
from warehouse.held import is_held
from warehouse.intake import DeadLetters, Intake
from warehouse.lake import Lake
from warehouse.sweep import sink_present
from warehouse.writer import Writer

ENGINE = EngineSettings(memory_megabytes=1000, threads=1)
"""For the sink's lake: its statements are small, and more threads make them slower."""
POLL_BYTES = 8_000_000
LONGEST_POLL_S = 0.5
LAG_INTERVAL_S = 1.0
MOST_FENCED = 5
"""Commits in a row that may meet the fence before the sink gives up."""

FENCED = prometheus_client.Counter(
    "busway_sink_fenced_commits", "Commits refused because another sink had taken over."
)
LAG = prometheus_client.Gauge(
    "busway_sink_lag_messages", "Messages in the stream that are not in the lake.", ["topic"]
)
log = structlog.get_logger()


class Feed(Protocol):
    """What the sink needs of `stream.subscriber.Subscriber`."""

    @property
    def assigned(self) -> tuple[Partition, ...]:
        """The partitions that are read now."""

    def poll(self, timeout_s: float, max_bytes: int) -> Sequence[Received]:
        """Wait for messages; tell of partitions gained and lost before giving anything of them."""

    def seek(self, partition: Partition, offset: int) -> None:
        """Read on from an offset."""

    def high_water(self) -> Mapping[Partition, int]:
        """Give the offset of each assigned partition's next message."""

    def close(self) -> None:
        """Let go of the broker."""


class Subscribe(Protocol):
    """Makes the feed: `functools.partial(Subscriber, kafka, topics, group=...)`."""

    def __call__(self, *, on_assigned: OnPartitions, on_revoked: OnPartitions) -> Feed:
        """Make it without any I/O."""


class Sink:
    """Consumes in the thread of `run`, writes and commits in another. Constructing does no I/O."""

    def __init__(
        self,
        lake: Lake,
        subscribe: Subscribe,
        settings: LakeSettings,
        *,
        dead_letters: DeadLetters,
    ) -> None:
        self._lake = lake
        self._settings = settings
        self._feed = subscribe(on_assigned=self._take_over, on_revoked=self._let_go)
        self._dead_letters = dead_letters
        self._intake = Intake(dead_letters, self._is_held)
        self._writer = Writer(lake)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="lake-writer")
        self._writing: Future[None] | None = None
        self._stop = threading.Event()
        self._must_resume = False
        self._fenced = 0
        self._next_lag_check = 0.0
        self._lag_messages = 0

    def run(self, stop: threading.Event) -> None:
        """Take in until `stop` is set; then commit what has been taken, and close the stream.

        Raises:
            LakeUnavailable: the lake cannot be used at the start, or stayed away while stopping.
            FenceLost: another sink takes over the same partitions again and again.
            ConfigError: the stream is not set up as the site says.
        """
        self._stop = stop
        try:
            with sink_present(self._lake), self._thread:
                while not stop.is_set():
                    self._turn()
                self._flush()
                self._settle()
        finally:
            self._feed.close()
            self._dead_letters.close()

    def health(self) -> dict[str, Any]:
        """Say how the sink does; from any thread.

        `committed` is what the lake has of each collector's outbox: where the broker keeps nothing
        on disk, an outbox may be trimmed up to `last_seq`, and no further.
        """
        facts = self._writer.facts()
        partitions = len(self._feed.assigned)
        ready = partitions > 0 and not facts["trouble"]
        return {"ready": ready, "partitions": partitions, "lag": self._lag_messages, **facts}

    def _turn(self) -> None:
        if self._writing is not None and self._writing.done():
            self._settle()
        wait_s = min(LONGEST_POLL_S, self._intake.buffer.seconds_left(self._settings))
        received = self._feed.poll(wait_s, POLL_BYTES)
        if self._must_resume:  # what came may follow on something that was thrown away
            self._resume()
        else:
            self._take(received)
        self._flush_if_due()
        self._measure_lag()

    def _take(self, received: Sequence[Received]) -> None:
        stuck: set[Partition] = set()
        for message in received:
            if message.partition in stuck:
                continue
            try:
                self._intake.take(message)
            except (BrokerUnavailable, LakeUnavailable) as error:
                log.warning("A message could not be dealt with; trying again.", error=str(error))
                stuck.add(message.partition)
                self._feed.seek(message.partition, message.offset)
            if not self._must_resume:
                self._flush_if_due()
            if self._must_resume:  # this and the rest follow on what was thrown away
                self._intake.forget()
                return

    def _is_held(self, envelope: Envelope) -> bool:
        """Look for a batch whose number was there before; waits for what is being written."""
        self._settle()
        waiting = self._intake.buffer.batches.get(envelope.topic, ())
        return is_held(envelope.batch, envelope.topic, self._lake.connection, waiting)

    def _flush_if_due(self) -> None:
        if self._intake.buffer.seconds_left(self._settings) <= 0:
            self._flush()

    def _flush(self) -> None:
        """Hand the buffer to the writer, when it has done with the one before."""
        self._settle()
        if not self._must_resume and not self._intake.buffer.is_empty:
            full = self._intake.hand_over()
            self._writing = self._thread.submit(self._writer.store, full, self._stop)

    def _settle(self) -> None:
        """Wait for the writer. If it met the fence, what has been read since is void too."""
        if self._writing is None:
            return
        writing, self._writing = self._writing, None
        try:
            writing.result()
            self._fenced = 0
        except FenceLost as error:
            FENCED.inc()
            self._fenced += 1
            log.warning("The lake has moved on without this sink.", error=str(error))
            if self._fenced >= MOST_FENCED:
                raise
            self._intake.forget()
            self._must_resume = True

    def _take_over(self, partitions: tuple[Partition, ...]) -> None:
        """Read on where the lake says."""
        self._settle()
        offsets = self._writer.take_over(partitions)
        self._intake.renew(self._writer.standings)
        for partition, offset in offsets.items():
            self._feed.seek(partition, offset)

    def _let_go(self, partitions: tuple[Partition, ...]) -> None:
        """Throw away what is not committed: whoever reads these partitions next reads it again."""
        self._settle()
        if not self._intake.buffer.next_offsets.keys().isdisjoint(partitions):
            self._intake.forget()
            self._must_resume = bool(self._feed.assigned)

    def _resume(self) -> None:
        self._must_resume = False
        self._take_over(self._feed.assigned)

    def _measure_lag(self) -> None:
        if time.monotonic() < self._next_lag_check:
            return
        self._next_lag_check = time.monotonic() + LAG_INTERVAL_S
        try:
            ends = self._feed.high_water()
        except BrokerUnavailable:  # the feed says so itself
            return
        lags = self._writer.lag(ends)
        self._lag_messages = sum(lags.values())
        for topic, lag in lags.items():
            LAG.labels(topic).set(lag)
