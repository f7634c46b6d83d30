"""What the way to Kafka and back costs beside bare kafka-python.

The same messages on the same broker. By the clock, where broker and whatever else runs here take
their part; and by CPU time of this process, all its threads, which only we and kafka-python take.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import pyarrow as pa
from kafka import KafkaConsumer, KafkaProducer, TopicPartition  # type: ignore[import-untyped]  # it has no types

from bench.brokers import Kind, best_kind, running
from bench.harness import Figure, Goal, Scale, in_turn, pair_of, per_cpu_second
from bench.loads import few_collectors
from facility.reading import TOPICS
from facility.site import Kafka
from stream.kafka_client import FETCH_BYTES, FETCH_WAIT_MS
from stream.message import Message
from stream.outbox import Entry, Outbox
from stream.publisher import Publisher
from stream.subscriber import Subscriber
from warehouse.sink import POLL_BYTES

TOPIC = TOPICS["readings"]
GOAL = Goal(0.8)
SECONDS_BEHIND = 16
"""What waits in the outbox of 100,000 points at 1 Hz where the broker was away so long."""
PATIENCE_S = 30.0
MEGA = 1e6


@dataclass(frozen=True, slots=True)
class Took:
    """What some megabytes took."""

    megabytes: float
    seconds: float
    cpu_s: float

    @property
    def per_second(self) -> float:
        """Megabytes, by the clock."""
        return self.megabytes / self.seconds

    @property
    def per_cpu_second(self) -> float:
        """Megabytes, by CPU time."""
        return self.megabytes / self.cpu_s


class Stopwatch:
    """Runs from its making on."""

    def __init__(self) -> None:
        self._clock, self._cpu = time.perf_counter(), time.process_time()

    def took(self, megabytes: float) -> Took:
        """Read it."""
        return Took(megabytes, time.perf_counter() - self._clock, time.process_time() - self._cpu)


class GatedOutbox(Outbox):
    """Shows what it holds only while its gate is open; times how long it takes to be empty."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, collector="bench", max_bytes=10**9, when_full="stop_polling")
        self._gate, self._empty = Event(), Event()
        self._watch: Stopwatch | None = None
        self._took = Took(0, 0, 0)
        self._megabytes = 0.0

    def pending(self, max_bytes: int, *, after: Entry | None = None) -> list[Entry]:
        """Give nothing while the gate is closed."""
        if not self._gate.is_set():
            return []
        self._watch = self._watch or Stopwatch()
        found = super().pending(max_bytes, after=after)
        if not found and after is None:
            self.tidy()
            self._took = self._watch.took(self._megabytes)
            self._gate.clear()
            self._empty.set()
        return found

    def until_empty(self, megabytes: float) -> Took:
        """Open the gate, and say what the publisher took until all was sent and deleted."""
        self._watch, self._megabytes = None, megabytes
        self._empty.clear()
        self._gate.set()
        assert self._empty.wait(PATIENCE_S)
        return self._took


def figures(scale: Scale) -> Iterator[Figure]:
    """Append, publish, consume."""
    load = few_collectors(scale)
    series = load.series(0)
    batches = [series.batch(second) for second in range(scale.pick(80, 20))]
    rounds = scale.pick(7, 3)
    kind = best_kind()
    with running(kind) as broker, GatedOutbox(scale.scratch / "outbox") as outbox:
        kafka = broker.kafka
        per_s = per_cpu_second(lambda: _append(outbox, batches))()
        yield Figure("outbox append, on disk", per_s, "rows/s/core")
        messages = [entry.message for entry in Outbox.pending(outbox, 10**9)]
        for behind, times in ((SECONDS_BEHIND, 3 * rounds), (len(batches), rounds)):
            found = _publish(outbox, kafka, batches[:behind], messages[:behind], rounds=times)
            yield from _shown(f"publish {behind} messages", kind, found)
        yield from _shown("consume", kind, _consume(kafka, messages, rounds=rounds))


def _append(outbox: Outbox, batches: list[pa.RecordBatch]) -> float:
    for batch in batches:
        outbox.append(TOPIC, batch)
    return sum(len(batch) for batch in batches)


def _shown(what: str, kind: Kind, found: list[tuple[Took, Took]]) -> Iterator[Figure]:
    """Rounds of ours and bare by both clocks."""
    limit = "bare kafka-python"
    wall = pair_of([(ours.per_second, bare.per_second) for ours, bare in found])
    yield wall.figure(f"{what}, {kind}", "MB/s", limit, GOAL)
    cpu = pair_of([(ours.per_cpu_second, bare.per_cpu_second) for ours, bare in found])
    yield cpu.figure(f"{what}, by CPU time", "MB/s/core", limit, GOAL)


def _publish(
    outbox: GatedOutbox,
    kafka: Kafka,
    batches: list[pa.RecordBatch],
    messages: list[Message],
    *,
    rounds: int,
) -> list[tuple[Took, Took]]:
    size = sum(len(message.value) for message in messages) / MEGA
    publisher, stop = Publisher(outbox, kafka), Event()
    thread = Thread(target=publisher.run, args=(stop,))
    thread.start()
    outbox.until_empty(size)
    producer = KafkaProducer(
        bootstrap_servers=list(kafka.bootstrap_servers),
        acks="all",
        enable_idempotence=True,
        max_request_size=2_000_000,
        metrics_enabled=False,
    )

    def ours() -> Took:
        _append(outbox, batches)
        return outbox.until_empty(size)

    def bare() -> Took:
        watch = Stopwatch()
        for message in messages:
            producer.send(
                kafka.topic_prefix + TOPIC,
                key=message.key,
                value=message.value,
                headers=list(message.headers),
            )
        producer.flush()
        return watch.took(size)

    found = in_turn(ours, bare, rounds=rounds)
    stop.set()
    thread.join()
    producer.close()
    return found


def _consume(kafka: Kafka, messages: list[Message], *, rounds: int) -> list[tuple[Took, Took]]:
    size = 3 * sum(len(message.value) for message in messages)  # the topic holds more than that
    partition = TopicPartition(kafka.topic_prefix + TOPIC, 0)
    consumer = KafkaConsumer(
        bootstrap_servers=list(kafka.bootstrap_servers),
        enable_auto_commit=False,
        fetch_max_wait_ms=FETCH_WAIT_MS,
        fetch_max_bytes=FETCH_BYTES,
        max_partition_fetch_bytes=FETCH_BYTES,
        metrics_enabled=False,
    )
    consumer.assign([partition])

    def bare() -> Took:
        watch = Stopwatch()
        consumer.seek(partition, 0)
        found = 0
        while found < size:
            for records in consumer.poll(timeout_ms=1000).values():
                found += sum(len(record.value) for record in records)
        return watch.took(found / MEGA)

    with Subscriber(kafka, [TOPIC]) as subscriber:
        subscriber.poll(1.0, 1)
        (ours_of,) = subscriber.assigned

        def ours() -> Took:
            watch = Stopwatch()
            subscriber.seek(ours_of, 0)
            found = 0
            while found < size:
                found += sum(len(m.value) for m in subscriber.poll(1.0, POLL_BYTES))
            return watch.took(found / MEGA)

        found = in_turn(ours, bare, rounds=rounds)
    consumer.close()
    return found
