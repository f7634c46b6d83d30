"""Row by row: each number that was served is in the lake once, or its poll is booked as lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.chaos.numbered import Point
from warehouse.lake import Lake
from warehouse.query import run_sql

Floats = npt.NDArray[np.float64]
NUMBERS = """
select device, component, quantity,
    list(round(value)::bigint order by value) as numbers, list(epoch(ts) order by value) as read_at
from readings where value is not null group by all
"""
LOST_POLLS = """
select device,
    coalesce(list(epoch(scheduled_at) order by scheduled_at)
        filter (outcome in ('failed', 'dropped')), []) as lost_at
from polls group by device
"""
CHECKS = ("every_slot_has_a_poll", "every_stored_poll_has_its_readings", "no_batch_is_missing")


@dataclass
class Found:
    """What the lake has of the numbers served."""

    served: int = 0
    stored: int = 0
    booked: int = 0
    """Not in the lake, and the ledger says so."""
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    invented: list[str] = field(default_factory=list)
    """In the lake, and never served."""

    @property
    def is_clean(self) -> bool:
        """Whether nothing was lost, doubled or invented."""
        return not (self.lost or self.doubled or self.invented)


@dataclass(frozen=True)
class Served:
    """Of one point: the numbers that were served, `first` to `last`."""

    first: int
    last: int


@dataclass(frozen=True)
class Stored:
    """What the lake has of one point: numbers in order, and the times they bear."""

    numbers: npt.NDArray[np.int64]
    read_at: Floats


def check(lake_directory: Path, served: Mapping[Point, Served], *, by_time: bool) -> Found:
    """Compare the lake with what was served.

    Args:
        lake_directory: that has caught up with all of `served`.
        served: by point.
        by_time: of numbers missing between two that are stored, as many polls must be booked as
            lost between those two; else (where clocks were set), anywhere.
    """
    with Lake.open_read_only(lake_directory) as lake:
        rows = run_sql(lake, NUMBERS).to_pylist()
        polls = run_sql(lake, LOST_POLLS).to_pylist()
    lost_at = {row["device"]: np.array(row["lost_at"], np.float64) for row in polls}
    nothing = Stored(np.empty(0, np.int64), np.empty(0))
    stored = {
        (row["device"], row["component"], row["quantity"]): Stored(
            np.array(row["numbers"], np.int64), np.array(row["read_at"], np.float64)
        )
        for row in rows
    }
    found = Found()
    for point, part in served.items():
        here = stored.get(point, nothing)
        _compare(found, "/".join(point), part, here, lost_at[point[0]], by_time=by_time)
    return found


def _compare(
    found: Found, name: str, served: Served, stored: Stored, lost_at: Floats, *, by_time: bool
) -> None:
    numbers = stored.numbers
    here, times = np.unique(
        numbers[(numbers >= served.first) & (numbers <= served.last)], return_counts=True
    )
    missing = np.setdiff1d(np.arange(served.first, served.last + 1), here)
    lost = _beyond_the_books(missing, stored, lost_at, by_time=by_time)
    found.served += served.last - served.first + 1
    found.stored += len(here)
    found.doubled += [f"{name} number {n}" for n in here[times > 1]]
    found.invented += [f"{name} value {n}" for n in numbers[numbers < 1]]
    found.lost += [f"{name} number {n}" for n in lost]
    found.booked += len(missing) - len(lost)


def _beyond_the_books(
    missing: npt.NDArray[np.int64], stored: Stored, lost_at: Floats, *, by_time: bool
) -> list[int]:
    """Those that are more than the polls that are booked as lost."""
    if not by_time:
        return [int(n) for n in missing[len(lost_at) :]]
    beyond: list[int] = []
    ends = np.searchsorted(stored.numbers, missing)
    for end in np.unique(ends):
        run = missing[ends == end]
        from_s = stored.read_at[end - 1] if end else -np.inf
        to_s = stored.read_at[end] if end < len(stored.read_at) else np.inf
        booked = int(np.count_nonzero((lost_at > from_s) & (lost_at < to_s)))
        beyond += [int(n) for n in run[booked:]]
    return beyond


def broken_checks(lake_directory: Path, from_s: float, to_s: float) -> list[str]:
    """Rows of the lake's own checks of the ledger, for a window in Unix seconds."""
    with Lake.open_read_only(lake_directory) as lake:
        return [
            f"{name}: {row}"
            for name in CHECKS
            for row in run_sql(
                lake, f"from {name}(to_timestamp({from_s}), to_timestamp({to_s}))"
            ).to_pylist()
        ]
