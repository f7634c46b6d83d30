"""What the alert engine costs beside a bare Arrow decode of what it reads, and how soon it decides.

Rows are the full-size site's; the rules are thresholds, rates and imbalances on every temperature,
current, voltage and power of it. The engine decodes, finds what is watched, judges it, and looks at
its clock once a message.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import pyarrow as pa

from alerts.board import Board
from alerts.samples import samples_of
from alerts.watch import Measure, RuleFacts, SeriesKey, Watch, WatchTable, build_table
from bench.harness import Figure, Goal, Scale, Work, paired, per_cpu_second
from bench.load import START_S, Load
from bench.loads import few_collectors
from facility.reading import TOPICS
from stream import codec
from stream.message import Message

TOPIC = TOPICS["readings"]
UNIT = "readings/s/core"
BARE = "bare pyarrow IPC, zstd"
GOAL = Goal(1_000_000, of="value")
SECOND_US = 1_000_000
THRESHOLDS = {
    "temperature_c": 70.0,
    "gpu_temperature_c": 95.0,
    "memory_temperature_c": 100.0,
    "inlet_temperature_c": 45.0,
    "current_a": 1e5,
    "voltage_v": 1e5,
    "active_power_w": 1e9,
    "load_ratio": 2.0,
    "relative_humidity_ratio": 0.99,
    "frequency_hz": 70.0,
}
RATES = ("inlet_temperature_c", "temperature_c")


def figures(scale: Scale) -> Iterator[Figure]:
    """Readings a second, and how many watches they meet."""
    load = few_collectors(scale)
    table = watch_table(load)
    yield Figure("watches", float(len(table)), "alerts")
    rounds = scale.pick(9, 3)
    seconds = list(range((rounds + 1) * load.seconds))
    messages = [_messages(load, second) for second in seconds]
    board = Board(table, ())
    board.start((), START_S * SECOND_US)
    pair = paired(
        per_cpu_second(_judge(board, messages, load.seconds)),
        per_cpu_second(_decode(messages[: load.seconds])),
        rounds=rounds,
    )
    yield pair.figure("judge readings", UNIT, BARE, GOAL)


def watch_table(load: Load) -> WatchTable:
    """Resolve the rules against the names in the load."""
    keys = [key for n in range(load.collectors) for key in _keys(load.series(n).batch(0))]
    watches = [*_thresholds(keys), *_rates(keys), *_imbalances(keys)]
    names = dict.fromkeys(watch.rule for watch in watches)
    rules = [RuleFacts(name=name, priority=3, class_="bench", message="{value}") for name in names]
    return build_table(rules, watches)


def _keys(batch: pa.RecordBatch) -> list[SeriesKey]:
    columns = (batch[name].to_pylist() for name in ("device", "component", "quantity"))
    return list(zip(*columns, strict=True))


def _thresholds(keys: list[SeriesKey]) -> Iterator[Watch]:
    for key in keys:
        if (fire := THRESHOLDS.get(key[2])) is not None:
            yield _watch(f"{key[2]}-high", key, Measure.LATEST, (key,), fire)


def _rates(keys: list[SeriesKey]) -> Iterator[Watch]:
    for key in keys:
        if key[2] in RATES:
            yield _watch(f"{key[2]}-rises", key, Measure.RATE, (key,), 1e4, window_s=900)


def _imbalances(keys: list[SeriesKey]) -> Iterator[Watch]:
    currents: defaultdict[str, list[SeriesKey]] = defaultdict(list)
    for key in keys:
        if key[2] == "current_a":
            currents[key[0]].append(key)
    for device, inputs in currents.items():
        if len(inputs) > 1:
            key = (device, "", "current_a")
            yield _watch("imbalance", key, Measure.NEMA, tuple(inputs), 1e3)


def _watch(
    rule: str,
    key: SeriesKey,
    measure: Measure,
    inputs: tuple[SeriesKey, ...],
    fire: float,
    *,
    window_s: int = 0,
) -> Watch:
    return Watch(
        rule=rule,
        device=key[0],
        component=key[1],
        quantity=key[2],
        measure=measure,
        inputs=inputs,
        fire=fire,
        clear=0.9 * fire,
        window_us=window_s * SECOND_US,
        on_delay_us=60 * SECOND_US,
        off_delay_us=120 * SECOND_US,
        stale_after_us=30 * SECOND_US,
    )


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
