"""From numbers, series by series, to the polls of one node."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from collectors.conversion import Floats, Mask
from collectors.dcgm.expected import Expected
from collectors.dcgm.fields import Key
from collectors.dcgm.inventory import Inventory, Numbering
from collectors.dcgm.layout import Layout, Rows
from collectors.profile import DcgmSection
from collectors.quality import Judge
from collectors.source import PointFailure, Poll
from facility.site import Device


class Polls:
    """Rows come with the series that have a number, and give a new PointTable.

    Neither way of reading GPUs stamps times: when all numbers are those of the reading before,
    nothing was sampled in between, and the readings are stale.

    Args:
        device: whom the numbers are of, how often it is read, and the GPUs it must have.
        section: the fields.
        series: what the numbers are of.
    """

    def __init__(self, device: Device, section: DcgmSection, series: Numbering) -> None:
        self._interval_s = device.interval_seconds
        self._expected = Expected(device.gpus, section.points)
        self._inventory = Inventory(device.id, section, series, self._expected)
        self.points_expected = self._expected.rows
        self._use(self._inventory.layout)

    def poll(
        self,
        numbers: Floats,
        sampled_at_us: int,
        *,
        why_none: Callable[[Key], str],
        conflicts: Sequence[int] = (),
    ) -> Poll:
        """One poll.

        Args:
            numbers: by series; NaN where it has none.
            sampled_at_us: when they were read, in microseconds since 1970, UTC.
            why_none: why a row got no number.
            conflicts: series that got several.

        Raises:
            DeviceGarbled: there are too many rows.
        """
        there = ~np.isnan(numbers)
        layout, row_of = self._inventory.take(there, sampled_at_us)
        if layout is not self._layout:
            self._use(layout)
        raw = np.full(len(layout.points), np.nan)
        used = there & (row_of >= 0)
        # Several series of one row say the same, as MIG instances do of their GPU's power.
        raw[row_of[used]] = numbers[used]
        poll = self._judged(raw, _rows(conflicts, row_of), sampled_at_us, why_none)
        self._inventory.give_up(sampled_at_us)
        return poll

    def _use(self, layout: Layout) -> None:
        """Start on a new layout; its counters have no past."""
        self._layout = layout
        self._judge = Judge(layout.points, self._interval_s)
        self._raw = np.full(len(layout.points), np.nan)

    def _judged(
        self, raw: Floats, conflicting: Rows, sampled_at_us: int, why_none: Callable[[Key], str]
    ) -> Poll:
        layout = self._layout
        repeated = np.array_equal(raw, self._raw, equal_nan=True)
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
        """Why rows have no number; those of an expected GPU come first, as the ledger names one."""
        if not has_none.any():
            return {}
        keys, expected = tuple(self._layout.rows), self._expected
        here = {expected.gpu_of(keys[row]) for row in np.flatnonzero(~has_none).tolist()} - {""}
        absent = expected.absent(keys, here)
        gone: dict[int, str] = {}
        others: dict[int, str] = {}
        for row in np.flatnonzero(has_none).tolist():
            why, gpu = why_none(keys[row]), expected.gpu_of(keys[row])
            if gpu in absent:
                gone[row] = f"{len(absent)} of {expected.count} GPUs missing, {gpu}: {why}"
            else:
                others[row] = why
        return gone | others


def _rows(series: Sequence[int], row_of: npt.NDArray[np.intp]) -> Rows:
    """The rows of some series, without those that have none."""
    rows = np.unique(row_of[list(series)]) if series else np.empty(0, np.intp)
    return rows[rows >= 0]
