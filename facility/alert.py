"""An alert: one rule on one part of one device, and each change of its state."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any

import pyarrow as pa

from facility.reading import ALERTS


class State(StrEnum):
    """How an alert stands, in the words of ISA-18.2 where it has one."""

    NORMAL = "normal"
    PENDING = "pending"
    """The condition holds, the on-delay has not passed; known to the engine alone."""
    FIRING = "firing"
    """Nobody has acknowledged it."""
    ACKNOWLEDGED = "acknowledged"
    """Somebody has, and the condition still holds (or the rule latches)."""
    RETURNED = "returned"
    """The condition has cleared, and nobody has acknowledged that it ever held."""
    SHELVED = "shelved"
    """Somebody wants to hear nothing of it for a time; it is evaluated all the same."""
    SUPPRESSED = "suppressed"
    """By design: it would fire, and `cause` explains why."""
    OUT_OF_SERVICE = "out_of_service"
    """The rule is off here until somebody puts it back."""
    NO_DATA = "no_data"
    """It was active and now there is no fresh sample: nothing is known, least of all that it is
    over."""


ACTIVE = frozenset({State.FIRING, State.ACKNOWLEDGED, State.NO_DATA})
"""Something is wrong, or was when it was last known; everything else counts as resolved or
silenced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One change of one alert's state: a row of ALERTS."""

    happened_at: datetime
    """Event time, UTC: of the sample, or of the clock tick that ended a delay."""
    decided_at: datetime
    """By the engine's clock."""
    alert: str
    """`alert_id` of the rule, device and component."""
    number: int
    """1, 2, 3 ... of this alert."""
    rule: str
    device: str
    component: str
    quantity: str
    priority: int
    """1 (act at once) to 4."""
    class_: str
    state: State
    previous: State
    value: float | None
    """In the unit of the quantity; None where there is none."""
    threshold: float | None
    message: str
    response: str
    """What to do."""
    owner: str
    cause: str | None = None
    """Alert id of the first-out that explains a suppressed one."""
    actor: str = ""
    """Who acknowledged or shelved; empty: the engine."""
    until_at: datetime | None = None
    """End of a shelving."""


_COLUMNS = [field.name for field in fields(Transition)]


def alert_id(rule: str, device: str, component: str) -> str:
    """Give the id by which an alert is known for ever: 16 hexadecimal digits."""
    return blake2b(f"{rule}\0{device}\0{component}".encode(), digest_size=8).hexdigest()


def to_batch(transition: Transition) -> pa.RecordBatch:
    """Give the one row that is sent."""
    row = {name.rstrip("_"): [getattr(transition, name)] for name in _COLUMNS}
    row["alert"] = pa.array(row["alert"]).dictionary_encode()
    return pa.RecordBatch.from_arrays(
        [
            column if isinstance(column, pa.Array) else pa.array(column, field.type)
            for field in ALERTS
            for column in [row[field.name]]
        ],
        schema=ALERTS,
    )


def from_batch(batch: pa.RecordBatch | pa.Table) -> list[Transition]:
    """Read rows of ALERTS, or of the lake's table `alerts`.

    Raises:
        ValueError: a state is none of ours.
    """
    return [_from_row(row) for row in batch.select(ALERTS.names).to_pylist()]


def _from_row(row: dict[str, Any]) -> Transition:
    row["class_"] = row.pop("class")
    row["state"], row["previous"] = State(row["state"]), State(row["previous"])
    return Transition(**row)
