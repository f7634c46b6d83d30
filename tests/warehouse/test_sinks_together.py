"""Several sinks of one group on one lake, as processes: they join, leave, die, sleep and wake."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from typing import Self

import pytest
from sink_feed import READING_TOPIC, readings
from sink_process import SITE, SinkProcess

from facility.site_file import load_site
from stream.codec import encode
from stream.kafka_client import Producer
from warehouse.lake import Lake
from warehouse.location import LakeLocation
from warehouse.query import run_sql

PARTITIONS = 4
COLLECTORS = 8
SESSION_TIMEOUT_S = 2
ALL_PARTITIONS = 2 * PARTITIONS + 1
"""Of readings, of polls, and the one of alerts."""


class Collectors:
    """Sends a batch of each collector, again and again, until it is stopped."""

    def __init__(self, kafka) -> None:
        self._kafka = kafka
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.rounds = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)

    def values(self) -> list[float]:
        """Every value sent, sorted."""
        return sorted(
            (self._number(seq, collector)) * 1000.0 + row
            for seq in range(1, self.rounds + 1)
            for collector in range(COLLECTORS)
            for row in range(50)
        )

    def _run(self) -> None:
        producer = Producer(self._kafka)
        while not self._stop.wait(0.05):
            seq = self.rounds + 1
            for collector in range(COLLECTORS):
                batch = readings(self._number(seq, collector))
                name = f"c-{collector}"
                producer.send(encode(batch, topic=READING_TOPIC, collector=name, seq=seq))
            self.rounds = seq
        producer.close()

    def _number(self, seq: int, collector: int) -> int:
        return seq * COLLECTORS + collector


def wait_for(condition, what: str, timeout_s: float = 40.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.1)


@pytest.fixture(params=["sqlite", "postgresql"])
def catalogue(request, tmp_path, empty_lake) -> str:
    """The lake's section of the site file."""
    if request.param == "sqlite":
        shutil.copytree(empty_lake, tmp_path / "lake")
        return f"  directory: {tmp_path}/lake"
    location = request.getfixturevalue("postgres_lake")()
    password = f"{{file: {location.catalogue.password.file}}}"
    return (
        f"  directory: {location.directory}\n"
        f"  catalogue: {{url: '{location.catalogue_name}', password: {password}}}"
    )


@pytest.fixture
def start(apache_broker, catalogue, tmp_path) -> Iterator:
    """Starts a sink on the test's own topics and lake."""
    kafka = apache_broker.settings()
    site_file = tmp_path / "site.yaml"
    site_file.write_text(
        SITE.format(
            servers=", ".join(kafka.bootstrap_servers),
            prefix=kafka.topic_prefix,
            partitions=PARTITIONS,
            session_timeout_s=SESSION_TIMEOUT_S,
            lake=catalogue,
        )
    )
    started: list[SinkProcess] = []

    def begin() -> SinkProcess:
        started.append(SinkProcess(site_file, f"sink-{len(started)}"))
        return started[-1]

    begin.kafka = kafka
    begin.site_file = site_file
    yield begin
    for sink in started:
        sink.kill()


def shares(*sinks: SinkProcess) -> bool:
    """Whether these sinks have all partitions, and each has some."""
    found = [sink.partitions() for sink in sinks]
    return sum(found) == ALL_PARTITIONS and all(found)


def test_every_row_is_there_once_whoever_comes_goes_dies_or_wakes(start):
    first, second, third = start(), start(), start()
    wait_for(lambda: shares(first, second, third), "three sinks share")
    with Collectors(start.kafka) as collectors:
        wait_for(lambda: all(s.health()["rows"] for s in (first, second, third)), "all commit")
        first.kill()
        wait_for(lambda: shares(second, third), "two have what the dead one had")
        second.pause()
        wait_for(lambda: third.partitions() == ALL_PARTITIONS, "one has what the paused one had")
        second.wake()
        wait_for(lambda: shares(second, third), "the one that woke takes part again")
        assert third.leave() == 0
        wait_for(lambda: second.partitions() == ALL_PARTITIONS, "the last one has all")
    location = location_of(start.site_file)
    sent = collectors.values()
    with Lake.open_read_only(location) as lake:

        def rows() -> int:
            return run_sql(lake, "select count(*) as n from readings")["n"][0].as_py()

        wait_for(lambda: rows() >= len(sent), "everything is in the lake")
        time.sleep(0.5)
        stored = run_sql(lake, "select value from readings order by value")["value"].to_pylist()
        assert stored == sent
        progress = run_sql(lake, "from collector_progress").to_pylist()
        assert {(p["last_seq"], p["missing"]) for p in progress} == {(collectors.rounds, 0)}
        assert len(progress) == COLLECTORS
        offsets = run_sql(lake, "from sink_offsets order by all").to_pylist()
        assert len(offsets) == ALL_PARTITIONS, "each partition has one offset"
        devices = run_sql(lake, "from devices").num_rows
        assert devices == 1, "and each device one row, though two sinks stored it at once"


def location_of(site_file) -> LakeLocation:
    return LakeLocation.of(load_site(site_file).lake)
