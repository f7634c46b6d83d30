"""Readings of an impossible time are kept, doubted, counted, and harm nothing later."""

from __future__ import annotations

import time

import numpy as np
import prometheus_client
import pyarrow as pa
import pytest
from maintenance_rig import all_readings, reading_files
from sink_feed import make_sink, message, one_log, readings, run_to_end

from facility.quality import Quality
from warehouse.implausible_times import AHEAD_US, EARLIEST_US, mark_implausible
from warehouse.maintenance.compaction import compact
from warehouse.query import run_sql

NOW_US = time.time_ns() // 1000


def at(times_us: list[int], quality: int = Quality.GOOD) -> pa.RecordBatch:
    batch = readings(1, len(times_us), quality=quality)
    return batch.set_column(0, batch.schema.field("ts"), pa.array(times_us).cast(batch["ts"].type))


@pytest.mark.parametrize(
    ("time_us", "is_doubted"),
    [
        (0, True),
        (EARLIEST_US - 1, True),
        (EARLIEST_US, False),
        (NOW_US, False),
        (NOW_US + AHEAD_US, False),
        (NOW_US + AHEAD_US + 1, True),
        (2**63 - 1, True),
        (-(2**63), True),
    ],
)
def test_only_times_that_cannot_be_are_doubted(time_us, is_doubted):
    marked, count = mark_implausible(at([NOW_US, time_us]), NOW_US)
    assert count == is_doubted
    expected = [Quality.GOOD, Quality.UNCERTAIN if is_doubted else Quality.GOOD]
    assert marked["quality"].to_pylist() == expected


def test_what_is_worse_than_doubtful_stays_so():
    marked, _ = mark_implausible(at([0], Quality.BAD), NOW_US)
    assert marked["quality"].to_pylist() == [Quality.BAD]


def test_rows_of_all_times_are_stored_counted_and_merged_into_one_file(lake):
    """Ten thousand years of them make no more files or periods than one quarter of an hour."""
    name = "busway_sink_implausible_time_rows_total"
    before = prometheus_client.REGISTRY.get_sample_value(name) or 0.0
    years = (np.arange(10) * 1000 * 365.25 * 86_400e6 - 62_000_000_000_000_000).astype(np.int64)
    now_us = time.time_ns() // 1000  # of the same quarter of an hour as the commits
    feed = one_log([message(n, at([int(year), now_us])) for n, year in enumerate(years, 1)])
    run_to_end(make_sink(lake, feed, flush_rows=2, flush_seconds=60), feed)
    counted = (prometheus_client.REGISTRY.get_sample_value(name) or 0.0) - before
    assert counted == 9  # one of the years is 2005
    doubtful = run_sql(lake, "select count(*) as n from readings where quality = 1")
    assert doubtful["n"][0].as_py() == 9
    rows = all_readings(lake, "where ts between '2000-01-01' and '2100-01-01'")
    later = run_sql(lake, "select now() + interval 1 hour as at")["at"][0].as_py()
    while compact(lake, now=later).more:
        pass
    assert len(reading_files(lake)) == 1
    assert all_readings(lake, "where ts between '2000-01-01' and '2100-01-01'") == rows
