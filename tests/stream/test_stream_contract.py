"""What the rest of Busway relies on, shown on the embedded broker and on Apache Kafka alike."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pytest
from apache_kafka import ApacheKafka
from brokers import Broker
from stream_batches import POLLS_TOPIC, READINGS_TOPIC, polls, readings
from structlog.testing import capture_logs

from facility import reading
from facility.errors import (
    BrokerRefused,
    BrokerUnavailable,
    ConfigError,
    MessageUndecodable,
    StreamError,
)
from facility.reading import DEAD_LETTER_TOPIC
from facility.site import Kafka
from stream.codec import decode, encode
from stream.dead_letter import DeadLetter
from stream.kafka_client import Admin, Consumer, Producer
from stream.message import Envelope, Message, Partition, Received
from stream.outbox import DeleteAt, Outbox
from stream.publisher import Publisher
from stream.subscriber import Subscriber
from stream.topics import ensure_topics

TOPICS = (READINGS_TOPIC, POLLS_TOPIC)
ALERTS_TOPIC = reading.TOPICS["alerts"]
PATIENCE_S = 40
CHILD = Path(__file__).parent / "outbox_child.py"


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with open_outbox(tmp_path) as opened:
        yield opened


def open_outbox(directory: Path, delete_at: DeleteAt = "acknowledgement") -> Outbox:
    return Outbox(
        directory / "c.sqlite",
        collector="c",
        max_bytes=10**9,
        when_full="drop_oldest",
        delete_at=delete_at,
    )


@contextmanager
def running(publisher: Publisher) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=publisher.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def receive(subscriber: Subscriber, enough: Callable[[list[Received]], bool]) -> list[Received]:
    """Poll until there is enough."""
    received: list[Received] = []
    deadline = time.monotonic() + PATIENCE_S
    while not enough(received):
        assert time.monotonic() < deadline, f"only {len(received)} messages came"
        received += subscriber.poll(0.2, 10_000_000)
    return received


def at_least(count: int) -> Callable[[list[Received]], bool]:
    return lambda received: len(received) >= count


def opened(received: list[Received]) -> list[Envelope]:
    return [decode(message.value, message.headers) for message in received]


def wait_until(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_is_appended_arrives_in_order(broker: Broker, outbox: Outbox) -> None:
    for number in range(20):
        outbox.append(READINGS_TOPIC, readings(50, first=100 * number))
        outbox.append(POLLS_TOPIC, polls(2))
    assert Publisher(outbox, broker.settings()).drain(PATIENCE_S)
    assert outbox.depth().messages == 0
    with Subscriber(broker.settings(), TOPICS) as subscriber:
        received = receive(subscriber, at_least(40))
    for topic in TOPICS:
        of_topic = [envelope for envelope in opened(received) if envelope.topic == topic]
        assert [envelope.seq for envelope in of_topic] == list(range(1, 21))
    found = [e for e in opened(received) if e.topic == READINGS_TOPIC]
    assert [e.batch.column("value")[0].as_py() for e in found] == list(range(0, 2000, 100))
    assert {e.outbox for e in found} == {outbox.id}
    assert {message.key for message in received} == {b"c"}
    assert all(abs(message.timestamp_ms / 1000 - time.time()) < 60 for message in received)


def test_an_oversized_batch_arrives_whole_in_pieces(broker: Broker, tmp_path: Path) -> None:
    kafka = broker.settings(max_message_bytes=50_000)
    batch = readings(30_000, noise=True)
    with Outbox(
        tmp_path / "c.sqlite",
        collector="c",
        max_bytes=10**9,
        when_full="drop_oldest",
        max_message_bytes=kafka.max_message_bytes,
    ) as outbox:
        pieces = outbox.append(READINGS_TOPIC, batch)
        assert len(pieces) > 4
        assert Publisher(outbox, kafka).drain(PATIENCE_S)
    with Subscriber(kafka, TOPICS) as subscriber:
        received = receive(subscriber, at_least(len(pieces)))
    table = pa.Table.from_batches([envelope.batch for envelope in opened(received)])
    assert table.column("value").to_pylist() == batch.column("value").to_pylist()


def test_a_message_of_the_full_size_is_taken(broker: Broker) -> None:
    kafka = broker.settings(max_message_bytes=1_000_000)
    admin, producer = Admin(kafka), Producer(kafka)
    ensure_topics(admin, kafka)
    producer.send(Message(READINGS_TOPIC, b"c", (), bytes(998_000)))
    producer.close()
    admin.close()
    with Subscriber(kafka, [READINGS_TOPIC]) as subscriber:
        (received,) = receive(subscriber, at_least(1))
    assert received.value == bytes(998_000)


def test_no_message_passes_one_that_the_broker_refuses(apache_broker: Broker) -> None:
    """All are with the producer before one is refused; the embedded broker refuses no size."""
    kafka = apache_broker.settings(max_message_bytes=50_000)
    send(kafka)
    producer = Producer(kafka.model_copy(update={"max_message_bytes": 1_000_000}))
    values = (b"1", bytes(200_000), b"3", b"4")
    sendings = [producer.begin(Message(READINGS_TOPIC, b"c", (), value)) for value in values]
    sendings[0].wait()
    for refused in sendings[1:]:
        with pytest.raises(BrokerUnavailable):
            refused.wait()
    producer.close()
    with Subscriber(kafka, [READINGS_TOPIC]) as subscriber:
        received = receive(subscriber, at_least(1)) + subscriber.poll(0.5, 10_000)
    assert [message.value for message in received] == [b"1"]


def test_a_request_over_the_limit_is_sent_in_parts(apache_broker: Broker) -> None:
    """The topic was made with a lower limit than the site file gives now."""
    kafka = apache_broker.settings(max_message_bytes=50_000)
    send(kafka)
    producer = Producer(kafka, request_bytes=1_000_000)
    values = [bytes([number]) * 20_000 for number in range(9)]
    for sending in [producer.begin(Message(READINGS_TOPIC, b"c", (), value)) for value in values]:
        sending.wait()
    producer.close()
    with Subscriber(kafka, [READINGS_TOPIC]) as subscriber:
        received = receive(subscriber, at_least(9))
        assert subscriber.high_water() == {subscriber.assigned[0]: 9}
    assert [message.value for message in received] == values


def test_nothing_is_sent_after_a_message_that_was_given_up(
    apache_broker: Broker, apache_server: ApacheKafka | str
) -> None:
    """Whatever the reason: here the broker hangs, and the producer is told that it is hopeless."""
    if isinstance(apache_server, str):
        pytest.skip("the Kafka that BUSWAY_TEST_KAFKA names is not ours to halt")
    kafka = apache_broker.settings()
    send(kafka)
    producer = Producer(kafka)
    producer.send(Message(READINGS_TOPIC, b"c", (), b"1"))
    apache_server.pause()
    try:
        second, *others = [
            producer.begin(Message(READINGS_TOPIC, b"c", (), value)) for value in (b"2", b"3", b"4")
        ]
        second._future.failure(TimeoutError("hopeless"))
    finally:
        apache_server.resume()
    for given_up in (second, *others):
        with pytest.raises((BrokerUnavailable, TimeoutError)):
            given_up.wait()
    producer.close()
    send(kafka, Message(READINGS_TOPIC, b"c", (), b"end"))
    with Subscriber(kafka, [READINGS_TOPIC]) as subscriber:
        received = receive(subscriber, lambda some: any(m.value == b"end" for m in some))
    assert {message.value for message in received} <= {b"1", b"2", b"end"}


def test_publisher_waits_for_a_broker_that_is_absent_at_start(
    broker: Broker, outbox: Outbox
) -> None:
    broker.stop()
    outbox.append(READINGS_TOPIC, readings(1))
    with capture_logs() as logs, running(Publisher(outbox, broker.settings(), send_timeout_s=2)):
        wait_until(lambda: len(logs) == 1)
        time.sleep(0.5)
        assert outbox.depth().messages == 1
        broker.start()
        wait_until(lambda: outbox.depth().messages == 0)
        wait_until(lambda: len(logs) == 2)
    assert [line["event"] for line in logs] == [
        "The broker cannot be reached; trying on.",
        "The broker is back.",
    ]


class TinySink:
    """Keeps what a lake would: each message's values once, the last seq, offsets by identity."""

    def __init__(self, kafka: Kafka, outbox: Outbox | None = None) -> None:
        self.rows: list[float] = []
        self.last_seq = 0
        self.missing = 0
        self.offsets: dict[Partition, int] = {}
        self._outbox = outbox
        self.subscriber = Subscriber(kafka, [READINGS_TOPIC], on_assigned=self._seek)

    def _seek(self, partitions: tuple[Partition, ...]) -> None:
        for partition in partitions:
            self.subscriber.seek(partition, self.offsets.get(partition, 0))

    def turn(self) -> None:
        for message in self.subscriber.poll(0.2, 10_000_000):
            envelope = decode(message.value, message.headers)
            self.offsets[message.partition] = message.offset + 1
            if envelope.seq > self.last_seq:
                self.missing += envelope.seq - self.last_seq - 1
                self.last_seq = envelope.seq
                self.rows += envelope.batch.column("value").to_pylist()
        if self._outbox is not None:
            self._outbox.trim(READINGS_TOPIC, self.last_seq)


