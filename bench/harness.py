"""How everything here is measured: ours and the bare library in turn, and the ratio of the two.

A busy machine slows both alike, and a process's own CPU time does not count what others take; so
the ratio of a round is steadier than either figure, and the median of rounds steadier still.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Literal, TypeVar

Result = TypeVar("Result")
Work = Callable[[], float]
"""Does a piece of work and gives how many of the unit it was: rows, values, bytes."""
Rate = Callable[[], float]
"""Does a piece of work and gives units a second."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure, or its ratio to the limit beside it, should be."""

    bound: float
    of: Literal["ratio", "value"] = "ratio"
    at: Literal["least", "most"] = "least"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table."""

    what: str
    value: float
    unit: str
    limit: float | None = None
    """What the bare library gave in the same run, in the same unit."""
    limit_is: str = ""
    ratio: float | None = None
    goal: Goal | None = None

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        if self.goal is None:
            return None
        found = self.ratio if self.goal.of == "ratio" else self.value
        assert found is not None
        bound = self.goal.bound
        return bool(found >= bound if self.goal.at == "least" else found <= bound)


@dataclass(frozen=True, slots=True)
class Scale:
    """How much a stage does: a whole run's share, or a quick look."""

    quick: bool
    scratch: Path
    """An empty directory of the stage's own."""
    loads: Path
    """Where loads are kept between runs."""

    def pick(self, whole: int, quick: int) -> int:
        """A number for each."""
        return quick if self.quick else whole


@dataclass(frozen=True, slots=True)
class Pair:
    """Units a second of both, and the median of the rounds' ratios."""

    ours: float
    bare: float
    ratio: float

    def figure(self, what: str, unit: str, limit_is: str, goal: Goal | None = None) -> Figure:
        """Name it."""
        return Figure(what, self.ours, unit, self.bare, limit_is, self.ratio, goal)


def per_cpu_second(work: Work) -> Rate:
    """By this process's CPU time: of all its threads, and of no other process."""
    return lambda: _rate(work, time.process_time)


def per_second(work: Work) -> Rate:
    """By the clock on the wall, for what waits for another process."""
    return lambda: _rate(work, time.perf_counter)


def _rate(work: Work, clock: Callable[[], float]) -> float:
    started = clock()
    units = work()
    return units / (clock() - started)


def paired(ours: Rate, bare: Rate, *, rounds: int) -> Pair:
    """Do both in turn, each first in every other round, after a round that does not count."""
    return pair_of(in_turn(ours, bare, rounds=rounds))


def in_turn(
    ours: Callable[[], Result], bare: Callable[[], Result], *, rounds: int
) -> list[tuple[Result, Result]]:
    """Do both as `paired` does, and give what each round gave."""
    ours(), bare()
    found = []
    for n in range(rounds):
        if n % 2:
            other = bare()
            found.append((ours(), other))
        else:
            found.append((ours(), bare()))
    return found


def pair_of(found: Sequence[tuple[float, float]]) -> Pair:
    """Sum up rounds of units a second, ours and bare."""
    return Pair(
        ours=median(ours for ours, _ in found),
        bare=median(bare for _, bare in found),
        ratio=median(ours / bare for ours, bare in found),
    )


def together(loops: list[Callable[[], Awaitable[float]]], *, seconds: float) -> Work:
    """Work of asyncio: each of these again and again, side by side, for a while.

    To be called while no event loop runs: all calls share one, so that connections outlive them.
    """

    async def until(once: Callable[[], Awaitable[float]], end: float) -> float:
        units = 0.0
        while time.monotonic() < end:
            units += await once()
        return units

    async def all_of_them() -> float:
        end = time.monotonic() + seconds
        return sum(await asyncio.gather(*(until(once, end) for once in loops)))

    return lambda: run_async(all_of_them())


_runner = asyncio.Runner()


def run_async(work: Coroutine[Any, Any, Result]) -> Result:
    """Run on the one event loop of this process."""
    return _runner.run(work)


def resident_mb() -> float:
    """This process's resident memory."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * 4096 / 1e6
