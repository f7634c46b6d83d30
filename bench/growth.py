"""How cost grows with the site: CPU time that a second of it takes, from batch to committed rows.

A second's readings of so many points at 1 Hz are appended to an outbox, decoded again and
committed, in flushes as large as the default settings make them. Beside it: what 100,000 points
take, times so many.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median

import pyarrow as pa

from bench.commits import Commits
from bench.harness import Figure, Goal, Scale
from bench.loads import whole_site
from facility.reading import TOPICS
from facility.site import Lake as LakeSettings
from stream.codec import decode
from stream.outbox import Outbox
from warehouse.lake import Lake
from warehouse.sink import ENGINE
from warehouse.sweep import sink_present

TOPIC = TOPICS["readings"]
LINEAR = Goal(1.25, "ratio", "most")
UNIT = "s of CPU"


def figures(scale: Scale) -> Iterator[Figure]:
    """A tenth of a collector, one, ten, and all of them."""
    load = whole_site(scale)
    rounds = scale.pick(3, 2)
    one = _cost(scale, "1", [load.series(0).batch(0)], rounds)
    small = [load.series(0).batch(0).slice(0, load.points[0] // 10)]
    few = [load.series(n).batch(0) for n in range(min(10, load.collectors))]
    every = [load.series(n).batch(0) for n in range(load.collectors)]
    per_row = one / load.points[0]
    yield _figure(small, _cost(scale, "small", small, rounds), per_row, None)
    yield _figure([load.series(0).batch(0)], one, per_row, None)
    yield _figure(few, _cost(scale, "few", few, rounds), per_row, LINEAR)
    if len(every) > len(few):
        yield _figure(every, _cost(scale, "every", every, rounds), per_row, LINEAR)


def _figure(
    batches: list[pa.RecordBatch], cost_s: float, per_row_s: float, goal: Goal | None
) -> Figure:
    rows = sum(len(batch) for batch in batches)
    linear = rows * per_row_s
    return Figure(
        f"a second of {rows:,} points at 1 Hz",
        cost_s,
        UNIT,
        linear,
        "linear",
        cost_s / linear,
        goal,
    )


def _cost(scale: Scale, name: str, batches: list[pa.RecordBatch], rounds: int) -> float:
    """CPU seconds of one second, the median of some."""
    place = scale.scratch / name
    settings = LakeSettings()
    period = [*batches] * max(1, int(settings.flush_seconds))
    with (
        Outbox(
            place / "outbox", collector="bench", max_bytes=2**31, when_full="drop_oldest"
        ) as outbox,
        Lake.create_or_open(place / "lake", settings=ENGINE) as lake,
        sink_present(lake),
    ):
        commits = Commits(lake)
        found = []
        for _ in range(rounds + 1):
            started = time.process_time()
            for batch in period:
                outbox.append(TOPIC, batch)
            entries = outbox.pending(2**31)
            outbox.acknowledge(entries[-1])
            _commit(commits, [decode(e.message.value, e.message.headers).batch for e in entries])
            found.append((time.process_time() - started) / settings.flush_seconds)
    return median(found[1:])


def _commit(commits: Commits, batches: list[pa.RecordBatch]) -> None:
    """Flush as the sink would: whenever a flush's rows are there, and at the end."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(len(one) for one in waiting) >= LakeSettings().flush_rows:
            commits.commit(waiting)
            waiting = []
    if waiting:
        commits.commit(waiting)
