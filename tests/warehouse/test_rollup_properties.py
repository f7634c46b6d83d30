"""What holds of roll-ups whatever comes, and whenever: they answer as the readings do."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rollup_bench import RollupBench, Row
from sql_bench import at

from warehouse.connection import ALIAS, attach
from warehouse.lake import Lake
from warehouse.location import LakeLocation

QUARTER_S, HOUR_S = 900, 3600
LIMIT_W = 1e6

few = settings(
    max_examples=2,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
seeds = st.integers(0, 2**32 - 1)


@dataclass(frozen=True)
class Course:
    """How often meters are read, and for how long."""

    interval_s: int
    hours: int


SHORT = Course(10, 2)
LONG = Course(300, 40)
"""One local day is whole."""


@contextmanager
def a_lake(empty_lake: Path, database, directory: Path, name: str) -> Iterator[RollupBench]:
    place = directory / name
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(empty_lake, place)
    connection = attach(database.cursor(), LakeLocation.of_directory(place), read_only=False)
    try:
        with Lake(LakeLocation.of_directory(place), connection) as lake:
            yield RollupBench(lake)
    finally:
        database.execute(f"detach {ALIAS}")


def furnish(bench: RollupBench, course: Course, change_s: float) -> None:
    """A register, one that wraps, one that moves seldom, one so coarse that power helps, none.

    The first is another meter from `change_s` on.
    """
    bench.insert("sites", "demo", "Asia/Seoul", 2e6, "site", 0.99)
    for total, category, role in (("e_dc", 0, "utility"), ("e_it", 1, "ups_output")):
        bench.insert("boundary_terms", "site", total, category, role, 1)
    bench.meter("plain", interval_s=course.interval_s)
    bench.lake.connection.execute("update meters set valid_to = ?", [at(change_s)])
    bench.insert("meters", "next", "plain", "", "utility", 0.5, 2e6, None, 1.0, since=at(change_s))
    bench.meter("wraps", "ups_output", interval_s=course.interval_s, modulus_wh=2e6)
    bench.meter("seldom", "ups_output", interval_s=course.interval_s)
    bench.meter("coarse", "it_input", interval_s=course.interval_s, resolution_wh=1e5)
    bench.meter("power", "pdu_output", interval_s=course.interval_s, resolution_wh=None)


def history(rng: random.Random, course: Course) -> list[Row]:
    """Readings with jitter, gaps, dips, spikes, resets, jumps, substitutes and bad values."""
    rows: list[Row] = []
    for name in ("plain", "wraps", "seldom", "coarse"):
        rows += spoilt(rng, list(register(rng, name, course)))
    for name in ("coarse", "power", "plain"):
        rows += [
            (second, name, "active_power_w", LIMIT_W * rng.uniform(0.05, 1), rng.choice(QUALITIES))
            for second in times(rng, course)
        ]
    return [row for row in rows if not 4000 < row[0] < 4000 + 60 * course.interval_s]


QUALITIES = (0,) * 400 + (1, 2, 3, 4)


def times(rng: random.Random, course: Course) -> Iterator[float]:
    for number in range(-HOUR_S // course.interval_s, course.hours * HOUR_S // course.interval_s):
        yield number * course.interval_s + round(rng.uniform(0, 0.09 * course.interval_s), 3)


def register(rng: random.Random, name: str, course: Course) -> Iterator[Row]:
    shown, held, before = rng.uniform(1e6, 9e6), 0.0, -HOUR_S - 1.0
    for number, second in enumerate(times(rng, course)):
        shown += LIMIT_W * rng.uniform(0.05, 1) * (second - before) / 3600
        before = second
        held = shown if name != "seldom" or number % 7 == 0 else held
        value = float(int(held))
        if name == "wraps":
            value %= 2e6
        if name == "coarse":
            value = value // 1e5 * 1e5
        yield second, name, "energy_imported_wh", value, rng.choice(QUALITIES)


def spoilt(rng: random.Random, rows: list[Row]) -> list[Row]:
    values = [row[3] for row in rows]
    for _ in range(rng.randrange(5)):
        kind, at_row = (
            rng.choice(["dip", "spike", "reset", "jump", "small"]),
            rng.randrange(len(rows)),
        )
        span = range(at_row, min(at_row + rng.randint(1, 60), len(rows)))
        base = values[at_row]
        for n in span if kind in ("dip", "spike", "small") else range(at_row, len(rows)):
            change = {"dip": -1e99, "spike": 7e9, "reset": -base, "jump": 3e8, "small": -2e4}[kind]
            values[n] = max(values[n] + change, 0.0)
    return [(*row[:3], value, row[4]) for row, value in zip(rows, values, strict=True)]


def in_commits(rng: random.Random, rows: list[Row]) -> list[list[Row]]:
    """Some late, some twice, in any order."""
    count = rng.randint(1, 3)
    again = rng.sample(rows, len(rows) // 50)
    commits: list[list[Row]] = [[] for _ in range(count)]
    first = rows[0][0]
    length = (max(row[0] for row in rows) - first) / count + 1
    for row in rows + again:
        is_late = rng.random() < 0.02
        commits[rng.randrange(count) if is_late else int((row[0] - first) // length)].append(row)
    rng.shuffle(commits)
    return [commit for commit in commits if commit]


def compare(bench: RollupBench, question: str, window: tuple[float, float, str]) -> None:
    """The roll-ups must answer as the readings do."""
    parameters = {"a": at(window[0]), "b": at(window[1]), "g": window[2]}
    key = {"energy": "meter", "pue": "category"}[question]
    asked = f"from {question}($a, $b, $g, basis := $basis) order by period_start_at, {key}"
    same(
        bench.ask(asked, {**parameters, "basis": "roll-ups"}),
        bench.ask(asked, {**parameters, "basis": "readings"}),
    )


def same(rows: list[dict], others: list[dict]) -> None:
    assert len(rows) == len(others)
    for row, other in zip(rows, others, strict=True):
        for name, value in row.items():
            if isinstance(value, float):
                assert value == pytest.approx(other[name], rel=1e-9, abs=1e-6, nan_ok=True), (
                    name,
                    row,
                    other,
                )
            else:
                assert value == other[name], (name, row, other)


def aligned(rng: random.Random, course: Course) -> tuple[float, float, str]:
    start = rng.randrange(course.hours * 4 - 4)
    end = rng.randrange(start + 1, course.hours * 4)
    return start * QUARTER_S, end * QUARTER_S, rng.choice(["window", "hour", "day"])


def anywhere(rng: random.Random, course: Course) -> tuple[float, float, str]:
    start = rng.uniform(0, course.hours * HOUR_S / 2)
    return round(start, 3), round(rng.uniform(start + 1, course.hours * HOUR_S), 3), "window"


@few
@given(seed=seeds, course=st.sampled_from([SHORT, LONG]))
def test_any_order_of_commits_and_roll_ups_ends_the_same(
    empty_lake, database, tmp_path, seed, course
):
    """And at each commit the roll-ups, as far as they are, answer as the readings do."""
    rng = random.Random(seed)
    rows = history(rng, course)
    end_s = course.hours * HOUR_S + HOUR_S
    commits = in_commits(rng, rows)
    change_s = rng.choice([1800.0, 5000.5, round(rng.uniform(0, course.hours * HOUR_S), 3)])
    with a_lake(empty_lake, database, tmp_path, "once") as bench:
        furnish(bench, course, change_s)
        bench.commit([row for commit in commits for row in commit])
        bench.roll_up(end_s)
        once = bench.tables()
    with a_lake(empty_lake, database, tmp_path, "by_and_by") as bench:
        furnish(bench, course, change_s)
        for commit in commits:
            bench.commit(commit)
            if rng.random() < 0.6:
                bench.roll_up(rng.uniform(0, end_s))
                compare(bench, "energy", aligned(rng, course))
        bench.roll_up(end_s)
        assert bench.ask("from arrivals") == []
        for table, stored in bench.tables().items():
            same(stored, once[table])
        assert once["energy_1d"] or course is SHORT
        compare(bench, "energy", (0, course.hours * HOUR_S, "window"))
        compare(bench, "energy", anywhere(rng, course))
        compare(bench, "pue", aligned(rng, course))
