"""From one table of watches to another while the engine runs: what is in both goes on as it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from alerts.standing import Standing
from alerts.watch import Flags, Integers


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """Rows of old columns, and the rows of the new ones that hold the same things."""

    old: Integers
    new: Integers

    def among(self, rows: Flags) -> Moves:
        """Give those whose old row is among some."""
        return Moves(self.old[rows[self.old]], self.new[rows[self.old]])

    def renumbered(self, old: Integers, new: Integers) -> Moves:
        """Give the same moves in columns that have other rows: those `old` and `new` lead to."""
        return Moves(old[self.old], new[self.new])


def moves(old: Sequence[object], new: Sequence[object]) -> Moves:
    """Find what is in both, by name."""
    place = {name: number for number, name in enumerate(old)}
    pairs = [(place[name], number) for number, name in enumerate(new) if name in place]
    columns = np.array(pairs, np.int64).reshape(-1, 2)
    return Moves(columns[:, 0], columns[:, 1])


def adopt_standing(old: Standing, new: Standing, watches: Moves) -> None:
    """Let the alerts that are in both stand as they stood."""
    for field in fields(Standing):
        getattr(new, field.name)[watches.new] = getattr(old, field.name)[watches.old]


def adopt_columns(old: object, new: object, rows: Moves) -> None:
    """Copy rows between two objects of one class, in all of their columns."""
    for name, column in vars(old).items():
        if isinstance(column, np.ndarray):
            getattr(new, name)[rows.new] = column[rows.old]
