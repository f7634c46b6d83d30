"""What the sink costs beside pyarrow writing the same rows as they come, a core each.

Rows are the full-size site's: a flush of a second of a million points, where each series has one
row, and one of ten seconds of a tenth of them. The sink sorts, writes, syncs and commits.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from bench.commits import Commits
from bench.harness import Figure, Goal, Scale, Work, paired, per_cpu_second
from bench.loads import whole_site
from facility.reading import TOPICS
from warehouse.lake import Lake
from warehouse.layout import LAYOUTS
from warehouse.sink import ENGINE
from warehouse.sorting import sort_rows
from warehouse.sweep import sink_present

TOPIC = TOPICS["readings"]
FLUSH_COLLECTORS = 10
GOAL = Goal(0.5)
UNIT = "rows/s/core"


def figures(scale: Scale) -> Iterator[Figure]:
    """Both kinds of flush, and sorting alone."""
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    load = whole_site(scale)
    wide = [load.series(n).batch(0) for n in range(min(FLUSH_COLLECTORS, load.collectors))]
    deep = [load.series(0).batch(second) for second in range(len(wide))]
    rounds = scale.pick(9, 3)
    for name, batches in (("1 reading a point", wide), ("10 readings a point", deep)):
        rows = sum(len(batch) for batch in batches)
        place = scale.scratch / name.replace(" ", "-")
        with Lake.create_or_open(place, settings=ENGINE) as lake, sink_present(lake):
            flush, bare = (
                partial(Commits(lake).commit, batches),
                _bare(place / "bare.parquet", batches),
            )
            pair = paired(per_cpu_second(flush), per_cpu_second(bare), rounds=rounds)
            yield pair.figure(f"commit {rows:,} rows, {name}", UNIT, "bare write_table", GOAL)
            zstd = _bare(place / "zstd.parquet", batches, compression="zstd")
            pair = paired(per_cpu_second(flush), per_cpu_second(zstd), rounds=rounds // 2 + 1)
            yield pair.figure("the same", UNIT, "bare write_table, zstd")
    sort = per_cpu_second(_sort(wide))
    yield Figure("sort alone, 1 reading a point", max(sort() for _ in range(rounds)), UNIT)


def _bare(
    path: Path, batches: list[pa.RecordBatch], compression: Literal["snappy", "zstd"] = "snappy"
) -> Work:
    table = pa.Table.from_batches(batches)

    def write() -> float:
        pq.write_table(table, path, compression=compression)
        return table.num_rows

    return write


def _sort(batches: list[pa.RecordBatch]) -> Work:
    return lambda: float(sort_rows(batches, LAYOUTS[TOPIC]).num_rows)
