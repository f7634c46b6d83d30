"""kill -9 of the engine at random moments: nothing fires twice, nothing firing is forgotten."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
from alert_rig import times
from brokers import Broker
from engine_child import DEVICES, open_outbox, table

from alerts.board import Board
from alerts.history import read_history
from alerts.samples import samples_of
from facility.alert import Transition
from facility.reading import NAME, READINGS, TOPICS
from facility.site import Kafka
from stream.codec import encode
from stream.kafka_client import Admin, Producer
from stream.topics import ensure_topics

STEP_S = 0.1
KILLS = 5


class Feeder:
    """Sends every device's value each STEP_S; each goes up and down in a time of its own."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.sent: list[pa.RecordBatch] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        producer = Producer(self._kafka)
        while not self._stop.wait(STEP_S):
            self.sent.append(self._batch(len(self.sent)))
            producer.send(
                encode(self.sent[-1], topic=TOPICS["readings"], collector="c", seq=len(self.sent))
            )
        producer.close()

    def _batch(self, step: int) -> pa.RecordBatch:
        high = [step % (14 + 2 * number) >= 7 + number for number in range(len(DEVICES))]
        count = len(DEVICES)
        constant = pa.array(np.zeros(count, np.int32))
        columns = [
            pa.array(np.full(count, time.time_ns() // 1000)).cast(READINGS.field("ts").type),
            pa.array(DEVICES).dictionary_encode().cast(NAME),
            pa.DictionaryArray.from_arrays(constant, pa.array([""])),
            pa.DictionaryArray.from_arrays(constant, pa.array(["q"])),
            pa.array(np.where(high, 31.0, 20.0)),
            pa.array(np.zeros(count, np.uint8)),
        ]
        return pa.RecordBatch.from_arrays(columns, schema=READINGS)


def start(path: Path, kafka: Kafka, delete_at: str) -> subprocess.Popen[str]:
    command = [sys.executable, Path(__file__).with_name("engine_child.py"), path]
    places = [kafka.bootstrap_servers[0], kafka.topic_prefix, delete_at]
    environment = {"PYTHONPATH": f"{Path(__file__).parents[2]}", "PATH": "/usr/bin:/bin"}
    return subprocess.Popen([*command, *places], stdout=subprocess.PIPE, text=True, env=environment)


def wait_until_ready(child: subprocess.Popen[str]) -> None:
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"


def kill(child: subprocess.Popen[str]) -> None:
    child.kill()
    child.wait()
    assert child.stdout is not None
    child.stdout.close()


def decided_in_one_go(batches: list[pa.RecordBatch]) -> list[Transition]:
    """What an engine that was never killed says to the same samples."""
    board = Board(table(), ())
    told = board.start((), batches[0]["ts"][0].value)
    for batch in batches:
        now = batch["ts"][0].value
        told += board.take(samples_of(batch, board.index, "c", now), now, now)
    return told + board.tick(now + 10_000_000, now)


def by_alert(told: list[Transition]) -> dict[str, list[tuple[object, ...]]]:
    found: dict[str, list[tuple[object, ...]]] = {}
    for made, (state, at) in zip(told, times(told), strict=True):
        found.setdefault(made.device, []).append((made.number, state, at))
    return {device: sorted(rows) for device, rows in found.items()}


def test_killed_at_random_moments(broker: Broker, tmp_path: Path) -> None:
    kafka = broker.settings()
    delete_at = "acknowledgement" if broker.keeps_its_log else "trim"
    admin = Admin(kafka)
    ensure_topics(admin, kafka)
    admin.close()
    path = tmp_path / "alerts-0.sqlite"
    dice = random.Random(7)
    with Feeder(kafka) as feeder:
        for number in range(KILLS):
            child = start(path, kafka, delete_at)
            if number % 3:
                wait_until_ready(child)
            time.sleep(dice.uniform(0.0, 1.5))
            kill(child)
        sent = len(feeder.sent)
    child = start(path, kafka, delete_at)
    try:
        wait_until_ready(child)
        expected = by_alert(decided_in_one_go(feeder.sent))
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            found = by_alert(heard(kafka, tmp_path / "reader.sqlite"))
            if found == expected:
                break
            time.sleep(0.2)
    finally:
        kill(child)
    assert sent > 20
    assert sum(len(rows) for rows in expected.values()) > 20
    assert found == expected


def heard(kafka: Kafka, path: Path) -> list[Transition]:
    """All that is in the topic."""
    with open_outbox(path, "acknowledgement") as own:
        return [told.transition for told in read_history(kafka, own, threading.Event())]
