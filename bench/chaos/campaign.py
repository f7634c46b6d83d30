"""Trials one after another on one stage: a fault, recovery, and a look at every row since."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from bench.chaos.check import Found, Served, broken_checks, check
from bench.chaos.faults import FAULTS, STEPS_CLOCK, Fault
from bench.chaos.numbered import NumberedMeters, Point
from bench.chaos.stage import Stage
from busway.processes import free_port
from facility.errors import LakeUnavailable
from simulator.modbus_server import ModbusServer
from warehouse.lake import Lake
from warehouse.query import run_sql

METERS = 6
SETTLE_S = 1.0
CATCH_UP_S = 90.0
LOOK_S = 0.5
REACHED = """
select min(newest) as newest, count(*) as sources from (
    select epoch(max(ts)) as newest from readings group by device
    union all
    select epoch(max(scheduled_at)) from polls group by device
)
"""


class NotCaughtUp(Exception):
    """The lake did not get what was served, in time."""


@dataclass(frozen=True)
class Trial:
    """What one fault did."""

    fault: str
    found: Found
    broken: Sequence[str]
    """What the lake's own checks of the ledger object to."""
    recovery_s: float
    """From the fault's end until the lake had everything served before it."""

    @property
    def is_clean(self) -> bool:
        """Whether every reading is in the lake once or in the books, and the ledger is whole."""
        return self.found.is_clean and not self.broken


class Campaign:
    """One stage and its meters; `directory` takes all that is written."""

    def __init__(self, directory: Path, seed: int) -> None:
        self._random = Random(seed)
        self._meters = NumberedMeters(METERS, free_port())
        self._stage = Stage(directory, self._meters)
        self._checked: Mapping[Point, int] = {}
        self._checked_until_s = 0.0

    async def run(self, faults: Sequence[Fault], tell: Callable[[Trial], None]) -> list[Trial]:
        """Do the faults in turn, and tell of each.

        Raises:
            NotCaughtUp: after a fault, or at the start, the pipeline did not (re)cover.
        """
        trials = []
        async with ModbusServer(self._meters.devices):
            try:
                self._stage.heal()
                await self._catch_up(time.time())
                self._checked, self._checked_until_s = self._count(), time.time()
                for fault in faults:
                    trials.append(await self._trial(fault))
                    tell(trials[-1])
            finally:
                self._stage.end()
        return trials

    async def _trial(self, fault: Fault) -> Trial:
        await asyncio.sleep(SETTLE_S * (0.5 + self._random.random()))
        await fault(self._stage, self._random)
        self._stage.heal()
        counted, ended_s = self._count(), time.time()
        await self._catch_up(ended_s)
        recovery_s = time.time() - ended_s
        served = {
            point: self._served(point, count)
            for point, count in counted.items()
            if count > self._checked.get(point, 0)
        }
        by_time = fault not in STEPS_CLOCK
        found = await asyncio.to_thread(check, self._stage.lake, served, by_time=by_time)
        broken = await asyncio.to_thread(
            broken_checks, self._stage.lake, self._checked_until_s, ended_s
        )
        self._checked, self._checked_until_s = counted, ended_s
        return Trial(fault.__name__, found, broken, recovery_s)

    def _count(self) -> dict[Point, int]:
        return {point: len(times) for point, times in self._meters.served.items()}

    def _served(self, point: Point, count: int) -> Served:
        start = self._checked.get(point, 0)
        return Served(start + 1, np.array(self._meters.served[point][start:count]))

    async def _catch_up(self, until_s: float) -> None:
        """Wait until the lake has a reading and a poll of each meter later than that."""
        deadline = time.monotonic() + CATCH_UP_S
        while (reached := await asyncio.to_thread(self._reached)) <= until_s:
            if time.monotonic() > deadline:
                raise NotCaughtUp(
                    f"after {CATCH_UP_S:.0f} s the lake had come to {until_s - reached:.1f} s "
                    f"before; logs: {self._stage.directory / 'log'}"
                )
            await asyncio.sleep(LOOK_S)

    def _reached(self) -> float:
        """Time of the newest row of the meter, and of the table, that is furthest behind."""
        try:
            with Lake.open_read_only(self._stage.lake) as lake:
                (row,) = run_sql(lake, REACHED).to_pylist()
        except LakeUnavailable:  # not made yet
            return 0.0
        return float(row["newest"]) if row["sources"] == 2 * METERS else 0.0


def faults_by_name() -> dict[str, Fault]:
    """Every fault there is."""
    return {fault.__name__: fault for fault in FAULTS}
