"""A record batch as an Arrow IPC stream, and back.

The value of a message is self-describing: any Arrow library reads it with no registry.
"""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa

from facility.errors import MessageUndecodable, StreamError
from facility.reading import KEY_COLUMNS, NAME, SCHEMAS, TOPICS
from stream.message import COLLECTOR, OUTBOX, ROWS, SCHEMA, SEQ, Envelope, Headers, Message

VERSION = 1
"""Of both schemas; raised when a column is added, renamed or means something else."""
HEADROOM_BYTES = 2048
"""Kept free in every message for its key, its headers and those of its dead letter."""

PLAIN_BELOW_BYTES = 4096
"""Compression makes so small a batch larger, and takes fifty times as long."""

_OPTIONS = pa.ipc.IpcWriteOptions(compression="zstd")
_PLAIN = pa.ipc.IpcWriteOptions()
_KINDS = {topic: kind for kind, topic in TOPICS.items()}
_LARGEST_SEQ = 2**63 - 1


def encode(
    batch: pa.RecordBatch, *, topic: str, collector: str, seq: int, outbox: str = ""
) -> Message:
    """Make the message that carries `batch`.

    Raises:
        ValueError: the batch has not the schema that `topic` promises.
    """
    return seal(
        encode_value(batch, topic),
        topic=topic,
        schema=schema_of(topic),
        collector=collector,
        seq=seq,
        rows=len(batch),
        outbox=outbox,
    )


def schema_of(topic: str) -> str:
    """Give the `schema` header of what this Busway writes to a topic, such as `readings/1`."""
    return f"{_KINDS[topic]}/{VERSION}"


def encode_value(batch: pa.RecordBatch, topic: str) -> bytes:
    """Write `batch` as one Arrow IPC stream, zstd unless it is small.

    Raises:
        ValueError: the batch has not the schema that `topic` promises.
    """
    if not batch.schema.equals(SCHEMAS[topic]):
        raise ValueError(f"{topic} carries\n{SCHEMAS[topic]}\nnot\n{batch.schema}")
    sink = pa.BufferOutputStream()
    options = _PLAIN if batch.nbytes < PLAIN_BELOW_BYTES else _OPTIONS
    with pa.ipc.new_stream(sink, batch.schema, options=options) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


