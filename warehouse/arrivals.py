"""Which quarters of an hour rows are from: what a commit tells the roll-ups."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from warehouse.layout import Layout

QUARTER_US = 900_000_000
EARLIEST_US = 0
END_US = 7_258_118_400_000_000
"""From 1970 up to 2200: rows of other times are kept and never rolled up."""


def quarters_of(table: pa.Table, layout: Layout) -> Sequence[datetime]:
    """Give where each quarter of an hour (UTC) begins that a sorted table's rows are from."""
    times = table[layout.time].combine_chunks().cast(pa.int64()).to_numpy()
    first, last = int(times.min()), int(times.max())
    if first // QUARTER_US == last // QUARTER_US:  # as nearly always, and without a copy
        numbers = np.array([first // QUARTER_US])
    else:
        numbers = np.unique(times // QUARTER_US)
    starts = numbers[(numbers >= EARLIEST_US // QUARTER_US) & (numbers < END_US // QUARTER_US)]
    return [datetime.fromtimestamp(int(n) * QUARTER_US // 1_000_000, UTC) for n in starts]
