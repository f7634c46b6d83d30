"""From the moment a device answers until SQL finds the reading, at the default settings.

A feeder appends each second's readings when the second is over, as the daemon does, at about the
rate at which the 250 MW site's intervals give readings. A reader asks the lake again and again how
far it has the feeder's messages; the rows of one are visible in the snapshot that says so.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from bench.brokers import Kind, best_kind
from bench.harness import Figure, Goal, Scale
from bench.loads import whole_site
from bench.pipeline import Pipeline, answer, feeding, pipeline, start
from warehouse.lake import Lake
from warehouse.query import run_sql

COLLECTORS = 4
LOOK_S = 0.1
SETTLE_S = 6.0
GOAL = Goal(5.0, "value", "most")
WITHIN_SECOND = np.linspace(0.0, 1.0, 101)
"""Readings lie evenly in their second."""


def figures(scale: Scale) -> Iterator[Figure]:
    """On the broker that a site would use."""
    load = whole_site(scale)
    kind: Kind = best_kind()
    with pipeline(kind, scale.scratch / "pipeline") as stage:
        feed = stage.feed(
            "bench",
            load.directory,
            range(COLLECTORS),
            seconds=scale.pick(20, 8),
            at_one_hertz=True,
        )
        with feeding([feed]) as (feeder,):
            start([feeder])
            appended, seen_at = _watch(stage, feeder)
    ages_s = np.concatenate(
        [seen_at[message["seq"]] - message["second"] - WITHIN_SECOND for message in appended]
    )
    p50, p99 = np.percentile(ages_s, [50, 99])
    rate = sum(load.points[:COLLECTORS])
    what = f"answer to SQL, {rate:,} readings/s, {kind}"
    yield Figure(f"{what}, p50", float(p50), "s")
    yield Figure(f"{what}, p99", float(p99), "s", goal=GOAL)


def _watch(
    stage: Pipeline, feeder: subprocess.Popen[str]
) -> tuple[list[dict[str, Any]], dict[int, float]]:
    """Note when each message is seen in the lake, until all of them are."""
    seen_at: dict[int, float] = {}
    stop = threading.Event()
    with ThreadPoolExecutor(1) as thread:
        watching = thread.submit(_look, stage, seen_at, stop)
        try:
            appended = answer(feeder)["appended"]
            deadline = time.monotonic() + SETTLE_S
            while len(seen_at) < len(appended) and time.monotonic() < deadline:
                time.sleep(LOOK_S)
        finally:
            stop.set()
        watching.result()
    return appended, seen_at


def _look(stage: Pipeline, seen_at: dict[int, float], stop: threading.Event) -> None:
    with Lake.open_read_only(stage.lake) as lake:
        while not stop.is_set():
            found = run_sql(lake, "select max(last_seq) as seq from collector_progress")
            now = time.time()
            for seq in range(len(seen_at) + 1, (found["seq"][0].as_py() or 0) + 1):
                seen_at[seq] = now
            stop.wait(LOOK_S)
