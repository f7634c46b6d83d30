"""From numbers, series by series, to the polls of one device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from collectors.conversion import Floats, Mask
from collectors.exporter.inventory import Expected, Inventory, Numbering
from collectors.exporter.layout import Blanks, Layout, Rows
from collectors.exporter.series import Key
from collectors.profile import DcgmPoint, SeriesPoint
from collectors.quality import Judge
from collectors.source import PointFailure, Poll
from facility.site import Device


@dataclass(frozen=True, slots=True)
class Manners:
    """How a kind of exporter prints."""

    blanks: Blanks = ()
    """Numbers that are none."""
    samples_by_itself: bool = False
    """It samples now and then, and prints the same in between: numbers that are all those of the
    reading before are stale. Else they say that nothing happened."""
    adds_up: bool = False
    """Several series of one row are parts of it, as of a model's engines. Else they say the same,
    as MIG instances do of their GPU's power."""


class Polls:
    """Rows come with the series that have a number, and give a new PointTable.

    Args:
        device: whom the numbers are of, and how often it is read.
        points: the profile's.
        series: what the numbers are of.
        expected: the parts that must be there.
        manners: how the device prints.
    """

    def __init__(
        self,
        device: Device,
        points: Sequence[DcgmPoint] | Sequence[SeriesPoint],
        series: Numbering,
        expected: Expected,
        manners: Manners,
    ) -> None:
        self.points_expected = expected.rows
        self._interval_s = device.interval_seconds
        self._points, self._series = points, series
        self._expected, self._manners = expected, manners
        self._inventory = Inventory(device.id, points, series, expected, manners.blanks)
        self._use(self._inventory.layout)

    def poll(
        self,
        numbers: Floats,
        sampled_at_us: int,
        *,
        why_none: Callable[[Key], str],
        conflicts: Sequence[int] = (),
        is_whole: bool = True,
    ) -> Poll:
        """One poll.

        Args:
            numbers: by series; NaN where it has none.
            sampled_at_us: when they were read, in microseconds since 1970, UTC.
            why_none: why a row got no number.
            conflicts: series that got several.
            is_whole: whether all series that the device has could be read.

        Raises:
            DeviceGarbled: there are too many rows.
        """
        there = ~np.isnan(numbers)
        layout, row_of = self._inventory.take(there, sampled_at_us)
        if layout is not self._layout:
            self._use(layout)
        raw = np.full(len(layout.points), np.nan)
        used = there & (row_of >= 0)
        if self._manners.adds_up:
            self._add_up(raw, numbers, used, row_of)
            if not is_whole:  # a sum that lacks a part is none
                raw[row_of[~there & (row_of >= 0)]] = np.nan
        else:
            raw[row_of[used]] = numbers[used]
        poll = self._judged(raw, _rows(conflicts, row_of), sampled_at_us, why_none)
        self._inventory.give_up(sampled_at_us)
        return poll

    def _use(self, layout: Layout) -> None:
        """Start on a new layout; its counters have no past."""
        self._layout = layout
        self._judge = Judge(layout.points, self._interval_s)
        self._raw = np.full(len(layout.points), np.nan)

    def _add_up(self, raw: Floats, numbers: Floats, used: Mask, row_of: Rows) -> None:
        """Add up the series of each row that go by the foremost name there is.

        A server prints old and new names beside each other for a while: they count once.
        """
        names = [
            -1 if s is None else self._points[s.key.point].names.index(s.name)
            for s in self._series.series
        ]
        place = np.array(names, np.intp)
        for later in sorted(set(names) - {-1}, reverse=True):
            chosen = used & (place == later)
            raw[row_of[chosen]] = 0.0
            np.add.at(raw, row_of[chosen], numbers[chosen])

    def _judged(
        self, raw: Floats, conflicting: Rows, sampled_at_us: int, why_none: Callable[[Key], str]
    ) -> Poll:
        layout = self._layout
        repeated = self._manners.samples_by_itself and np.array_equal(
            raw, self._raw, equal_nan=True
        )
        self._raw = raw
        blank = layout.unavailable(raw)
        missing = blank.copy()
        missing[conflicting] = True
        value = layout.convert(raw)
        quality = self._judge.judge(value, missing, sampled_at_us, repeated=repeated)
        reasons = self._missing(np.isnan(raw), why_none)
        reasons |= {row: f"blank: {raw[row]:.17g}" for row in np.flatnonzero(blank).tolist()}
        reasons |= dict.fromkeys(conflicting.tolist(), "printed twice with different numbers")
        failures = tuple(PointFailure(row, reason) for row, reason in reasons.items())
        return Poll(layout.table, sampled_at_us, value, quality, failures)

    def _missing(self, has_none: Mask, why_none: Callable[[Key], str]) -> dict[int, str]:
        """Why rows have no number; expected parts come first, as the ledger names one row."""
        if not has_none.any():
            return {}
        keys, expected = tuple(self._layout.rows), self._expected
        here = {expected.part_of(keys[row]) for row in np.flatnonzero(~has_none).tolist()} - {""}
        absent = expected.absent(keys, here)
        gone: dict[int, str] = {}
        others: dict[int, str] = {}
        for row in np.flatnonzero(has_none).tolist():
            why, part = why_none(keys[row]), expected.part_of(keys[row])
            if part in absent:
                gone[row] = f"{len(absent)} of {expected.count} GPUs missing, {part}: {why}"
            else:
                others[row] = why
        return gone | others


def _rows(series: Sequence[int], row_of: npt.NDArray[np.intp]) -> Rows:
    """The rows of some series, without those that have none."""
    rows = np.unique(row_of[list(series)]) if series else np.empty(0, np.intp)
    return rows[rows >= 0]
