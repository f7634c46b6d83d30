"""The message codec: what goes in comes out, and nothing else is let in."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stream_batches import POLLS_TOPIC, READINGS_TOPIC, polls, readings

from facility.errors import MessageUndecodable, StreamError
from facility.reading import NAME, READINGS
from stream.codec import HEADROOM_BYTES, decode, encode, encode_within
from stream.message import Headers

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
READING = st.tuples(
    st.integers(0, 2**55),
    TEXT,
    TEXT,
    TEXT,
    st.none() | st.floats(allow_nan=False),
    st.integers(0, 255),
)


def column(values: list[object], kind: pa.DataType) -> pa.Array:
    return (
        pa.array(values, pa.string()).dictionary_encode()
        if kind == NAME
        else pa.array(values, kind)
    )


def batch_of(rows: list[tuple[object, ...]]) -> pa.RecordBatch:
    columns = [
        column([row[number] for row in rows], field.type) for number, field in enumerate(READINGS)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=READINGS)


def with_header(headers: Headers, name: str, value: bytes) -> Headers:
    return tuple((found, value if found == name else text) for found, text in headers)


@given(rows=st.lists(READING, max_size=30), seq=st.integers(1, 2**63 - 1), collector=TEXT)
def test_any_batch_comes_back_as_it_was(
    rows: list[tuple[object, ...]], seq: int, collector: str
) -> None:
    batch = batch_of(rows)
    message = encode(batch, topic=READINGS_TOPIC, collector=collector, seq=seq, outbox="ab12")
    envelope = decode(message.value, message.headers)
    assert envelope.batch.to_pylist() == batch.to_pylist()
    assert envelope.batch.schema == READINGS
    assert (envelope.topic, envelope.collector, envelope.seq, envelope.outbox) == (
        READINGS_TOPIC,
        collector,
        seq,
        "ab12",
    )


def test_polls_come_back_as_they_were() -> None:
    message = encode(polls(5), topic=POLLS_TOPIC, collector="c", seq=7)
    envelope = decode(message.value, message.headers)
    assert envelope.topic == POLLS_TOPIC
    assert envelope.outbox == ""
    assert envelope.batch.equals(polls(5))


def test_key_is_the_collector_and_headers_are_text() -> None:
    message = encode(readings(3), topic=READINGS_TOPIC, collector="collector-1", seq=9)
    assert message.key == b"collector-1"
    assert message.headers == (
        ("schema", b"readings/1"),
        ("collector", b"collector-1"),
        ("seq", b"9"),
        ("rows", b"3"),
    )


@settings(max_examples=300)
@given(data=st.data())
def test_damaged_bytes_are_refused_or_still_sound(data: st.DataObject) -> None:
    """No crash, no hang, no invalid batch: whatever happens to the bytes on the way."""
    message = encode(readings(40), topic=READINGS_TOPIC, collector="c", seq=1)
    value = bytearray(message.value)
    for _ in range(data.draw(st.integers(1, 8))):
        value[data.draw(st.integers(0, len(value) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(value)))
    damaged = bytes(value[:cut]) if data.draw(st.booleans()) else bytes(value)
    try:
        envelope = decode(damaged, message.headers)
    except MessageUndecodable:
        return
    envelope.batch.validate(full=True)
    assert envelope.batch.schema == READINGS
    assert len(envelope.batch) == 40


@given(value=st.binary(max_size=300))
def test_random_bytes_are_refused(value: bytes) -> None:
    headers = encode(readings(1), topic=READINGS_TOPIC, collector="c", seq=1).headers
    with pytest.raises(MessageUndecodable):
        decode(value, headers)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("schema", b"readings/2", "newer Busway; this one reads up to readings/1"),
        ("schema", b"weather/1", "not readings/1 or polls/1"),
        ("schema", b"readings", "not readings/1 or polls/1"),
        ("schema", b"polls/1", "columns are"),
        ("rows", b"4", "header rows says 4, the value has 3"),
        ("rows", b"three", "not a number from 0"),
        ("seq", b"0", "not a number from 1"),
        ("seq", b"-1", "not a number from 1"),
        ("seq", b"9223372036854775808", "not a number from 1"),
        ("seq", "\u0663".encode(), "not a number from 1"),
        ("collector", b"\xff\xfe", "not UTF-8"),
    ],
)
def test_wrong_header_is_named(name: str, value: bytes, said: str) -> None:
    message = encode(readings(3), topic=READINGS_TOPIC, collector="c", seq=1)
    with pytest.raises(MessageUndecodable, match=said):
        decode(message.value, with_header(message.headers, name, value))


@pytest.mark.parametrize("name", ["schema", "collector", "seq", "rows"])
@pytest.mark.parametrize("times", [0, 2])
def test_missing_or_repeated_header_is_named(name: str, times: int) -> None:
    message = encode(readings(3), topic=READINGS_TOPIC, collector="c", seq=1)
    headers = tuple(h for h in message.headers for _ in range(times if h[0] == name else 1))
    with pytest.raises(MessageUndecodable, match=f"header {name} is given {times} times"):
        decode(message.value, headers)


def foreign(batch: pa.RecordBatch, *, times: int = 1) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        for _ in range(times):
            writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(),
        pa.large_string(),
        pa.dictionary(pa.int8(), pa.string()),
        pa.dictionary(pa.int32(), pa.large_string()),
    ],
)
def test_names_may_be_encoded_in_other_ways(kind: pa.DataType) -> None:
    """Another producer's Arrow library may choose other index types, or no dictionary."""
    ours = readings(6)
    device = ours.column("device").cast(pa.string())
    device = (
        device.cast(kind)
        if not isinstance(kind, pa.DictionaryType)
        else device.cast(kind.value_type).dictionary_encode().cast(kind)
    )
    theirs = ours.set_column(1, "device", device)
    headers = encode(ours, topic=READINGS_TOPIC, collector="c", seq=1).headers
    envelope = decode(foreign(theirs), headers)
    assert envelope.batch.schema == READINGS
    assert envelope.batch.to_pylist() == ours.to_pylist()


