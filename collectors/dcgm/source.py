"""The GPUs of a node as a source of polls."""

from __future__ import annotations

import time
from typing import Protocol

import numpy as np
import numpy.typing as npt

from collectors.conversion import Floats
from collectors.dcgm.exposition import Exposition, Scrape
from collectors.dcgm.fields import Fields
from collectors.dcgm.inventory import Inventory
from collectors.dcgm.layout import Layout, Rows
from collectors.faults import Faults
from collectors.profile import DcgmSection
from collectors.quality import Judge
from collectors.source import PointFailure, Poll
from facility.errors import DeviceGarbled, DeviceRefused
from facility.site import Device

MOST_LINES = 50_000


class Text(Protocol):
    """Where an exporter's text comes from."""

    async def get(self) -> bytes:
        """The text as it is now. Raises DeviceError."""

    async def close(self) -> None:
        """Let go of the connection."""


class DcgmSource:
    """Rows come with the series that the exporter prints, and give a new PointTable.

    The exporter stamps no times: when all numbers are those of the text before, it has not sampled
    in between, and the readings are stale.

    Args:
        device: whom to read, and how often.
        section: the fields.
        text: the exporter.
    """

    def __init__(self, device: Device, section: DcgmSection, text: Text) -> None:
        self.device = device.id
        self._interval_s = device.interval_seconds
        self._text = text
        self._faults = Faults(device.id)
        self.points_expected = len(section.points)
        self._exposition = Exposition(Fields(section.points).recognise)
        self._inventory = Inventory(device.id, section, self._exposition)
        self._use(self._inventory.layout)

    async def read(self) -> Poll:
        """Scrape once. See `collectors.source.Source`."""
        text = await self._text.get()
        sampled_at_us = time.time_ns() // 1000
        if (lines := text.count(b"\n")) > MOST_LINES:
            raise DeviceGarbled(f"{lines} lines; expected at most {MOST_LINES}")
        scrape = self._exposition.read(text)
        self._count(scrape)
        by_series = np.array(scrape.values)
        printed = ~np.isnan(by_series)
        if not printed.any():
            raise DeviceRefused(f"none of its {lines} lines gives a field of the profile")
        layout, row_of = self._inventory.take(printed, sampled_at_us)
        if layout is not self._layout:
            self._use(layout)
        raw = np.full(len(layout.points), np.nan)
        used = printed & (row_of >= 0)
        # Several series of one row say the same, as MIG instances do of their GPU's power.
        raw[row_of[used]] = by_series[used]
        poll = self._poll(raw, _rows(scrape.conflicts, row_of), sampled_at_us)
        self._inventory.give_up(sampled_at_us)
        return poll

    async def close(self) -> None:
        """Let go of the exporter."""
        await self._text.close()
        self._faults.forget()

    def _use(self, layout: Layout) -> None:
        """Start on a new layout; its counters have no past."""
        self._layout = layout
        self._judge = Judge(layout.points, self._interval_s)
        self._raw = np.full(len(layout.points), np.nan)

    def _poll(self, raw: Floats, conflicting: Rows, sampled_at_us: int) -> Poll:
        layout = self._layout
        repeated = np.array_equal(raw, self._raw, equal_nan=True)
        self._raw = raw
        blank = layout.unavailable(raw)
        missing = blank.copy()
        missing[conflicting] = True
        value = layout.convert(raw)
        quality = self._judge.judge(value, missing, sampled_at_us, repeated=repeated)
        reasons = dict.fromkeys(np.flatnonzero(np.isnan(raw)).tolist(), "not printed")
        reasons |= {row: f"blank: {raw[row]:.17g}" for row in np.flatnonzero(blank).tolist()}
        reasons |= dict.fromkeys(conflicting.tolist(), "printed twice with different numbers")
        failures = tuple(PointFailure(row, reason) for row, reason in sorted(reasons.items()))
        return Poll(layout.table, sampled_at_us, value, quality, failures)

    def _count(self, scrape: Scrape) -> None:
        self._faults.count("malformed", scrape.malformed)
        self._faults.count("conflicting", len(scrape.conflicts))
        self._faults.count("broken off", int(scrape.broke_off))


def _rows(series: list[int], row_of: npt.NDArray[np.intp]) -> Rows:
    """The rows of some series, without those that have none."""
    rows = np.unique(row_of[series]) if series else np.empty(0, np.intp)
    return rows[rows >= 0]
