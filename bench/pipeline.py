"""Outbox, broker, sink and lake as real processes, for the stages that measure them together."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.brokers import Kind, Running, running
from bench.feeder import Feed
from busway.health import ask
from busway.processes import Child, free_port, start_child
from warehouse.lake import Lake
from warehouse.query import run_sql

READY_S, LOOK_S = 40.0, 0.05
TICKS = os.sysconf("SC_CLK_TCK")
SITE = """\
site: {{name: bench}}
devices:
  - {{id: meter, profile: schneider-pm5000, role: feeder_meter, address: "modbus://127.0.0.1:1502"}}
kafka: {{topic_prefix: "{prefix}"{servers}}}
lake: {{directory: lake}}
"""


class NotInTime(Exception):
    """A process did not become ready, or rows did not arrive."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A running broker and sink."""

    directory: Path
    kind: Kind
    broker: Running
    sink: Child
    health: str

    @property
    def lake(self) -> Path:
        """Where rows arrive."""
        return self.directory / "lake"

    def feed(self, name: str, load: Path, collectors: Sequence[int], **pace: Any) -> Feed:
        """What to tell a feeder."""
        return Feed(
            name=name,
            load=str(load),
            collectors=list(collectors),
            outbox=str(self.directory / f"{name}.sqlite"),
            kafka=self.broker.kafka.model_dump(mode="json", exclude_none=True),
            delete_at="acknowledgement" if self.kind == "Apache Kafka" else "trim",
            **pace,
        )

    def committed_rows(self) -> int:
        """How many the sink says are in the lake."""
        facts = asyncio.run(ask(f"http://{self.health}/healthz"))
        return int(facts["rows"]) if facts else 0

    def until_committed(self, rows: int, patience_s: float) -> None:
        """Wait until the lake has them.

        Raises:
            NotInTime: it has not.
        """
        deadline = time.monotonic() + patience_s
        while (found := self.committed_rows()) < rows:
            if time.monotonic() > deadline:
                raise NotInTime(f"{found} of {rows} rows after {patience_s:.0f} s")
            time.sleep(LOOK_S)

    def counted_rows(self) -> int:
        """How many SQL finds."""
        with Lake.open_read_only(self.lake) as lake:
            found = run_sql(lake, "select count(*) as rows from readings")
        return int(found["rows"][0].as_py())


@contextmanager
def pipeline(kind: Kind, directory: Path) -> Iterator[Pipeline]:
    """Start broker and sink, `busway sink` at its default settings; end them afterwards."""
    directory.mkdir()
    with running(kind) as broker:
        (address,) = broker.kafka.bootstrap_servers
        is_apache = kind == "Apache Kafka"
        servers = f", bootstrap_servers: ['{address}']" if is_apache else ""
        site = directory / "site.yaml"
        site.write_text(SITE.format(prefix=broker.kafka.topic_prefix, servers=servers), "utf-8")
        health = f"127.0.0.1:{free_port()}"
        command = ["sink", "--site", str(site), "--health", health]
        command += [] if is_apache else ["--embedded-broker", address]
        sink = start_child("sink", command, directory / "log")
        try:
            _until_ready(health, sink)
            yield Pipeline(directory, kind, broker, sink, health)
        finally:
            asyncio.run(sink.stop())


def _until_ready(health: str, sink: Child) -> None:
    deadline = time.monotonic() + READY_S
    while True:
        facts = asyncio.run(ask(f"http://{health}/healthz"))
        if facts and facts.get("ready"):
            return
        if not sink.is_running or time.monotonic() > deadline:
            raise NotInTime(f"the sink is not ready: {sink.failure()}")
        time.sleep(LOOK_S)


@contextmanager
def feeding(feeds: Sequence[Feed]) -> Iterator[list[subprocess.Popen[str]]]:
    """Start feeders and wait until they are ready for their line."""
    feeders = [
        subprocess.Popen(feed.command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for feed in feeds
    ]
    try:
        for feeder in feeders:
            answer(feeder)
        yield feeders
    finally:
        for feeder in feeders:
            feeder.terminate()
            feeder.communicate()


def start(feeders: Sequence[subprocess.Popen[str]]) -> None:
    """Give each its line."""
    for feeder in feeders:
        assert feeder.stdin is not None
        print(file=feeder.stdin, flush=True)


def answer(feeder: subprocess.Popen[str]) -> dict[str, Any]:
    """What a feeder prints next."""
    assert feeder.stdout is not None
    found: dict[str, Any] = json.loads(feeder.stdout.readline())
    return found


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has taken so far, all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