@pytest.mark.parametrize(
    ("position", "name", "values", "said"),
    [
        (4, "value", pa.array([1.0, 2.0, 3.0], pa.float32()), "value is float, not double"),
        (1, "device", pa.array([1, 2, 3]), "device is int64"),
        (5, "quality", pa.array([0, None, 0], pa.uint8()), "quality has 1 nulls"),
        (1, "device", pa.array(["a", None, "b"]).dictionary_encode(), "device has 1 nulls"),
        (
            1,
            "device",
            pa.DictionaryArray.from_arrays(pa.array([0, 1, 0]), pa.array(["a", None])),
            "device has 1 nulls",
        ),
        (0, "at", pa.array([1, 2, 3]), "columns are"),
    ],
)
def test_other_schemas_are_refused(position: int, name: str, values: pa.Array, said: str) -> None:
    theirs = readings(3).set_column(position, name, values)
    headers = encode(readings(3), topic=READINGS_TOPIC, collector="c", seq=1).headers
    with pytest.raises(MessageUndecodable, match=said):
        decode(foreign(theirs), headers)


@pytest.mark.parametrize("times", [0, 2])
def test_one_message_is_one_batch(times: int) -> None:
    headers = encode(readings(3), topic=READINGS_TOPIC, collector="c", seq=1).headers
    with pytest.raises(MessageUndecodable, match=f"holds {times} record batches"):
        decode(foreign(readings(3), times=times), headers)


def test_a_batch_of_the_wrong_kind_is_not_encoded() -> None:
    with pytest.raises(ValueError, match=r"busway\.polls carries"):
        encode(readings(1), topic=POLLS_TOPIC, collector="c", seq=1)


@given(rows=st.integers(1, 8000), limit=st.integers(6_000, 40_000))
@settings(max_examples=25)
def test_pieces_fit_and_hold_every_row_in_order(rows: int, limit: int) -> None:
    batch = readings(rows, noise=True)
    pieces = encode_within(batch, READINGS_TOPIC, limit)
    assert all(len(value) <= limit - HEADROOM_BYTES for _, value in pieces)
    tables = [pa.ipc.open_stream(value).read_all() for _, value in pieces]
    assert [len(table) for table in tables] == [count for count, _ in pieces]
    values = [value for table in tables for value in table.column("value").to_pylist()]
    assert values == batch.column("value").to_pylist()


def test_pieces_carry_only_the_names_they_use() -> None:
    many = [f"hall-1/row-{number:05d}" for number in range(20_000)]
    batch = readings(20_000, noise=True).set_column(
        1, READINGS.field("device"), pa.array(many).dictionary_encode()
    )
    pieces = encode_within(batch, READINGS_TOPIC, 100_000)
    dictionary = pa.ipc.open_stream(pieces[0][1]).read_next_batch().column("device").dictionary
    assert len(dictionary) == pieces[0][0] < 20_000


def test_a_row_too_large_for_any_message_is_named() -> None:
    batch = polls(2).set_column(6, "error", pa.array(["".join(map(chr, range(40, 20_000))), None]))
    with pytest.raises(StreamError, match=r"one row of busway\.polls takes"):
        encode_within(batch, POLLS_TOPIC, 10_000)
