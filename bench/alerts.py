"""What the alert engine costs beside a bare Arrow decode of what it reads, and how soon it decides.

Rows are the full-size site's; the rules are thresholds, rates and imbalances on every temperature,
current, voltage and power of them. For the cost, the engine decodes, finds what is watched, judges
it, and looks at its clock once a message.

For the delay, a feeder appends each second's readings when the second is over, as the daemon does
at its default settings; the engine, in this process, has stored a transition when it tells of it.
Some voltages are watched at what they mostly are, so their noise makes transitions. What the
collector's flush takes of the delay is the second's; the rest is outbox, broker and engine.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from alerts.board import Board
from alerts.engine import Engine
from alerts.history import Told
from alerts.learner import Watched
from alerts.samples import samples_of
from alerts.transitions import microseconds
from alerts.watch import Measure, Watch, WatchTable
from bench.alert_rules import SECOND_US, keys_of, watch_table
from bench.brokers import best_kind, running
from bench.feeder import Feed
from bench.harness import Figure, Goal, Scale, Work, paired, per_cpu_second
from bench.load import START_S, Load
from bench.loads import few_collectors
from bench.pipeline import answer, feeding, start
from facility.reading import TOPICS
from stream import codec
from stream.message import Message
from stream.outbox import Outbox

TOPIC = TOPICS["readings"]
UNIT = "readings/s/core"
BARE = "bare pyarrow IPC, zstd"
GOAL = Goal(1_000_000, of="value")
DELAY_GOAL = Goal(2.0, "value", "most")
NOISY = 40
"""Voltages that are watched at what they mostly are."""
SETTLE_S = 3.0


def figures(scale: Scale) -> Iterator[Figure]:
    """Readings a second, and the delay at the rate of one collector."""
    load = few_collectors(scale)
    table = watch_table(load, more=_noisy(load))
    rounds = scale.pick(9, 3)
    messages = [_messages(load, second) for second in range((rounds + 1) * load.seconds)]
    board = Board(table, ())
    board.start((), START_S * SECOND_US)
    pair = paired(
        per_cpu_second(_judge(board, messages, load.seconds)),
        per_cpu_second(_decode(messages[: load.seconds])),
        rounds=rounds,
    )
    yield pair.figure(f"judge readings, {len(table):,} watches", UNIT, BARE, GOAL)
    yield from _delays(scale, load, table)


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


def _delays(scale: Scale, load: Load, table: WatchTable) -> Iterator[Figure]:
    told: list[tuple[float, Told]] = []

    def listen(heard: Sequence[Told]) -> None:
        now = time.time()
        told.extend((now, one) for one in heard)

    kind = best_kind()
    with (
        running(kind) as broker,
        Outbox(
            scale.scratch / "alerts-0.sqlite",
            collector="alerts-0",
            max_bytes=10**9,
            when_full="stop_polling",
        ) as outbox,
    ):
        watched = Watched(site="bench", feeds=(), resolve=lambda _: table)
        engine = Engine(watched, broker.kafka, outbox, listen=listen)
        stop = threading.Event()
        thread = threading.Thread(target=engine.run, args=(stop,))
        feed = Feed(
            name="bench",
            load=str(load.directory),
            collectors=[0],
            seconds=scale.pick(20, 8),
            at_one_hertz=True,
            outbox=str(scale.scratch / "bench.sqlite"),
            kafka=broker.kafka.model_dump(mode="json", exclude_none=True),
        )
        thread.start()
        try:
            with feeding([feed]) as (feeder,):
                start([feeder])
                appended = answer(feeder)["appended"]
            time.sleep(SETTLE_S)
        finally:
            stop.set()
            thread.join()
    flushed = {int(message["second"]) for message in appended}
    delays = [(at - microseconds(one.transition.happened_at) / 1e6) for at, one in told]
    after_flush = [
        at - one.transition.happened_at.timestamp() // 1 - 1
        for at, one in told
        if int(one.transition.happened_at.timestamp()) in flushed
    ]
    what = f"sample to transition, {load.points[0]:,} readings/s, {kind}"
    yield Figure("transitions timed", float(len(delays)), "transitions")
    yield Figure(f"{what}, p50", float(np.percentile(delays, 50)), "s")
    yield Figure(f"{what}, p99", float(np.percentile(delays, 99)), "s", goal=DELAY_GOAL)
    what = "flush to transition"
    yield Figure(f"{what}, p50", float(np.percentile(after_flush, 50)), "s")
    yield Figure(f"{what}, p99", float(np.percentile(after_flush, 99)), "s")


def _noisy(load: Load) -> Iterator[Watch]:
    batch = load.series(0).batch(0)
    values = batch["value"].to_numpy()
    voltages = [
        (key, float(value))
        for key, value in zip(keys_of(batch), values, strict=True)
        if key[2] == "voltage_v"
    ]
    for key, value in voltages[:NOISY]:
        yield Watch(
            rule="noise",
            device=key[0],
            component=key[1],
            quantity=key[2],
            measure=Measure.LATEST,
            inputs=(key,),
            fire=value,
            clear=value,
            stale_after_us=30 * SECOND_US,
        )