def encode_within(
    batch: pa.RecordBatch, topic: str, max_message_bytes: int
) -> list[tuple[int, bytes]]:
    """Write `batch` as (rows, value) pieces, each of which fits a message of `max_message_bytes`.

    Raises:
        ValueError: the batch has not the schema that `topic` promises.
        StreamError: a single row does not fit.
    """
    value = encode_value(batch, topic)
    limit = max_message_bytes - HEADROOM_BYTES
    if len(value) <= limit:
        return [(len(batch), value)]
    if len(batch) == 1:
        raise StreamError(
            f"one row of {topic} takes {len(value)} bytes; kafka.max_message_bytes leaves {limit}"
        )
    pieces = min(len(batch), 1 + 5 * len(value) // (4 * limit))
    rows = -(-len(batch) // pieces)
    return [
        piece
        for start in range(0, len(batch), rows)
        for piece in encode_within(_compact(batch.slice(start, rows)), topic, max_message_bytes)
    ]


def seal(
    value: bytes, *, topic: str, schema: str, collector: str, seq: int, rows: int, outbox: str
) -> Message:
    """Put an encoded value under its headers."""
    headers = {
        SCHEMA: schema,
        COLLECTOR: collector,
        SEQ: str(seq),
        ROWS: str(rows),
    }
    if outbox:
        headers[OUTBOX] = outbox
    return Message(
        topic=topic,
        key=_key(value, topic, collector),
        headers=tuple((name, text.encode()) for name, text in headers.items()),
        value=value,
    )


def decode(value: bytes, headers: Headers) -> Envelope:
    """Read a message back, trusting nothing in it.

    Raises:
        MessageUndecodable: saying what is missing, unknown, newer than this Busway, or broken.
    """
    topic = _topic(_text(headers, SCHEMA))
    envelope = Envelope(
        topic=topic,
        collector=_text(headers, COLLECTOR),
        seq=_number(headers, SEQ, least=1),
        outbox=_text(headers, OUTBOX) if any(name == OUTBOX for name, _ in headers) else "",
        batch=_conform(_read(value, SCHEMAS[topic].names), SCHEMAS[topic]),
    )
    rows = _number(headers, ROWS, least=0)
    if rows != len(envelope.batch):
        raise MessageUndecodable(f"header rows says {rows}, the value has {len(envelope.batch)}")
    return envelope


def _key(value: bytes, topic: str, collector: str) -> bytes:
    """Give the collector's name, or what the topic keeps the last message of."""
    if topic not in KEY_COLUMNS:
        return collector.encode()
    with pa.ipc.open_stream(value) as reader:
        return str(reader.read_next_batch()[KEY_COLUMNS[topic]][0].as_py()).encode()


def _compact(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Leave in each dictionary only the names that the slice uses: IPC writes all of them."""
    columns = [
        column.cast(pa.string()).dictionary_encode() if field.type == NAME else column
        for field, column in zip(batch.schema, batch.columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def _text(headers: Headers, name: str) -> str:
    values = [value for header, value in headers if header == name]
    if len(values) != 1:
        raise MessageUndecodable(f"header {name} is given {len(values)} times, not once")
    try:
        return values[0].decode()
    except UnicodeDecodeError:
        raise MessageUndecodable(f"header {name} is not UTF-8: {values[0][:50]!r}") from None


def _number(headers: Headers, name: str, *, least: int) -> int:
    text = _text(headers, name)
    if re.fullmatch(r"[0-9]{1,19}", text) and least <= int(text) <= _LARGEST_SEQ:
        return int(text)
    raise MessageUndecodable(f"header {name} is {text[:50]!r}, not a number from {least}")


def _topic(schema: str) -> str:
    match = re.fullmatch(r"([a-z_]{1,50})/([0-9]{1,9})", schema)
    if match is None or match[1] not in TOPICS:
        known = " or ".join(f"{kind}/{VERSION}" for kind in TOPICS)
        raise MessageUndecodable(f"header schema is {schema[:50]!r}, not {known}")
    if int(match[2]) > VERSION:
        raise MessageUndecodable(
            f"schema {schema} is of a newer Busway; this one reads up to {match[1]}/{VERSION}"
        )
    return TOPICS[match[1]]


def _read(value: bytes, names: list[str]) -> pa.RecordBatch:
    try:
        with pa.ipc.open_stream(value) as reader:
            if reader.schema.names != names:
                raise MessageUndecodable(f"columns are {reader.schema.names}, not {names}")
            batches = list(reader)
        for batch in batches:
            batch.validate(full=True)
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        raise MessageUndecodable(f"the value is no sound Arrow IPC stream: {error}") from error
    if len(batches) != 1:
        raise MessageUndecodable(f"the value holds {len(batches)} record batches, not one")
    return batches[0]


def _conform(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Accept any string encoding where a name is promised; everything else must be exact."""
    columns = []
    for field, column in zip(schema, batch.columns, strict=True):
        if field.type == NAME and column.type != NAME and _is_text(column.type):
            column = column.cast(pa.string()).dictionary_encode()  # noqa: PLW2901 - same column
        if column.type != field.type:
            raise MessageUndecodable(f"column {field.name} is {column.type}, not {field.type}")
        if not field.nullable and _null_count(column):
            raise MessageUndecodable(f"column {field.name} has {_null_count(column)} nulls")
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _is_text(kind: pa.DataType) -> bool:
    if isinstance(kind, pa.DictionaryType):
        kind = kind.value_type
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _null_count(column: pa.Array[Any]) -> int:
    """Count nulls, those of a dictionary's own values too."""
    if isinstance(column, pa.DictionaryArray) and column.dictionary.null_count:
        return int(column.cast(pa.string()).null_count)
    return int(column.null_count)
