"""Whether a whole device repeats itself: a hung gateway or firmware that answers from its cache."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

FROZEN_AFTER_POLLS = 30
MEMORY_POLLS = 64
USUALLY = 0.8
NOTED_POLLS = 16
"""Polls that moved are noted, and learned from so many at a time."""

_KEPT = 1 - 1 / MEMORY_POLLS
_WEIGHTS = _KEPT ** np.arange(NOTED_POLLS)[::-1] / MEMORY_POLLS
"""What each of the noted polls adds to a share, the latest last."""


class FrozenDevice:
    """Learns which rows usually move, and calls the device frozen when none of its rows does.

    One row that stands still proves nothing (a set-point, an idle pump, a coarse register); a
    device whose noisy rows all stop at the same moment, for FROZEN_AFTER_POLLS polls, is frozen. A
    device without a row that moves in more than USUALLY of its polls is never called frozen.
    """

    def __init__(self, rows: int) -> None:
        self._last = np.full(rows, np.nan)
        self._share_moving = np.zeros(rows)
        self._moves = np.zeros((NOTED_POLLS, rows), np.bool_)
        self._noted = 0
        self._usually_moves = False
        self._still_polls = 0

    def seen(self, values: Floats, *, repeated: bool) -> bool:
        """Take in a poll's values; True while the device is frozen.

        Polls that the driver knows to be repeats, or that hold no value at all, teach nothing. A
        row that is missing (NaN) counts as standing still.
        """
        if repeated:
            return False
        moved = self._moves[self._noted]
        np.less(values, self._last, out=moved)
        moved |= values > self._last
        if np.count_nonzero(moved):
            self._last[:] = values
            self._still_polls = 0
            self._noted += 1
            if self._noted == NOTED_POLLS:
                self._learn()
            return False
        if np.isnan(values).all():
            return False
        self._last[:] = values
        return self._stands_still()

    def _stands_still(self) -> bool:
        """One more poll in which nothing moved."""
        if not self._still_polls:
            self._learn()
            self._usually_moves = bool(self._share_moving.max() > USUALLY)
        self._still_polls += 1
        if self._still_polls < FROZEN_AFTER_POLLS:
            self._share_moving *= _KEPT
            return False
        return self._usually_moves

    def _learn(self) -> None:
        """Bring each row's share of moving polls, an exponential mean, up to date."""
        noted, self._noted = self._noted, 0
        self._share_moving *= _KEPT**noted
        self._share_moving += _WEIGHTS[NOTED_POLLS - noted :] @ self._moves[:noted]
