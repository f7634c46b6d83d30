"""Rules on everything that the load holds: many, and none of them fires by itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

import pyarrow as pa

from alerts.watch import Measure, RuleFacts, SeriesKey, Watch, WatchTable, build_table
from bench.load import Load

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


def watch_table(load: Load, *, more: Iterable[Watch] = ()) -> WatchTable:
    """Resolve the rules against the names in the load."""
    keys = [key for n in range(load.collectors) for key in keys_of(load.series(n).batch(0))]
    watches = [*_thresholds(keys), *_rates(keys), *_imbalances(keys), *more]
    names = dict.fromkeys(watch.rule for watch in watches)
    rules = [RuleFacts(name=name, priority=3, class_="bench", message="{value}") for name in names]
    return build_table(rules, watches)


def keys_of(batch: pa.RecordBatch) -> list[SeriesKey]:
    """Give the names of each row."""
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
