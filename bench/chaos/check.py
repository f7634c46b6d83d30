"""Row by row: each number that was served is in the lake once, or its poll is booked as lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.chaos.numbered import Point
from warehouse.lake import Lake
from warehouse.query import run_sql

Numbers = npt.NDArray[np.int64]
NUMBERS = """
select device, component, quantity, list(round(value)::bigint) as numbers
from readings where value is not null group by all
"""
UNSTORED = """
select device, list(epoch(scheduled_at) order by scheduled_at) as scheduled_at,
    list(outcome in ('failed', 'dropped') order by scheduled_at) as is_lost
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
    """Of one point: the numbers `first` to `first + len(times) - 1`, and when they were served."""

    first: int
    times: npt.NDArray[np.float64]


def check(lake_directory: Path, served: Mapping[Point, Served], *, by_time: bool) -> Found:
    """Compare the lake with what was served.

    Args:
        lake_directory: that has caught up with all of `served`.
        served: by point.
        by_time: the poll of a missing number is the last one scheduled before it was served, and
            must be booked as lost; else, as many polls must be booked as numbers are missing.
    """
    with Lake.open_read_only(lake_directory) as lake:
        rows = run_sql(lake, NUMBERS).to_pylist()
        polls = {row["device"]: row for row in run_sql(lake, UNSTORED).to_pylist()}
    stored = {
        (row["device"], row["component"], row["quantity"]): np.array(row["numbers"], np.int64)
        for row in rows
    }
    found = Found()
    for point, part in served.items():
        numbers = stored.get(point, np.empty(0, np.int64))
        _compare(found, point, part, numbers, polls[point[0]], by_time=by_time)
    return found


def _compare(
    found: Found,
    point: Point,
    served: Served,
    stored: Numbers,
    polls: Mapping[str, Sequence[float]],
    *,
    by_time: bool,
) -> None:
    name = "/".join(point)
    last = served.first + len(served.times) - 1
    here = stored[(stored >= served.first) & (stored <= last)]
    times_stored = Counter(here.tolist())
    found.served += len(served.times)
    found.stored += len(times_stored)
    found.doubled += [f"{name} number {n} x {k}" for n, k in times_stored.items() if k > 1]
    found.invented += [f"{name} value {n}" for n in stored[stored < 1].tolist()]
    missing = [n for n in range(served.first, last + 1) if n not in times_stored]
    lost = _unbooked(missing, served, polls) if by_time else _beyond_the_books(missing, polls)
    found.lost += [f"{name} number {n}" for n in lost]
    found.booked += len(missing) - len(lost)


def _unbooked(
    missing: Sequence[int], served: Served, polls: Mapping[str, Sequence[float]]
) -> list[int]:
    """Those whose poll is not booked as failed or dropped."""
    scheduled, is_lost = np.array(polls["scheduled_at"]), polls["is_lost"]
    slots = np.searchsorted(scheduled, served.times, side="right") - 1
    return [n for n in missing if not is_lost[slots[n - served.first]]]


def _beyond_the_books(missing: Sequence[int], polls: Mapping[str, Sequence[float]]) -> list[int]:
    """Those that are more than the polls booked as lost, in all."""
    return list(missing[int(sum(polls["is_lost"])) :])


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
