"""From outbox to lake over real brokers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import prometheus_client
import pytest
from sink_feed import POLL_TOPIC, READING_TOPIC, committed, polls, readings, run_until

from facility.reading import TOPICS
from facility.site import Lake as LakeSettings
from stream.codec import encode
from stream.dead_letter import DeadLetter
from stream.kafka_client import Producer
from stream.message import Message
from stream.outbox import Outbox
from stream.publisher import Publisher
from stream.subscriber import Subscriber
from stream.topics import ONE_PARTITION
from warehouse.lake import Lake
from warehouse.query import run_sql
from warehouse.sink import ENGINE, Sink

pytestmark = pytest.mark.timeout(120)


def sink_on(lake, kafka, *, group=None) -> Sink:
    subscribe = partial(Subscriber, kafka, tuple(TOPICS.values()), group=group)
    settings = LakeSettings(flush_seconds=0.1)
    return Sink(lake, subscribe, settings, dead_letters=DeadLetter(kafka))


@contextmanager
def running(daemon) -> Iterator[threading.Event]:
    """Run a sink or publisher in a thread while the block lasts."""
    stop = threading.Event()
    thread = threading.Thread(target=daemon.run, args=(stop,))
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


def wait_for(condition, timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)


def shares(*sinks) -> list[int]:
    return [sink.health()["partitions"] for sink in sinks]


def values(lake) -> list[float]:
    return run_sql(lake, "select value from readings order by value")["value"].to_pylist()


def values_of(seqs) -> list[float]:
    return [seq * 1000.0 + row for seq in seqs for row in range(50)]


def test_what_the_outbox_held_is_in_the_lake(lake, broker, tmp_path):
    kafka = broker.settings()
    sink = sink_on(lake, kafka)
    dead = prometheus_client.REGISTRY.get_sample_value
    labels = ("busway_dead_letters_total", {"topic": READING_TOPIC})
    dead_before = dead(*labels) or 0
    with Outbox(
        tmp_path / "c.sqlite", collector="c-1", max_bytes=10_000_000, when_full="drop_oldest"
    ) as outbox:
        for seq in range(1, 21):
            outbox.append(READING_TOPIC, readings(seq))
        outbox.append(POLL_TOPIC, polls(1))
        publisher = Publisher(outbox, kafka)
        assert publisher.drain(30)
    producer = Producer(kafka)
    producer.send(Message(READING_TOPIC, b"c-9", (), b"garbage"))
    producer.send(encode(readings(30), topic=READING_TOPIC, collector="c-2", seq=1))
    producer.close()
    expected = {("c-1", READING_TOPIC): 20, ("c-1", POLL_TOPIC): 1, ("c-2", READING_TOPIC): 1}
    run_until(sink, lambda: committed(sink) == expected, timeout_s=60)
    assert values(lake) == values_of([*range(1, 21), 30])
    assert run_sql(lake, "from polls").num_rows == 2
    assert dead(*labels) == dead_before + 1


def test_a_broker_that_forgets_everything_loses_nothing(lake, embedded_broker, tmp_path):
    """The outbox is trimmed only to what the lake has; the topics come back as other ones."""
    kafka = embedded_broker.settings()
    sink = sink_on(lake, kafka)
    with Outbox(
        tmp_path / "c.sqlite",
        collector="c-1",
        max_bytes=10_000_000,
        when_full="drop_oldest",
        delete_at="trim",
    ) as outbox:
        publisher = Publisher(outbox, kafka, send_timeout_s=2.0)
        with running(sink), running(publisher):
            for seq in range(1, 11):
                outbox.append(READING_TOPIC, readings(seq))
            wait_for(lambda: committed(sink).get(("c-1", READING_TOPIC)) == 10)
            outbox.trim(READING_TOPIC, 7)
            embedded_broker.stop()
            for seq in range(11, 16):
                outbox.append(READING_TOPIC, readings(seq))
            embedded_broker.start()
            wait_for(lambda: committed(sink).get(("c-1", READING_TOPIC)) == 15)
    assert values(lake) == values_of(range(1, 16))
    progress = run_sql(lake, "select collector, missing from collector_progress")
    assert progress.to_pylist() == [{"collector": "c-1", "missing": 0}]


def test_two_sinks_of_a_group_share_partitions_and_take_over(lake, apache_broker):
    kafka = apache_broker.settings(partitions=4, session_timeout_seconds=6)
    collectors = [f"c-{n}" for n in range(6)]
    partitions = sum(1 if topic in ONE_PARTITION else 4 for topic in TOPICS.values())

    def send(producer, seqs) -> None:
        for seq in seqs:
            for number, name in enumerate(collectors):
                batch = readings(seq + 1000 * number)
                producer.send(encode(batch, topic=READING_TOPIC, collector=name, seq=seq))

    with (
        Lake.create_or_open(lake.directory, settings=ENGINE) as other_lake,
        running(first := sink_on(lake, kafka, group="sinks")),
    ):
        wait_for(lambda: first.health()["partitions"] == partitions)
        producer = Producer(kafka)
        send(producer, range(1, 6))
        with running(second := sink_on(other_lake, kafka, group="sinks")):
            send(producer, range(6, 11))
            wait_for(
                lambda: all(shares(first, second)) and sum(shares(first, second)) == partitions
            )
            send(producer, range(11, 16))
        send(producer, range(16, 21))
        producer.close()
        with Lake.open_read_only(lake.directory) as reader:
            in_lake = partial(run_sql, reader, "select count(*) as n from readings")
            wait_for(lambda: in_lake()["n"].to_pylist() == [6 * 20 * 50])
    assert values(lake) == values_of(
        sorted(seq + 1000 * number for seq in range(1, 21) for number in range(6))
    )
