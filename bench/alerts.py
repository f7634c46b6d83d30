"""What the alert engine costs beside a bare Arrow decode of what it reads.

Rows are the full-size site's, and so are the watches: those of the whole default pack, with the
power path that explains one alert by another. The engine decodes, finds what is watched, judges it,
and looks at its clock once a message, which at a site it does ten times a second.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from alerts.board import Board
from alerts.samples import samples_of
from bench.harness import Figure, Goal, Scale, Work, paired, per_cpu_second
from bench.load import START_S, Load
from bench.loads import whole_site
from bench.pack import pack_board
from facility.reading import TOPICS
from stream import codec
from stream.message import Message

TOPIC = TOPICS["readings"]
UNIT = "readings/s/core"
BARE = "bare pyarrow IPC, zstd"
SECOND_US = 1_000_000
GOAL = Goal(1_000_000, of="value")


def figures(scale: Scale) -> Iterator[Figure]:
    """Readings a second."""
    load = whole_site(scale)
    board = pack_board(load)
    board.start((), START_S * SECOND_US)
    rounds = 3
    messages = [_messages(load, second) for second in range((rounds + 1) * load.seconds)]
    pair = paired(
        per_cpu_second(_judge(board, messages, load.seconds)),
        per_cpu_second(_decode(messages[: load.seconds])),
        rounds=rounds,
    )
    what = f"default pack, {sum(load.points):,} points, {len(board.table):,} watches"
    yield pair.figure(what, UNIT, BARE, GOAL)


def _messages(load: Load, second: int) -> list[Message]:
    return [
        codec.encode(load.series(n).batch(second), topic=TOPIC, collector=f"c-{n}", seq=second + 1)
        for n in range(load.collectors)
    ]


def _judge(board: Board, messages: list[list[Message]], seconds: int) -> Work:
    """Go on with the next seconds at each call: samples that are not newer are left out."""
    upcoming = iter(enumerate(messages))

    def judge() -> float:
        rows = 0
        for _ in range(seconds):
            second, batches = next(upcoming)
            now = (START_S + second + 1) * SECOND_US
            for message in batches:
                envelope = codec.decode(message.value, message.headers)
                samples = samples_of(envelope.batch, board.index, envelope.collector, now)
                board.take(samples, now, now)
                board.tick(now, now)
                rows += len(envelope.batch)
        return rows

    return judge


def _decode(messages: list[list[Message]]) -> Work:
    def decode() -> float:
        return sum(
            len(pa.ipc.open_stream(message.value).read_next_batch())
            for batches in messages
            for message in batches
        )

    return decode
