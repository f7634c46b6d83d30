"""What the engine watches: rules resolved against a site, as columns.

A watch is one rule on one part of one device: one alert. `alerts.selection` makes the watches, the
engine reads nothing else of the rules. All times are microseconds, all values in the catalogue's
units.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

import numpy as np
import numpy.typing as npt

from facility.alert import alert_id

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

SeriesKey = tuple[str, str, str]
"""(device, component, quantity)."""
POLLED = "polled_points_ratio"
"""A quantity the engine makes of each poll: points that were good over points expected, of the
device as a whole. `no_data` of a device watches it: a poll that gave nothing is no sample."""
ANSWERED = "query_answered"
"""A quantity the engine makes of each run of a rule's query: (device, rule name, this)."""
NO_ROW = -np.inf
"""The value of ANSWERED where a query by rows gave none for the device: it clears."""
ANY_ROW = -float(np.finfo(np.float64).max)
"""What to put as `fire` and `clear` where any row of the query is a breach."""

MOST_CODE = 254
"""The largest value that `codes` can name."""


class Measure(IntEnum):
    """How a watch's value comes from its inputs."""

    LATEST = 0
    """The one input's value: thresholds, and queries."""
    RATE = 1
    """Its change over the window, brought to the length of the window."""
    MAX_MIN = 2
    """(largest - smallest) / mean of the inputs."""
    NEMA = 3
    """Largest deviation from the mean / mean: NEMA MG 1, 14.36."""
    SUM = 4
    """Sum of the inputs: what one feed carries when it alone is left."""
    SILENCE = 5
    """Seconds since the last good sample; breached when it is beyond `stale_after_us`, never
    without data."""
    FROZEN = 6
    """Seconds for which fresh samples have shown one value; breached beyond the window."""
    COUNT = 7
    """Events of the inputs within the window; an event is a value above 0 that differs from the
    one before, so a counter's step or a new code."""


