"""What the way to Kafka and back costs beside bare kafka-python.

The same messages on the same broker, both by the clock; the bare producer has as many requests in
flight as it likes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

from kafka import KafkaConsumer, KafkaProducer, TopicPartition  # type: ignore[import-untyped]  # it has no types

from bench.brokers import best_kind, running
from bench.harness import Figure, Goal, Pair, Scale, Work, paired, per_cpu_second, per_second
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
PATIENCE_S = 30.0
MEGA = 1e6


class GatedOutbox(Outbox):
    """Shows what it holds only while its gate is open; notes when that begins and ends."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, collector="bench", max_bytes=10**9, when_full="stop_polling")
        self.gate, self.empty = Event(), Event()
        self.began_at = self.ended_at = 0.0

    def pending(self, max_bytes: int) -> list[Entry]:
        """Give nothing while the gate is closed."""
        if not self.gate.is_set():
            return []
        self.began_at = self.began_at or time.perf_counter()
        found = super().pending(max_bytes)
        if not found:
            self.gate.clear()
            self.empty.set()
        return found

    def note_acknowledged(self, up_to: Entry) -> None:
        """Note the time."""
        super().note_acknowledged(up_to)
        self.ended_at = time.perf_counter()

    def seconds_to_empty(self) -> float:
        """Open the gate, and say how long the publisher took."""
        self.began_at = 0.0
        self.empty.clear()
        self.gate.set()
        assert self.empty.wait(PATIENCE_S)
        return self.ended_at - self.began_at


def figures(scale: Scale) -> Iterator[Figure]:
    """Append, publish, consume."""
    load = few_collectors(scale)
    series = load.series(0)
    batches = [series.batch(second) for second in range(scale.pick(80, 20))]
    rounds = scale.pick(7, 3)
    kind = best_kind()
    with running(kind) as broker, GatedOutbox(scale.scratch / "outbox") as outbox:
        kafka = broker.kafka
        rows = sum(len(batch) for batch in batches)

        def append() -> float:
            for batch in batches:
                outbox.append(TOPIC, batch)
            return rows

        per_s = per_cpu_second(append)()
        yield Figure("outbox append, on disk", per_s, "rows/s/core")
        messages = [entry.message for entry in Outbox.pending(outbox, 10**9)]
        for name, pair in (
            ("publish", _publish(outbox, kafka, append, messages, rounds=rounds)),
            ("consume", _consume(kafka, messages, rounds=rounds)),
        ):
            yield pair.figure(f"{name}, {kind}", "MB/s", "bare kafka-python", GOAL)


def _publish(
    outbox: GatedOutbox, kafka: Kafka, append: Work, messages: list[Message], *, rounds: int
) -> Pair:
    size = sum(len(message.value) for message in messages) / MEGA
    publisher, stop = Publisher(outbox, kafka), Event()
    thread = Thread(target=publisher.run, args=(stop,))
    thread.start()
    outbox.seconds_to_empty()
    producer = KafkaProducer(
        bootstrap_servers=list(kafka.bootstrap_servers),
        acks="all",
        enable_idempotence=True,
        max_request_size=2_000_000,
        metrics_enabled=False,
    )

    def ours() -> float:
        append()
        return size / outbox.seconds_to_empty()

    def bare() -> float:
        for message in messages:
            producer.send(
                kafka.topic_prefix + TOPIC,
                key=message.key,
                value=message.value,
                headers=list(message.headers),
            )
        producer.flush()
        return size

    pair = paired(ours, per_second(bare), rounds=rounds)
    stop.set()
    thread.join()
    producer.close()
    return pair


def _consume(kafka: Kafka, messages: list[Message], *, rounds: int) -> Pair:
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

    def bare() -> float:
        consumer.seek(partition, 0)
        found = 0
        while found < size:
            for records in consumer.poll(timeout_ms=1000).values():
                found += sum(len(record.value) for record in records)
        return found / MEGA

    with Subscriber(kafka, [TOPIC]) as subscriber:
        subscriber.poll(1.0, 1)
        (ours_of,) = subscriber.assigned

        def ours() -> float:
            subscriber.seek(ours_of, 0)
            found = 0
            while found < size:
                found += sum(len(m.value) for m in subscriber.poll(1.0, POLL_BYTES))
            return found / MEGA

        pair = paired(per_second(ours), per_second(bare), rounds=rounds)
    consumer.close()
    return pair
