"""Which files are to become one: a pure function of what the catalogue says of them.

Files are merged twice at most: those of a closed quarter of an hour, then those of a closed day
that are still small. A file belongs to the period of its newest row; where that cannot be (before
2000, or later than the commit) to that of its commit, so that a broken clock opens no periods.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from warehouse.maintenance.merge import BATCH_ROWS

SPANS = (timedelta(minutes=15), timedelta(days=1))
SETTLE = timedelta(minutes=2)
"""How long after its end a period is closed: the sink's flush, and clocks that differ."""
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)

SMALL_BYTES = 128_000_000
"""Files of this size are left alone."""
MOST_BYTES = 512_000_000
MOST_FILES = 400
MOST_OPEN_ROWS = 16_000_000
"""Rows of one batch of each file of a unit, which merging holds in memory."""
MANY = 16
"""So many files are merged, however little that gains."""

Unit = tuple["LakeFile", ...]


@dataclass(frozen=True, slots=True)
class LakeFile:
    """A data file of the present snapshot."""

    number: int
    """Its id in the catalogue."""
    path: str
    rows: int
    bytes: int
    newest_at: datetime
    """The latest time in its rows; that of its commit where its rows have none."""
    committed_at: datetime


def plan_units(files: Iterable[LakeFile], now: datetime) -> list[Unit]:
    """Group small files of closed periods into units, each to be merged into one file."""
    left = [file for file in files if file.bytes < SMALL_BYTES]
    units: list[Unit] = []
    for span in SPANS:
        found = [unit for unit in _units_of(left, span, now) if _is_worth_it(unit)]
        taken = {file.number for unit in found for file in unit}
        left = [file for file in left if file.number not in taken]
        units += found
    return units


def period_start(file: LakeFile, span: timedelta) -> datetime:
    """Give the beginning of the period that a file belongs to."""
    is_plausible = EARLIEST <= file.newest_at <= file.committed_at
    at = file.newest_at if is_plausible else file.committed_at
    return at - (at - EARLIEST) % span


def _units_of(files: Sequence[LakeFile], span: timedelta, now: datetime) -> Iterator[Unit]:
    periods: defaultdict[datetime, list[LakeFile]] = defaultdict(list)
    for file in files:
        periods[period_start(file, span)].append(file)
    for start in sorted(periods):
        if start + span + SETTLE <= now:
            yield from _split(sorted(periods[start], key=lambda file: file.number))


def _split(files: Iterable[LakeFile]) -> Iterator[Unit]:
    """Cut into units within the bounds of size, open files and memory."""
    unit: list[LakeFile] = []
    for file in files:
        if unit and not _fits([*unit, file]):
            yield tuple(unit)
            unit = []
        unit.append(file)
    yield tuple(unit)


def _fits(files: Sequence[LakeFile]) -> bool:
    return (
        len(files) <= MOST_FILES
        and sum(file.bytes for file in files) <= MOST_BYTES
        and sum(min(file.rows, BATCH_ROWS) for file in files) <= MOST_OPEN_ROWS
    )


def _is_worth_it(unit: Unit) -> bool:
    """Whether what is gained is in proportion to what is written again.

    A late file of a few rows does not make a large one be rewritten; the sixteenth does.
    """
    largest = max(file.bytes for file in unit)
    others = sum(file.bytes for file in unit) - largest
    return len(unit) >= MANY or (len(unit) > 1 and 4 * others >= largest)
