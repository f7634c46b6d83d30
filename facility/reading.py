"""The Arrow schemas of everything that travels: readings, polls and transitions of alerts.

A reading is one row from the poll to the last query. A poll is one scheduled attempt to read one
device; the polls are the raw side of the loss ledger. What the columns of an alert's transition
say stands in `facility.alert`.
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

ALERTS = pa.schema(
    [
        pa.field("happened_at", TIMESTAMP, nullable=False),
        pa.field("decided_at", TIMESTAMP, nullable=False),
        pa.field("alert", NAME, nullable=False),
        pa.field("number", pa.int64(), nullable=False),
        pa.field("rule", pa.string(), nullable=False),
        pa.field("device", pa.string(), nullable=False),
        pa.field("component", pa.string(), nullable=False),
        pa.field("quantity", pa.string(), nullable=False),
        pa.field("priority", pa.uint8(), nullable=False),
        pa.field("class", pa.string(), nullable=False),
        pa.field("state", pa.string(), nullable=False),
        pa.field("previous", pa.string(), nullable=False),
        pa.field("value", pa.float64()),
        pa.field("threshold", pa.float64()),
        pa.field("message", pa.string(), nullable=False),
        pa.field("response", pa.string(), nullable=False),
        pa.field("owner", pa.string(), nullable=False),
        pa.field("cause", pa.string()),
        pa.field("actor", pa.string(), nullable=False),
        pa.field("until_at", TIMESTAMP),
    ]
)
"""One message holds one row, so only the name that the lake sorts by is dictionary-encoded."""


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


TOPICS = {"readings": "busway.readings", "polls": "busway.polls", "alerts": "busway.alerts"}
DEAD_LETTER_TOPIC = "busway.deadletter"
SCHEMAS = {TOPICS["readings"]: READINGS, TOPICS["polls"]: POLLS, TOPICS["alerts"]: ALERTS}
KEY_COLUMNS = {TOPICS["alerts"]: "alert"}
"""Topics that keep the last message of each key: the column that gives it; all rows have one."""
