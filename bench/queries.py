"""What questions to the lake cost, beside DuckDB reading the rows they need from the same files."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median

from bench.day import MIDNIGHT_S, write_day
from bench.harness import Figure, Goal, Scale
from warehouse.lake import Lake
from warehouse.query import run_sql

GOAL = Goal(1.0, "value", "most")
FROM = datetime.fromtimestamp(MIDNIGHT_S, UTC)
SCAN = "sum of the same rows"
SUM_OF_REGISTERS = (
    "select sum(value) from readings where quantity = 'energy_imported_wh' and ts >= $from_at"
    " and ts < $to_at"
)
HOURLY_POWER = (
    "select device, time_bucket(interval 1 hour, ts) as hour_at, min(value), max(value), avg(value)"
    " from readings where quantity = 'active_power_w' and starts_with(device, 'hall-1/')"
    " and ts >= $from_at and ts < $to_at group by all"
)
SUM_OF_POWER = (
    "select sum(value) from readings where quantity = 'active_power_w'"
    " and starts_with(device, 'hall-1/') and ts >= $from_at and ts < $to_at"
)
PUE = "from pue($from_at, $to_at, 'window', 1)"


def figures(scale: Scale) -> Iterator[Figure]:
    """Over a day; for a quick look, over hours of it."""
    hours = scale.pick(24, 3)
    with Lake.create_or_open(scale.scratch / "lake") as lake:
        began = time.process_time()
        rows = write_day(lake, hours)
        yield Figure("the lake", rows, "readings")
        yield Figure("made in", time.process_time() - began, "s of CPU")
        window = {"from_at": FROM, "to_at": FROM + timedelta(hours=hours)}
        rounds = scale.pick(5, 3)
        for what, text, scan, goal in (
            (f"hourly power of one hall's meters, {hours} h", HOURLY_POWER, SUM_OF_POWER, None),
            (f"PUE of {hours} h from raw", PUE, SUM_OF_REGISTERS, GOAL),
        ):
            yield beside(
                what,
                partial(run_sql, lake, text, window),
                partial(run_sql, lake, scan, window),
                rounds,
                goal,
            )


def beside(
    what: str,
    ours: Callable[[], object],
    scan: Callable[[], object],
    rounds: int,
    goal: Goal | None,
) -> Figure:
    """Seconds of both on the wall, in turn."""
    found = [(_seconds(ours), _seconds(scan)) for _ in range(rounds)]
    seconds, bare = median(ours for ours, _ in found), median(bare for _, bare in found)
    return Figure(what, seconds, "s", bare, SCAN, seconds / bare, goal)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
