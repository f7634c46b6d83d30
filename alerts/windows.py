"""Short windows of the past, in arrays of fixed size: of rates, of frozen values, of events."""

from __future__ import annotations

import numpy as np

from alerts.standing import LONG_AGO
from alerts.watch import Flags, Floats, Integers

PIECES = 16
"""Into which a window is cut; what falls into one piece is kept as one."""
LEAST_COVERED = 0.8
"""Share of the window that two samples must span for a rate to be told."""


class Rates:
    """The change of each row's value over its window, from PIECES + 1 samples kept of it."""

    def __init__(self, window_us: Integers) -> None:
        self._window_us = window_us
        shape = (len(window_us), PIECES + 1)
        self._at = np.full(shape, LONG_AGO, np.int64)
        self._value = np.zeros(shape)
        self._newest = np.zeros(len(window_us), np.int64)

    def take(self, rows: Integers, at: Integers, value: Floats) -> Floats:
        """Add samples, and give the change since about a window ago, NaN where that is unknown.

        The change is brought to the length of the window. Each row once; times in order.
        """
        window = self._window_us[rows]
        kept_at = self._at[rows]
        kept = np.where((at[:, None] - kept_at) <= window[:, None], kept_at, at[:, None])
        oldest = kept.argmin(axis=1)
        place = np.arange(len(rows))
        span = at - kept[place, oldest]
        with np.errstate(invalid="ignore", divide="ignore"):
            change = (value - self._value[rows, oldest]) / span * window
        self._keep(rows, at, value)
        return np.where(span >= LEAST_COVERED * window, change, np.nan)

    def _keep(self, rows: Integers, at: Integers, value: Floats) -> None:
        newest = self._newest[rows]
        due = at - self._at[rows, newest] >= self._window_us[rows] // PIECES
        rows, place = rows[due], (newest[due] + 1) % (PIECES + 1)
        self._newest[rows] = place
        self._at[rows, place] = at[due]
        self._value[rows, place] = value[due]


class Frozen:
    """For how many seconds fresh samples of each row have shown one value."""

    def __init__(self, count: int) -> None:
        self._value = np.full(count, np.nan)
        self._changed_at = np.zeros(count, np.int64)

    def take(self, rows: Integers, at: Integers, value: Floats) -> Floats:
        """Add samples; each row once, times in order."""
        changed = value != self._value[rows]
        self._value[rows] = value
        self._changed_at[rows] = np.where(changed, at, self._changed_at[rows])
        return (at - self._changed_at[rows]) / 1e6


class Counts:
    """How many events each row had within its window."""

    def __init__(self, window_us: Integers) -> None:
        self._piece_us = np.maximum(1, window_us // PIECES)
        self._piece = np.full((len(window_us), PIECES + 1), -1, np.int64)
        self._count = np.zeros((len(window_us), PIECES + 1))

    def take(self, rows: Integers, at: Integers, events: Flags) -> Floats:
        """Add samples, some of which are events, and give the counts; a row may come repeatedly."""
        piece = at // self._piece_us[rows]
        place = piece % (PIECES + 1)
        outdated = self._piece[rows, place] < piece
        self._count[rows[outdated], place[outdated]] = 0
        self._piece[rows[outdated], place[outdated]] = piece[outdated]
        counted = events & (self._piece[rows, place] == piece)
        np.add.at(self._count, (rows[counted], place[counted]), 1.0)
        return self.counts(rows, at)

    def counts(self, rows: Integers, at: Integers) -> Floats:
        """Give the counts of rows as of a time each."""
        piece = (at // self._piece_us[rows])[:, None]
        within = (self._piece[rows] > piece - PIECES - 1) & (self._piece[rows] <= piece)
        return np.asarray(np.where(within, self._count[rows], 0.0).sum(axis=1), np.float64)
