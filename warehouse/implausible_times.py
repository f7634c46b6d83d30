"""Readings from before 2000, or from a time that has not come yet: kept, but trusted less.

They come from devices that give their own time and have lost it, or from a collector whose clock is
wrong.
"""

from __future__ import annotations

import prometheus_client
import pyarrow as pa

from warehouse.doubt import doubted

EARLIEST_US = 946_684_800_000_000
"""2000-01-01: no power meter is older, and clocks that were lost begin at 1970."""
AHEAD_US = 300_000_000
"""How far clocks of one site may differ."""

IMPLAUSIBLE_ROWS = prometheus_client.Counter(
    "busway_sink_implausible_time_rows",
    "Readings dated before 2000 or more than 5 minutes ahead of the sink; stored as uncertain.",
)


def mark_implausible(readings: pa.RecordBatch, now_us: int) -> tuple[pa.RecordBatch, int]:
    """Make readings of an impossible time at least `uncertain`; give how many there are."""
    times = readings["ts"].cast(pa.int64()).to_numpy()
    if not len(times) or (times.min() >= EARLIEST_US and times.max() <= now_us + AHEAD_US):
        return readings, 0
    is_implausible = (times < EARLIEST_US) | (times > now_us + AHEAD_US)
    count = int(is_implausible.sum())
    IMPLAUSIBLE_ROWS.inc(count)
    return doubted(readings, is_implausible), count
