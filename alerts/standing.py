"""How every alert stands, in columns: the state machine's memory, and what is seen of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from alerts.watch import Flags, Floats, Integers
from facility.alert import State

NEVER = 2**62
"""A time that does not come; far enough from the largest integer to add a delay to."""
LONG_AGO = -NEVER
STATES = tuple(State)
CODES = {state: np.uint8(code) for code, state in enumerate(STATES)}
"""States as they stand in columns."""

Column = TypeVar("Column", bound=npt.NDArray[np.generic])
Chosen = npt.NDArray[np.intp]
"""Numbers of watches, each once."""


class Core(IntEnum):
    """What the condition and its delays say, whoever wants to hear of it."""

    NORMAL = 0
    ACTIVE = 1
    RETURNED = 2
    """Normal again, and nobody has acknowledged that it was ever active."""


@dataclass(slots=True, eq=False)
class Standing:
    """One row a watch. Times are event time in microseconds."""

    core: npt.NDArray[np.uint8]
    acknowledged: Flags
    announced: Flags
    """It has been shown as firing since it became active."""
    over: Flags
    """Latched: active, though the condition has cleared."""
    fresh: Flags
    seen_at: Integers
    """Of the newest sample; one that is not newer changes nothing."""
    fresh_until: Integers
    breached_at: Integers
    """Since when the condition has held without pause; NEVER: it does not."""
    cleared_at: Integers
    """Since when it has been clear without pause; NEVER: it is not."""
    onset: Integers
    """When the breach began that made it active."""
    shelved_until: Integers
    out_of_service: Flags
    suppressed: Flags
    value: Floats
    threshold: Floats
    shown: npt.NDArray[np.uint8]
    """The state of its last transition."""
    number: Integers
    """Of its last transition."""

    def __len__(self) -> int:
        return len(self.core)


def begin(count: int) -> Standing:
    """Make the memory of `count` watches of which nothing is known yet."""

    def flags() -> Flags:
        return np.zeros(count, np.bool_)

    def times(first: int) -> Integers:
        return np.full(count, first, np.int64)

    return Standing(
        core=np.zeros(count, np.uint8),
        acknowledged=flags(),
        announced=flags(),
        over=flags(),
        fresh=flags(),
        seen_at=times(LONG_AGO),
        fresh_until=times(LONG_AGO),
        breached_at=times(NEVER),
        cleared_at=times(NEVER),
        onset=times(NEVER),
        shelved_until=times(LONG_AGO),
        out_of_service=flags(),
        suppressed=flags(),
        value=np.full(count, np.nan),
        threshold=np.full(count, np.nan),
        shown=np.full(count, CODES[State.NORMAL]),
        number=np.zeros(count, np.int64),
    )


def visible(standing: Standing, chosen: Chosen) -> npt.NDArray[np.uint8]:
    """Give the state that people see of each chosen watch, as a code.

    Pending is not among them, nor is no_data of an alert that is not active: neither asks for
    anything, and both come and go too often.
    """
    core = standing.core[chosen]
    active = core == Core.ACTIVE
    silent = ~standing.fresh[chosen] & ~standing.over[chosen]
    return np.select(
        [
            standing.out_of_service[chosen],
            standing.shelved_until[chosen] > LONG_AGO,
            active & standing.suppressed[chosen],
            active & silent,
            active & standing.acknowledged[chosen],
            active,
            core == Core.RETURNED,
        ],
        [
            CODES[State.OUT_OF_SERVICE],
            CODES[State.SHELVED],
            CODES[State.SUPPRESSED],
            CODES[State.NO_DATA],
            CODES[State.ACKNOWLEDGED],
            CODES[State.FIRING],
            CODES[State.RETURNED],
        ],
        CODES[State.NORMAL],
    )
