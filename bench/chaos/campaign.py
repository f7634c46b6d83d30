"""Trials one after another on one stage: a fault, recovery, and a look at every row since."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from bench.chaos.check import Found, Served, broken_checks, check
from bench.chaos.faults import FAULTS, STEPS_CLOCK, Fault
from bench.chaos.numbered import NumberedMeters, Point
from bench.chaos.stage import Stage
from busway.processes import free_port
from facility.errors import LakeUnavailable
from warehouse.lake import Lake
from warehouse.query import run_sql

METERS = 6
SETTLE_S = 1.0
CATCH_UP_S = 90.0
LOOK_S = 0.5
LOOK_BACK = "the whole run"
"""Stands for the fault in the last trial, which is none."""
ONE = "frequency_hz"
"""A quantity of which a meter has one point."""
REACHED = f"""
with counted as (select unnest($counted, recursive := true)),
numbers as (
    select device, max(round(value) - last) > 0 as has_later,
        count(distinct round(value)) filter (round(value) <= last) as stored
    from readings inner join counted using (device)
    where quantity = '{ONE}' group by device
),
asked as (select device, count(*) as asked from polls where outcome <> 'dropped' group by device)
select device from numbers inner join asked using (device) where has_later and asked >= stored
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
        """Do the faults in turn, and tell of each; the last trial looks back at all of them.

        Raises:
            NotCaughtUp: after a fault, or at the start, the pipeline did not (re)cover.
        """
        trials = []
        with self._meters.serving():
            try:
                self._stage.heal()
                await self._catch_up({(d.id, "", ONE): 1 for d in self._meters.devices})
                first = self._checked = self._count()
                self._checked_until_s = time.time()
                for fault in faults:
                    trials.append(await self._trial(fault))
                    tell(trials[-1])
                trials.append(await self._look_back(first))
                tell(trials[-1])
            finally:
                self._stage.end()
        return trials

    async def _trial(self, fault: Fault) -> Trial:
        await asyncio.sleep(SETTLE_S * (0.5 + self._random.random()))
        await fault(self._stage, self._random)
        self._stage.heal()
        counted, ended_s = self._count(), time.time()
        await self._catch_up(counted)
        recovery_s = time.time() - ended_s
        served = _served_between(self._checked, counted)
        by_time = fault not in STEPS_CLOCK
        found = await asyncio.to_thread(check, self._stage.lake, served, by_time=by_time)
        broken = await asyncio.to_thread(
            broken_checks, self._stage.lake, self._checked_until_s, ended_s
        )
        self._checked, self._checked_until_s = counted, ended_s
        return Trial(fault.__name__, found, broken, recovery_s)

    async def _look_back(self, first: Mapping[Point, int]) -> Trial:
        """Look at all rows once more: what was stored may have been merged and rolled up since."""
        served = _served_between(first, self._checked)
        found = await asyncio.to_thread(check, self._stage.lake, served, by_time=False)
        return Trial(LOOK_BACK, found, (), 0.0)

    def _count(self) -> dict[Point, int]:
        return dict(self._meters.served)

    async def _catch_up(self, counted: Mapping[Point, int]) -> None:
        """Wait until the lake has later numbers of each meter, and a poll for each up to these."""
        deadline = time.monotonic() + CATCH_UP_S
        while len(reached := await asyncio.to_thread(self._reached, counted)) < METERS:
            if time.monotonic() > deadline:
                raise NotCaughtUp(
                    f"after {CATCH_UP_S:.0f} s the lake has only {sorted(reached)} up to date; "
                    f"logs: {self._stage.directory / 'log'}"
                )
            await asyncio.sleep(LOOK_S)

    def _reached(self, counted: Mapping[Point, int]) -> set[str]:
        """Meters of which the lake has all that was counted, and more."""
        last = [
            {"device": device, "last": number}
            for (device, _, quantity), number in counted.items()
            if quantity == ONE
        ]
        try:
            with Lake.open_read_only(self._stage.lake) as lake:
                rows = run_sql(lake, REACHED, {"counted": last})
        except LakeUnavailable:  # not made yet
            return set()
        return {str(device) for device in rows["device"].to_pylist()}


def _served_between(first: Mapping[Point, int], last: Mapping[Point, int]) -> dict[Point, Served]:
    return {
        point: Served(first.get(point, 0) + 1, count)
        for point, count in last.items()
        if count > first.get(point, 0)
    }


def faults_by_name() -> dict[str, Fault]:
    """Every fault there is."""
    return {fault.__name__: fault for fault in FAULTS}
