"""From the outbox to committed rows, all of it as real processes on this machine's cores.

A feeder appends the full-size site's readings as fast as it can; broker and sink run beside it. The
clock runs from the first append until the lake has every row, which SQL then counts. CPU time of
each process says what a row costs, whatever else the machine has to do.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

from bench.brokers import Kind, has_apache
from bench.harness import Figure, Goal, Scale
from bench.load import Load
from bench.loads import whole_site
from bench.pipeline import answer, cpu_seconds, feeding, pipeline, start

GOALS = {
    "Apache Kafka": Goal(2_720_000, of="value"),
    "embedded broker": Goal(1_000_000, of="value"),
}
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Passage:
    """What it took to bring rows into the lake."""

    rows: int
    counted: int
    seconds: float
    cpu_s: dict[str, float]


def figures(scale: Scale) -> Iterator[Figure]:
    """Each broker in turn."""
    load = whole_site(scale)
    kinds: tuple[Kind, ...] = ("Apache Kafka", "embedded broker")
    for kind in kinds if has_apache() else kinds[1:]:
        passage = pass_through(scale, kind, load, seconds=scale.pick(16, 4))
        cores = len(os.sched_getaffinity(0))
        cpu_s = sum(passage.cpu_s.values())
        yield Figure(
            f"end to end, {kind}", passage.rows / passage.seconds, "rows/s", goal=GOALS[kind]
        )
        yield Figure(
            f"by CPU time, {cores} cores of its own", cores * passage.rows / cpu_s, "rows/s"
        )
        for name, seconds in passage.cpu_s.items():
            yield Figure(f"CPU of the {name}", 1e9 * seconds / passage.rows, "ns/row")
        lost = float(passage.rows - passage.counted)
        yield Figure("rows that SQL does not find", lost, "rows", goal=Goal(0, "value", "most"))


def pass_through(scale: Scale, kind: Kind, load: Load, *, seconds: int) -> Passage:
    """Bring so many seconds of all of a load into a new lake."""
    with pipeline(kind, scale.scratch / f"{kind}-{time.monotonic_ns()}") as stage:
        feed = stage.feed(
            "bench", load.directory, range(load.collectors), seconds=seconds, at_one_hertz=False
        )
        rows = seconds * sum(load.points)
        with feeding([feed]) as feeders:
            pids = {"feeder": feeders[0].pid, "broker": stage.broker.pid}
            pids["sink"] = stage.sink.process.pid
            before = {name: cpu_seconds(pid) for name, pid in pids.items()}
            started = time.perf_counter()
            start(feeders)
            stage.until_committed(rows, PATIENCE_S)
            taken_s = time.perf_counter() - started
            cpu_s = {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}
            answer(feeders[0])
        return Passage(rows, stage.counted_rows(), taken_s, cpu_s)