@dataclass(frozen=True, slots=True)
class Suppressor:
    """Where a rule has to be active for it to explain an alert."""

    rule: str
    at: Literal["device", "upstream"]
    """The same device, or any that feeds it, however far up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFacts:
    """What all watches of a rule share."""

    name: str
    priority: int
    class_: str
    message: str
    """Template; see `alerts.message`."""
    response: str = ""
    owner: str = ""
    suppressed_by: tuple[Suppressor, ...] = ()
    query: str = ""
    """SQL that gives rows of `device` and `value`; empty: the rule is decided on readings."""
    every_us: int = 0
    query_limit_s: float = 60.0
    by_rows: bool = True
    """Of a query: any row is a breach, and no row says that all is well. Otherwise rows have
    values, and no row says nothing."""
    is_announced: bool = True
    """False: it only suppresses others, and no transition of it leaves the engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One rule on one part of one device."""

    rule: str
    device: str
    component: str
    quantity: str
    place: str = ""
    """Hall, row and rack, for the message."""
    measure: Measure
    inputs: tuple[SeriesKey, ...]
    fire: float
    """Breached above it (below it, where `below`)."""
    clear: float
    """Cleared at or beyond it on the other side; between the two nothing changes."""
    below: bool = False
    relative_to: SeriesKey | None = None
    """A reading that `fire` and `clear` are multiples of; None: they are absolute."""
    is_added: bool = False
    """That reading is added to `fire` and `clear` instead."""
    mask: int = 0
    """Of an input only these bits count, as in a word of flags; 0: all of it."""
    codes: tuple[int, ...] = ()
    """Of an input only these values count, 1 to MOST_CODE, any other as 0; empty: all."""
    window_us: int = 0
    on_delay_us: int = 0
    off_delay_us: int = 0
    stale_after_us: int
    latch: bool = False
    urgent: bool = False
    """It does not wait for what may explain it: it fires first, and is suppressed afterwards."""


@dataclass(frozen=True, slots=True, eq=False)
class WatchTable:
    """All watches as columns, and the series they need; numbers are places in these columns."""

    rules: tuple[RuleFacts, ...]
    series: tuple[SeriesKey, ...]
    rule: Numbers
    device: tuple[str, ...]
    component: tuple[str, ...]
    quantity: tuple[str, ...]
    place: tuple[str, ...]
    alert: tuple[str, ...]
    """Stable ids."""
    measure: npt.NDArray[np.uint8]
    input_start: Integers
    """Inputs of watch w: `inputs[input_start[w]:input_start[w + 1]]`; length watches + 1."""
    inputs: Numbers
    relative_to: Numbers
    """Series, or -1."""
    is_added: Flags
    mask: Integers
    code_set: Numbers
    """Row of `code_sets`, or -1."""
    code_sets: Flags
    """Row by row, by code from 0 to beyond MOST_CODE: whether it counts."""
    fire: Floats
    clear: Floats
    below: Flags
    window_us: Integers
    on_delay_us: Integers
    off_delay_us: Integers
    stale_after_us: Integers
    latch: Flags
    urgent: Flags

    def __len__(self) -> int:
        return len(self.device)


def build_table(rules: Sequence[RuleFacts], watches: Iterable[Watch]) -> WatchTable:
    """Lay watches out as columns.

    Raises:
        ValueError: two watches are the same alert.
    """
    rows = list(watches)
    number_of_rule = {rule.name: number for number, rule in enumerate(rules)}
    number_of: dict[SeriesKey, int] = {}
    inputs = [number_of.setdefault(key, len(number_of)) for row in rows for key in row.inputs]
    relative_to = [_numbered(row.relative_to, number_of) for row in rows]
    numbers_of_codes: dict[tuple[int, ...], int] = {}
    code_set = [
        numbers_of_codes.setdefault(row.codes, len(numbers_of_codes)) if row.codes else -1
        for row in rows
    ]
    alerts = tuple(alert_id(row.rule, row.device, row.component) for row in rows)
    _refuse_twins(alerts, rows)
    return WatchTable(
        rules=tuple(rules),
        series=tuple(number_of),
        rule=np.array([number_of_rule[row.rule] for row in rows], np.int32),
        device=tuple(row.device for row in rows),
        component=tuple(row.component for row in rows),
        quantity=tuple(row.quantity for row in rows),
        place=tuple(row.place for row in rows),
        alert=alerts,
        measure=np.array([row.measure for row in rows], np.uint8),
        input_start=np.cumsum([0, *(len(row.inputs) for row in rows)], dtype=np.int64),
        inputs=np.array(inputs, np.int32),
        relative_to=np.array(relative_to, np.int32),
        is_added=np.array([row.is_added for row in rows], np.bool_),
        mask=np.array([row.mask for row in rows], np.int64),
        code_set=np.array(code_set, np.int32),
        code_sets=_code_sets(numbers_of_codes),
        fire=np.array([row.fire for row in rows], np.float64),
        clear=np.array([row.clear for row in rows], np.float64),
        below=np.array([row.below for row in rows], np.bool_),
        window_us=np.array([row.window_us for row in rows], np.int64),
        on_delay_us=np.array([row.on_delay_us for row in rows], np.int64),
        off_delay_us=np.array([row.off_delay_us for row in rows], np.int64),
        stale_after_us=np.array([row.stale_after_us for row in rows], np.int64),
        latch=np.array([row.latch for row in rows], np.bool_),
        urgent=np.array([row.urgent for row in rows], np.bool_),
    )


def _numbered(key: SeriesKey | None, number_of: dict[SeriesKey, int]) -> int:
    return -1 if key is None else number_of.setdefault(key, len(number_of))


def _code_sets(sets: Iterable[tuple[int, ...]]) -> Flags:
    rows = [np.isin(np.arange(MOST_CODE + 2), codes) for codes in sets]
    return np.array(rows, np.bool_).reshape(-1, MOST_CODE + 2)


def _refuse_twins(alerts: Sequence[str], rows: Sequence[Watch]) -> None:
    first: dict[str, Watch] = {}
    for alert, row in zip(alerts, rows, strict=True):
        if (other := first.setdefault(alert, row)) is not row:
            raise ValueError(
                f"rule {row.rule} watches {row.component or 'the whole'} of {row.device} twice:"
                f" {other.quantity} and {row.quantity}"
            )
