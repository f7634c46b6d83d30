"""The Arrow schemas of everything that travels: readings and polls.

A reading is one row from the poll to the last query. A poll is one scheduled attempt to read one
device; the polls are the raw side of the loss ledger.
"""

from __future__ import annotations

from enum import StrEnum

import pyarrow as pa

TIMESTAMP = pa.timestamp("us", tz="UTC")
NAME = pa.dictionary(pa.int32(), pa.string())

READINGS = pa.schema(
    [
        pa.field("ts", TIMESTAMP, nullable=False),
        pa.field("device", NAME, nullable=False),
        pa.field("component", NAME, nullable=False),
        pa.field("quantity", NAME, nullable=False),
        pa.field("value", pa.float64()),
        pa.field("quality", pa.uint8(), nullable=False),
    ]
)
"""`ts` is the response's arrival, or the device's own time where it gives one."""

POLLS = pa.schema(
    [
        pa.field("scheduled_at", TIMESTAMP, nullable=False),
        pa.field("device", NAME, nullable=False),
        pa.field("outcome", NAME, nullable=False),
        pa.field("points_expected", pa.uint32(), nullable=False),
        pa.field("points_good", pa.uint32(), nullable=False),
        pa.field("latency_s", pa.float64()),
        pa.field("error", pa.string()),
    ]
)
"""(`device`, `scheduled_at`) identifies a poll; `latency_s` is null where nothing was asked."""


class Outcome(StrEnum):
    """How a scheduled poll ended, as its collector saw it."""

    READ = "read"
    """Every expected point answered."""
    PARTIAL = "partial"
    """Some points answered; the rest are stored as `bad`."""
    FAILED = "failed"
    """The device gave nothing; `error` says why, its kind first."""
    DROPPED = "dropped"
    """Never asked (overrun, back-off, shutdown) or lost to a full outbox; `error` says which."""


TOPICS = {"readings": "busway.readings", "polls": "busway.polls"}
DEAD_LETTER_TOPIC = "busway.deadletter"
SCHEMAS = {TOPICS["readings"]: READINGS, TOPICS["polls"]: POLLS}
