"""The engine over a real broker: what it reads, what it is asked, what it learns."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from alert_rig import rule, us, watch
from brokers import Broker
from engine_child import open_outbox

from alerts.board import Action, Deed
from alerts.engine import LEAST_REWIND_US, MOST_REWIND_US, Engine, rewind_us
from alerts.history import Told
from alerts.learner import Watched
from alerts.watch import POLLED, Measure, SeriesKey, WatchTable, build_table
from facility.errors import AlertUnknown
from facility.reading import NAME, POLLS, READINGS, TOPICS
from facility.site import Kafka
from stream.codec import encode
from stream.kafka_client import Producer
from stream.message import Message
from stream.publisher import Publisher


class Rig:
    """An engine in threads of this process, and a collector that sends what it is told."""

    def __init__(self, kafka: Kafka, directory: Path, watched: Watched) -> None:
        self.outbox = open_outbox(directory / "alerts-0.sqlite", "acknowledgement")
        self.heard: list[Told] = []
        self.engine = Engine(watched, kafka, self.outbox, listen=self.heard.extend)
        self.producer = Producer(kafka)
        self._publisher = Publisher(self.outbox, kafka)
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=work, args=(self._stop,))
            for work in (self.engine.run, self._publisher.run)
        ]
        self._seq = 0

    def start(self) -> None:
        for thread in self._threads:
            thread.start()
        self.wait(lambda: self.engine.health()["ready"], 20)

    def close(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(20)
        self.producer.close()
        self.outbox.close()

    def wait(self, condition: Callable[[], bool], within_s: float = 10) -> None:
        deadline = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < deadline, [t.transition for t in self.heard]
            time.sleep(0.02)

    def states(self) -> list[str]:
        return [told.transition.state.value for told in self.heard]

    def send(self, batch: pa.RecordBatch, topic: str = "readings") -> None:
        self._seq += 1
        self.producer.send(
            encode(batch, topic=TOPICS[topic], collector="collector-0", seq=self._seq)
        )

    def read(self, value: float, *, component: str = "") -> None:
        self.send(readings([("d", component, "q", value)]))


def readings(rows: Sequence[tuple[str, str, str, float]]) -> pa.RecordBatch:
    """Taken now."""
    *names, values = zip(*rows, strict=True)
    now = np.full(len(rows), time.time_ns() // 1000)
    columns = [pa.array(now).cast(READINGS.field("ts").type)]
    columns += [pa.array(column).dictionary_encode().cast(NAME) for column in names]
    columns += [pa.array(values, pa.float64()), pa.array([0] * len(rows), pa.uint8())]
    return pa.RecordBatch.from_arrays(columns, schema=READINGS)


@contextmanager
def running(kafka: Kafka, directory: Path, watched: Watched) -> Iterator[Rig]:
    rig = Rig(kafka, directory, watched)
    try:
        rig.start()
        yield rig
    finally:
        rig.close()


def fixed(table: WatchTable) -> Watched:
    return Watched(site="s", feeds=(), resolve=lambda _: table)


def test_what_is_asked_of_it_is_done_once_it_is_on_disk(
    embedded_broker: Broker, tmp_path: Path
) -> None:
    kafka = embedded_broker.settings()
    table = build_table([rule()], [watch(on=0.2)])
    with running(kafka, tmp_path, fixed(table)) as rig:
        rig.read(31)
        rig.wait(lambda: rig.states() == ["firing"])
        (alert,) = table.alert
        done = rig.engine.act(Action(alert, Deed.ACKNOWLEDGE, "kim")).result(5)
        assert [t.actor for t in done] == ["kim"]
        assert rig.states() == ["firing", "acknowledged"]
        with pytest.raises(AlertUnknown):
            rig.engine.act(Action("x", Deed.ACKNOWLEDGE, "kim")).result(5)
        rig.producer.send(Message(TOPICS["readings"], b"c", (), b"nothing that can be read"))
        rig.read(20)
        rig.wait(lambda: rig.states()[2:] == ["normal"])
    with running(kafka, tmp_path, fixed(table)) as rig:
        assert rig.states() == ["firing", "acknowledged", "normal"], "the past is told first"
        assert [told.seq for told in rig.heard] == [1, 2, 3]
        rig.read(31)
        rig.wait(lambda: rig.states()[3:] == ["firing"])
        assert rig.heard[-1].transition.number == 4


def test_a_part_that_shows_itself_later_is_watched_then_and_after_a_restart(
    embedded_broker: Broker, tmp_path: Path
) -> None:
    kept: set[SeriesKey] = set()
    asked: list[int] = []

    def resolve(points) -> WatchTable:
        asked.append(len(points))
        return build_table([rule()], [watch(*point) for point in sorted(points)])

    watched = Watched(
        site="s", feeds=(), resolve=resolve, quantities=frozenset("q"), keep_points=kept.update
    )
    kafka = embedded_broker.settings()
    with running(kafka, tmp_path, watched) as rig:
        rig.send(readings([("d", "outlet.1", "q", 31.0), ("d", "", "not-asked-for", 1.0)]))
        rig.wait(lambda: asked == [0, 1])
        rig.wait(lambda: rig.engine.health()["watches"] == 1)
        rig.read(31, component="outlet.1")
        rig.wait(lambda: rig.states() == ["firing"])
    assert kept == {("d", "outlet.1", "q")}


def test_a_device_whose_polls_give_nothing_is_missed(
    embedded_broker: Broker, tmp_path: Path
) -> None:
    silence = watch(measure=Measure.SILENCE, inputs=(("d", "", POLLED),), stale=1.5)
    table = build_table([rule()], [silence])
    with running(embedded_broker.settings(), tmp_path, fixed(table)) as rig:
        rig.send(poll(good=3), "polls")
        for _ in range(3):
            time.sleep(0.2)
            rig.send(poll(good=0), "polls")
        rig.wait(lambda: rig.states() == ["firing"])
        assert rig.heard[0].transition.threshold == 1.5
        rig.send(poll(good=1), "polls")
        rig.wait(lambda: rig.states() == ["firing", "returned"])


def poll(*, good: int) -> pa.RecordBatch:
    def names(text: str) -> pa.Array:
        return pa.array([text]).dictionary_encode().cast(NAME)

    columns = [
        pa.array([time.time_ns() // 1000]).cast(POLLS.field("scheduled_at").type),
        names("d"), names("read" if good else "failed"),
        pa.array([3], pa.uint32()), pa.array([good], pa.uint32()),
        pa.array([0.1]), pa.array([None], pa.string()),
    ]  # fmt: skip
    return pa.RecordBatch.from_arrays(columns, schema=POLLS)


def test_a_broker_that_comes_back_without_its_log_changes_nothing(
    embedded_broker: Broker, tmp_path: Path
) -> None:
    table = build_table([rule()], [watch(stale=2)])
    kafka = embedded_broker.settings()
    with running(kafka, tmp_path, fixed(table)) as rig:
        rig.read(31)
        rig.wait(lambda: rig.states() == ["firing"])
        embedded_broker.stop()
        time.sleep(3)
        assert rig.states() == ["firing"], "nothing grows stale while nothing can be read"
        rig.producer.close()
        embedded_broker.start()
        rig.producer = Producer(kafka)
        rig.wait(lambda: rig.engine.health()["ready"], 30)
        rig.read(20)
        rig.wait(lambda: rig.states()[-1] == "returned")
        assert rig.states() in (["firing", "returned"], ["firing", "no_data", "returned"])


def test_how_far_it_looks_back_follows_the_rules() -> None:
    def table(**facts) -> WatchTable:
        return build_table([rule()], [watch(**facts)])

    assert rewind_us(table(on=5)) == LEAST_REWIND_US
    assert rewind_us(table(off=300)) == us(300)
    assert rewind_us(table(window=86_400)) == MOST_REWIND_US