def test_a_broker_that_crashes_in_the_middle_costs_nothing(broker: Broker, tmp_path: Path) -> None:
    """Apache Kafka comes back with its log; the embedded broker with none, so the outbox resends.

    When it crashes, some messages are with the sink, some only with the broker, some with neither.
    """
    outbox = open_outbox(tmp_path, "acknowledgement" if broker.keeps_its_log else "trim")
    kafka = broker.settings()
    with outbox, running(Publisher(outbox, kafka, send_timeout_s=2)):
        sink = TinySink(kafka, None if broker.keeps_its_log else outbox)
        for number in range(40):
            outbox.append(READINGS_TOPIC, readings(1, first=number))
            if number in (10, 20):
                wait_until(lambda: outbox.depth().waiting == 0)
            if number == 10:
                sink.turn()
            if number == 20:
                broker.stop()
            if number == 30:
                broker.start()
        deadline = time.monotonic() + PATIENCE_S
        while sink.last_seq < 40:
            assert time.monotonic() < deadline, sink.last_seq
            sink.turn()
        sink.subscriber.close()
    assert sink.rows == [float(number) for number in range(40)]
    assert sink.missing == 0


def test_a_killed_collector_loses_nothing_it_stored(broker: Broker, tmp_path: Path) -> None:
    kafka = broker.settings()
    command = [sys.executable, CHILD, tmp_path / "c.sqlite", *kafka.bootstrap_servers]
    said = 0
    for _ in range(2):
        with subprocess.Popen(
            [*command, kafka.topic_prefix], stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            for _ in range(150):
                said = int(child.stdout.readline())
            child.kill()
    with open_outbox(tmp_path) as outbox:
        assert Publisher(outbox, kafka).drain(PATIENCE_S)
    sink = TinySink(kafka)
    deadline = time.monotonic() + PATIENCE_S
    while sink.last_seq < said:
        assert time.monotonic() < deadline, sink.last_seq
        sink.turn()
    sink.subscriber.close()
    assert sink.missing == 0
    assert sink.rows == [float(seq) for seq in range(1, sink.last_seq + 1)]


def send(kafka: Kafka, *messages: Message) -> None:
    admin, producer = Admin(kafka), Producer(kafka)
    ensure_topics(admin, kafka)
    for message in messages:
        producer.send(message)
    producer.close()
    admin.close()


def test_undecodable_message_goes_to_the_dead_letters_and_reading_goes_on(broker: Broker) -> None:
    kafka = broker.settings()
    good = encode(readings(3), topic=READINGS_TOPIC, collector="c", seq=2)
    bad = Message(READINGS_TOPIC, b"c", good.headers, b"no Arrow in here")
    newer = Message(READINGS_TOPIC, b"c", (("schema", b"readings/9"),), good.value)
    send(kafka, bad, newer, good)
    dead_letter = DeadLetter(kafka)
    decoded = []
    with Subscriber(kafka, [READINGS_TOPIC]) as subscriber:
        for message in receive(subscriber, at_least(3)):
            try:
                decoded.append(decode(message.value, message.headers))
            except MessageUndecodable as error:
                dead_letter.send(message, str(error))
    dead_letter.close()
    assert [envelope.seq for envelope in decoded] == [2]
    with Subscriber(kafka, [DEAD_LETTER_TOPIC]) as subscriber:
        dead = receive(subscriber, at_least(2))
    assert [message.value for message in dead] == [bad.value, newer.value]
    assert dead[0].headers[: len(bad.headers)] == bad.headers
    origins = [dict(message.headers) for message in dead]
    assert b"no sound Arrow IPC stream" in origins[0]["reason"]
    assert b"readings/9 is of a newer Busway" in origins[1]["reason"]
    assert origins[1]["schema"] == b"readings/9", "its own header is kept for the upgraded reader"
    assert [origin["origin_offset"] for origin in origins] == [b"0", b"1"]
    assert {origin["origin_topic"] for origin in origins} == {READINGS_TOPIC.encode()}


def test_a_message_meant_for_an_earlier_topic_is_passed_over(broker: Broker) -> None:
    """It ran ahead of its predecessors into a topic made anew; they all come again in order."""
    kafka = broker.settings()
    early = encode(readings(1), topic=READINGS_TOPIC, collector="c", seq=9)
    addressed = (*early.headers, ("topic_id", b"11111111-2222-3333-4444-555555555555"))
    good = encode(readings(1), topic=READINGS_TOPIC, collector="c", seq=1)
    send(kafka, Message(READINGS_TOPIC, b"c", addressed, early.value), good)
    with Subscriber(kafka, [READINGS_TOPIC]) as subscriber:
        assert [envelope.seq for envelope in opened(receive(subscriber, at_least(1)))] == [1]


def test_reading_can_be_moved_paused_and_measured(broker: Broker, outbox: Outbox) -> None:
    kafka = broker.settings()
    for number in range(6):
        outbox.append(READINGS_TOPIC, readings(1, first=number))
    assert Publisher(outbox, kafka).drain(PATIENCE_S)
    with Subscriber(kafka, [READINGS_TOPIC]) as subscriber:
        assert subscriber.high_water() == {}
        received = receive(subscriber, at_least(6))
        (partition,) = subscriber.assigned
        assert {message.partition for message in received} == {partition}
        assert [message.offset for message in received] == list(range(6))
        assert subscriber.high_water() == {partition: 6}
        assert subscriber.position(partition) == 6
        subscriber.seek(partition, 4)
        assert [message.offset for message in receive(subscriber, at_least(2))] == [4, 5]
        subscriber.pause([partition])
        subscriber.seek(partition, 1)
        assert subscriber.poll(0.5, 10_000) == []
        subscriber.resume([partition])
        assert receive(subscriber, at_least(1))[0].offset == 1
        with pytest.raises(StreamError, match="is not assigned"):
            subscriber.seek(Partition(READINGS_TOPIC, "another", 0), 0)


def test_poll_gives_about_as_much_as_asked_for(broker: Broker) -> None:
    kafka = broker.settings()
    send(kafka, *(Message(READINGS_TOPIC, b"c", (), bytes(100_000)) for _ in range(40)))
    with Subscriber(kafka, [READINGS_TOPIC]) as subscriber:
        first = receive(subscriber, at_least(1))
        assert len(first) <= 40
        subscriber.seek(subscriber.assigned[0], 0)
        wait_until(lambda: bool(some := subscriber.poll(0.2, 300_000)) and len(some) <= 10)


def test_several_partitions_are_all_read_and_a_collector_stays_in_one(broker: Broker) -> None:
    kafka = broker.settings(partitions=3)
    messages = [
        encode(readings(1), topic=READINGS_TOPIC, collector=f"collector-{name}", seq=seq)
        for seq in (1, 2, 3)
        for name in range(8)
    ]
    send(kafka, *messages)
    with Subscriber(kafka, [READINGS_TOPIC]) as subscriber:
        received = receive(subscriber, at_least(24))
        assert len(subscriber.assigned) == 3
    places: dict[bytes | None, list[tuple[int, int]]] = {}
    for message, envelope in zip(received, opened(received), strict=True):
        places.setdefault(message.key, []).append((message.partition.number, envelope.seq))
    assert len({number for found in places.values() for number, _ in found}) > 1
    for found in places.values():
        assert found == [(found[0][0], seq) for seq in (1, 2, 3)]


def test_a_topic_with_fewer_partitions_than_told_is_refused(broker: Broker, outbox: Outbox) -> None:
    send(broker.settings(partitions=2))
    kafka = broker.settings(partitions=4)
    said = r"busway\.readings has 2 partitions and kafka\.partitions is 4"
    with pytest.raises(ConfigError, match=said):
        Publisher(outbox, kafka).run(threading.Event())
    with pytest.raises(ConfigError, match=said), Subscriber(kafka, TOPICS) as subscriber:
        subscriber.poll(1, 1000)


def test_topics_keep_their_identity_and_their_settings(broker: Broker) -> None:
    admin = Admin(broker.settings())
    first = ensure_topics(admin, broker.settings(partitions=2))
    again = ensure_topics(admin, broker.settings(partitions=1))
    admin.close()
    assert first == again
    assert len({found[0].topic_id for found in first.values()}) == 4
    partitions = [len(first[topic]) for topic in (*TOPICS, ALERTS_TOPIC, DEAD_LETTER_TOPIC)]
    assert partitions == [2, 2, 1, 1]


def test_a_topic_is_made_as_the_site_file_says(apache_broker: Broker) -> None:
    kafka = apache_broker.settings(partitions=3, retention_hours=2, max_message_bytes=50_000)
    admin = Admin(kafka)
    ensure_topics(admin, kafka)
    names = [kafka.topic_prefix + topic for topic in (READINGS_TOPIC, ALERTS_TOPIC)]
    client = import_module("kafka.admin")  # its first import, which warns, is kafka_client's
    resources = [client.ConfigResource(client.ConfigResourceType.TOPIC, name) for name in names]
    described = admin._client.describe_configs(resources)
    admin.close()
    readings_made, alerts_made = (described["topic"][name] for name in names)
    assert readings_made["retention.ms"]["value"] == "7200000"
    assert readings_made["max.message.bytes"]["value"] == "50000"
    assert alerts_made["cleanup.policy"]["value"] == "compact"
    assert alerts_made["min.compaction.lag.ms"]["value"] == "7200000"


def test_more_copies_than_there_are_brokers_is_named(apache_broker: Broker) -> None:
    kafka = apache_broker.settings(replication=3)
    admin = Admin(kafka)
    with pytest.raises(BrokerRefused, match=r"lower kafka\.replication"):
        ensure_topics(admin, kafka)
    admin.close()


def test_a_topic_made_anew_has_another_identity(embedded_broker: Broker) -> None:
    kafka = embedded_broker.settings()
    admin = Admin(kafka)
    before = ensure_topics(admin, kafka)
    admin.close()
    embedded_broker.stop()
    embedded_broker.start()
    admin = Admin(kafka)
    after = ensure_topics(admin, kafka)
    admin.close()
    assert before.keys() == after.keys()
    assert all(before[topic] != after[topic] for topic in before)


def test_a_group_divides_the_partitions_and_hands_them_over(apache_broker: Broker) -> None:
    """The embedded broker's groups take some 23 s to join, so Busway uses none there."""
    kafka = apache_broker.settings(partitions=4, session_timeout_seconds=5)
    names = [f"collector-{number}" for number in range(12)]
    send(kafka, *(encode(readings(1), topic=READINGS_TOPIC, collector=c, seq=1) for c in names))
    first, second = (GroupSink(kafka, f"{kafka.topic_prefix}sinks") for _ in range(2))
    deadline = time.monotonic() + PATIENCE_S
    while len(first.seen) < 12:
        assert time.monotonic() < deadline
        first.turn()
    assert len(first.assigned) == 4
    while len(first.assigned) != 2 or len(second.assigned) != 2:
        assert time.monotonic() < deadline, (first.assigned, second.assigned)
        first.turn()
        second.turn()
    assert set(first.assigned).isdisjoint(second.assigned)
    send(kafka, *(encode(readings(1), topic=READINGS_TOPIC, collector=c, seq=2) for c in names))
    while len(first.seen) + len(second.seen) < 24:
        assert time.monotonic() < deadline
        first.turn()
        second.turn()
    assert sorted(first.seen + second.seen) == sorted((c, seq) for c in names for seq in (1, 2))
    first.subscriber.close()
    while len(second.assigned) < 4:
        assert time.monotonic() < deadline
        second.turn()
    second.subscriber.close()


def test_a_rejoin_that_outlives_its_poll_is_not_forgotten(apache_broker: Broker) -> None:
    """As when a topic is made anew while a member of the group has something else to do."""
    kafka = apache_broker.settings(partitions=1)
    make_topic(kafka, "first")
    consumer = Consumer(kafka, group=f"{kafka.topic_prefix}sinks")
    consumer.subscribe(["first", "second"])
    assert assigned_within(consumer) == {("first", 0)}
    make_topic(kafka, "second")
    deadline = time.monotonic() + PATIENCE_S
    while not consumer._client._coordinator.rejoining:
        assert time.monotonic() < deadline
        consumer._client._client.cluster.request_update()
        time.sleep(0.1)
        consumer.poll(0, 1, {})
    time.sleep(0.5)  # it is done before the next poll
    assert assigned_within(consumer) == {("first", 0), ("second", 0)}
    consumer.close()


def make_topic(kafka: Kafka, name: str) -> None:
    admin = Admin(kafka)
    admin.create(name, partitions=1, replication=1, configs={})
    admin.close()


def assigned_within(consumer: Consumer) -> frozenset[tuple[str, int]]:
    """What the group gives next, of all that it has."""
    deadline = time.monotonic() + PATIENCE_S
    while not (change := consumer.rebalance()).assigned:
        assert time.monotonic() < deadline
        consumer.poll(0.5, 1, {})
    return change.assigned


class GroupSink:
    """A sink of a group; the sinks share their offsets as they would in a lake."""

    offsets: ClassVar[dict[Partition, int]] = {}

    def __init__(self, kafka: Kafka, group: str) -> None:
        self.seen: list[tuple[str, int]] = []
        self.assigned: list[Partition] = []
        self.subscriber = Subscriber(
            kafka,
            [READINGS_TOPIC],
            group=group,
            on_assigned=self._seek,
            on_revoked=lambda gone: [self.assigned.remove(partition) for partition in gone],
        )

    def _seek(self, partitions: tuple[Partition, ...]) -> None:
        self.assigned += partitions
        for partition in partitions:
            if partition in self.offsets:
                self.subscriber.seek(partition, self.offsets[partition])

    def turn(self) -> None:
        for message in self.subscriber.poll(0.1, 10_000_000):
            assert message.partition in self.assigned
            envelope = decode(message.value, message.headers)
            self.seen.append((envelope.collector, envelope.seq))
            self.offsets[message.partition] = message.offset + 1
