"""What the message codec costs beside bare Arrow IPC with the same compression."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from bench.harness import Figure, Goal, Pair, Scale, Work, paired, per_cpu_second
from bench.loads import few_collectors
from facility.reading import READINGS, TOPICS
from stream import codec

TOPIC = TOPICS["readings"]
GOAL = Goal(0.7)
UNIT = "rows/s/core"
BARE = "bare pyarrow IPC, zstd"
REPEATS = 4


def figures(scale: Scale) -> Iterator[Figure]:
    """Encode and decode one collector's seconds."""
    load = few_collectors(scale)
    series = load.series(0)
    batches = [series.batch(second) for second in range(load.seconds)] * REPEATS
    rows = sum(len(batch) for batch in batches)
    options = pa.ipc.IpcWriteOptions(compression="zstd")

    def encode() -> float:
        for seq, batch in enumerate(batches, 1):
            codec.encode(batch, topic=TOPIC, collector="bench", seq=seq)
        return rows

    def encode_bare() -> float:
        for batch in batches:
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, READINGS, options=options) as writer:
                writer.write_batch(batch)
            sink.getvalue()
        return rows

    messages = [codec.encode(batch, topic=TOPIC, collector="bench", seq=1) for batch in batches]

    def decode() -> float:
        return sum(len(codec.decode(message.value, message.headers).batch) for message in messages)

    def decode_bare() -> float:
        return sum(len(pa.ipc.open_stream(m.value).read_next_batch()) for m in messages)

    rounds = scale.pick(9, 3)
    yield _pair(encode, encode_bare, rounds).figure("encode", UNIT, BARE, GOAL)
    yield _pair(decode, decode_bare, rounds).figure("decode", UNIT, BARE, GOAL)


def _pair(ours: Work, bare: Work, rounds: int) -> Pair:
    return paired(per_cpu_second(ours), per_cpu_second(bare), rounds=rounds)
