"""What travels: a message on its way out, the same on its way in, and what it held."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

Headers = tuple[tuple[str, bytes], ...]
"""Kafka's own shape: names may repeat, values are bytes."""

SCHEMA = "schema"
COLLECTOR = "collector"
SEQ = "seq"
ROWS = "rows"
OUTBOX = "outbox"
TOPIC_ID = "topic_id"
"""Names of the headers; docs/stream.md says what each holds."""


@dataclass(frozen=True, slots=True)
class Message:
    """One record batch, ready to be sent; its key keeps a collector's messages in order."""

    topic: str
    key: bytes
    headers: Headers
    value: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a message held."""

    topic: str
    """The topic its schema belongs to."""
    collector: str
    seq: int
    outbox: str
    """Id of the outbox that numbered it: another id, another numbering. Empty: not given."""
    batch: pa.RecordBatch


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition of one topic, as it was created: a topic made anew has another `topic_id`."""

    topic: str
    topic_id: str
    number: int


@dataclass(frozen=True, slots=True)
class Received:
    """A message as the broker gave it."""

    partition: Partition
    offset: int
    timestamp_ms: int
    """When it was produced: milliseconds since 1970, UTC."""
    key: bytes | None
    headers: Headers
    value: bytes
