"""Whether a whole device repeats itself: a hung gateway or firmware that answers from its cache."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

FROZEN_AFTER_POLLS = 30
MEMORY_POLLS = 64
USUALLY = 0.8


class FrozenDevice:
    """Learns which rows usually move, and calls the device frozen when none of its rows does.

    One row that stands still proves nothing (a set-point, an idle pump, a coarse register); a
    device whose noisy rows all stop at the same moment, for FROZEN_AFTER_POLLS polls, is frozen. A
    device without a row that moves in more than USUALLY of its polls is never called frozen.
    """

    def __init__(self, rows: int) -> None:
        self._last = np.full(rows, np.nan)
        self._share_moving = np.zeros(rows)
        self._usually_moves = False
        self._still_polls = 0

    def seen(self, values: Floats, *, repeated: bool) -> bool:
        """Take in a poll's values; True while the device is frozen.

        Polls that the driver knows to be repeats, or that hold no value at all, teach nothing. A
        row that is missing (NaN) counts as standing still.
        """
        nothing = np.isnan(values)
        if repeated or nothing.all():
            return False
        moved = values != self._last
        moved &= ~(nothing | np.isnan(self._last))
        self._last = values.copy()
        if moved.any():
            self._still_polls = 0
            self._learn(moved)
            self._usually_moves = bool(self._share_moving.max() > USUALLY)
            return False
        self._still_polls += 1
        if self._still_polls < FROZEN_AFTER_POLLS:
            self._learn(moved)
            return False
        return self._usually_moves

    def _learn(self, moved: npt.NDArray[np.bool_]) -> None:
        self._share_moving += (moved - self._share_moving) / MEMORY_POLLS
