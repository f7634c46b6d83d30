"""A stream for the sink's tests: a fixed list of messages, read from where the sink seeks."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from facility.errors import BrokerUnavailable
from facility.reading import NAME, POLLS, READINGS, TOPICS
from facility.site import Lake as LakeSettings
from stream.codec import encode
from stream.message import Message, Partition, Received
from warehouse.sink import Sink

T0_US = 1_790_000_000_000_000
READING_TOPIC, POLL_TOPIC = TOPICS["readings"], TOPICS["polls"]


def readings(
    seq: int, rows: int = 50, *, quantity: str = "active_power_w", quality: int = 0
) -> pa.RecordBatch:
    """Rows whose values tell them apart: seq * 1000 + row."""
    number = np.arange(rows)
    columns = [
        pa.array(T0_US + seq * 1_000_000 + number).cast(pa.timestamp("us", "UTC")),
        pa.array([f"rack-{n % 5}/pdu-a" for n in number]).dictionary_encode(),
        pa.array([f"outlet.{n % 3}" for n in number]).dictionary_encode(),
        pa.array([quantity] * rows).dictionary_encode(),
        pa.array(seq * 1000.0 + number),
        pa.array(np.full(rows, quality, np.uint8)),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=READINGS)


def polls(seq: int) -> pa.RecordBatch:
    columns = [
        pa.array([T0_US + seq * 1_000_000] * 2).cast(pa.timestamp("us", "UTC")),
        pa.array(["rack-1/pdu-a", "rack-0/pdu-a"]).dictionary_encode(),
        pa.array(["read", "failed"]).cast(NAME),
        pa.array([10, 10], pa.uint32()),
        pa.array([10, 0], pa.uint32()),
        pa.array([0.02, None]),
        pa.array([None, "timeout: no answer in 3 s"]),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=POLLS)


def message(
    seq: int,
    batch: pa.RecordBatch | None = None,
    *,
    topic: str = READING_TOPIC,
    collector: str = "c-1",
    outbox: str = "o-1",
) -> Message:
    body = readings(seq) if batch is None else batch
    return encode(body, topic=topic, collector=collector, seq=seq, outbox=outbox)


@dataclass
class ListFeed:
    """Partitions with their messages; `give_up` makes it a consumer that lost them."""

    logs: dict[Partition, list[Message]]
    on_assigned: object = None
    on_revoked: object = None
    assigned: tuple[Partition, ...] = ()
    at: dict[Partition, int] = field(default_factory=dict)
    a_poll: int = 4

    def __call__(self, *, on_assigned, on_revoked) -> ListFeed:
        self.on_assigned, self.on_revoked = on_assigned, on_revoked
        return self

    def poll(self, timeout_s: float, max_bytes: int) -> Sequence[Received]:
        if new := tuple(part for part in self.logs if part not in self.assigned):
            self.assigned += new
            self.at |= dict.fromkeys(new, 0)
            self.on_assigned(new)
        received = []
        for partition in self.assigned:
            start = self.at[partition]
            given = self.logs[partition][start : start + self.a_poll]
            self.at[partition] += len(given)
            received += [
                Received(partition, start + i, 1_790_000_000_000 + i, m.key, m.headers, m.value)
                for i, m in enumerate(given)
            ]
        if not received:
            time.sleep(min(timeout_s, 0.02))
        return received

    def give_up(self, partition: Partition) -> None:
        self.assigned = tuple(part for part in self.assigned if part != partition)
        del self.logs[partition]
        self.on_revoked((partition,))

    def seek(self, partition: Partition, offset: int) -> None:
        self.at[partition] = offset

    def high_water(self) -> Mapping[Partition, int]:
        return {part: len(self.logs[part]) for part in self.assigned}

    def close(self) -> None:
        self.assigned = ()


@dataclass
class ListDeadLetters:
    """Keeps what it is sent; fails as often as it is told to."""

    kept: list[tuple[Received, str]] = field(default_factory=list)
    failures: int = 0

    def send(self, received: Received, reason: str) -> None:
        if self.failures:
            self.failures -= 1
            raise BrokerUnavailable("no broker")
        self.kept.append((received, reason))

    def close(self) -> None:
        pass


def one_log(messages: Sequence[Message], topic_id: str = "t-1") -> ListFeed:
    return ListFeed({Partition(READING_TOPIC, topic_id, 0): list(messages)})


def make_sink(lake, feed, dead_letters=None, **settings) -> Sink:
    settings = {"flush_seconds": 0.05} | settings
    letters = ListDeadLetters() if dead_letters is None else dead_letters
    return Sink(lake, feed, LakeSettings(**settings), dead_letters=letters)


def run_until(sink, is_done, timeout_s: float = 20.0) -> None:
    """Run the sink in a thread until `is_done()`, then stop it; its error is raised here."""
    stop = threading.Event()
    errors: list[BaseException] = []

    def body() -> None:
        try:
            sink.run(stop)
        except BaseException as error:  # noqa: BLE001 - handed over whole
            errors.append(error)

    thread = threading.Thread(target=body)
    thread.start()
    deadline = time.monotonic() + timeout_s
    while thread.is_alive() and not is_done() and time.monotonic() < deadline:
        time.sleep(0.01)
    finished = is_done()
    stop.set()
    thread.join(timeout_s)
    if errors:
        raise errors[0]
    assert not thread.is_alive()
    assert finished, "the sink did not get there in time"


def run_to_end(sink, feed) -> None:
    """Run until everything in the feed is committed."""
    run_until(sink, lambda: committed(sink) and sink._writer.lag(feed.high_water()).total() == 0)


def committed(sink) -> dict[tuple[str, str], int]:
    return {(c["collector"], c["topic"]): c["last_seq"] for c in sink.health()["committed"]}


def crash_log() -> list[Message]:
    """What a sink that is killed, and the one after it, both read."""
    return [message(seq) for seq in range(1, 17)]
