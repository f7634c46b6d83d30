"""Bytes that a reading takes: on Kafka, in a fresh Parquet file, and once compacted.

A fresh file is a flush of the full-size site: a million points, each once. Compacted are minutes of
one collector's points: of a whole site at 1 Hz, a file of 512 MB holds each series about as long.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.commits import Commits
from bench.harness import Figure, Goal, Scale, per_cpu_second
from bench.loads import long_series, whole_site
from bench.sink import FLUSH_COLLECTORS
from facility.reading import TOPICS
from stream.codec import encode_value
from warehouse.lake import Lake
from warehouse.maintenance.compaction import compact
from warehouse.query import run_sql
from warehouse.sink import ENGINE
from warehouse.sweep import sink_present

SUMMIT = 0.53
"""Bytes a reading of ORNL Summit's telemetry, as published."""
UNIT = "B/reading"
FLUSH_S = 10
"""Seconds of one collector that make a flush of the default size."""


def figures(scale: Scale) -> Iterator[Figure]:
    """Each form in turn, of the same plant."""
    load = whole_site(scale)
    second = [load.series(n).batch(0) for n in range(min(FLUSH_COLLECTORS, load.collectors))]
    encoded = sum(len(encode_value(batch, TOPICS["readings"])) for batch in second)
    yield Figure("Kafka", encoded / sum(len(batch) for batch in second), UNIT)
    with Lake.create_or_open(scale.scratch / "wide", settings=ENGINE) as lake, sink_present(lake):
        Commits(lake).commit(second)
        yield Figure("Parquet fresh, 1 reading a point", _bytes(lake), UNIT)
    yield from _compacted(scale)


def _compacted(scale: Scale) -> Iterator[Figure]:
    load = long_series(scale)
    series = load.series(0)
    with Lake.create_or_open(scale.scratch / "deep", settings=ENGINE) as lake, sink_present(lake):
        commits = Commits(lake)
        for first in range(0, load.seconds, FLUSH_S):
            commits.commit([series.batch(first + second) for second in range(FLUSH_S)])
        yield Figure(f"Parquet fresh, {FLUSH_S} readings a point", _bytes(lake), UNIT)

        def work() -> float:
            rows = 0
            while True:
                report = compact(lake)
                rows += report.rows
                if not report.more:
                    return rows

        rate = per_cpu_second(work)()
        yield Figure(
            f"Parquet compacted, {load.seconds} readings a point",
            _bytes(lake),
            UNIT,
            SUMMIT,
            "Summit, published",
            SUMMIT / _bytes(lake),
            Goal(SUMMIT, "value", "most"),
        )
        yield Figure("compaction", rate, "rows/s/core")


def _bytes(lake: Lake) -> float:
    """Of the files that the lake's newest snapshot has, over the rows."""
    files = run_sql(lake, "select data_file from ducklake_list_files('lake', 'readings')")
    size = sum(Path(str(path)).stat().st_size for path in files["data_file"].to_pylist())
    return float(size / run_sql(lake, "select count(*) as rows from readings")["rows"][0].as_py())
