"""Batches of readings and polls whose rows are told apart by their values."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from facility.reading import POLLS, READINGS

READINGS_TOPIC = "busway.readings"
POLLS_TOPIC = "busway.polls"
START_US = 1_795_000_000_000_000


def names(values: list[str], count: int) -> pa.DictionaryArray:
    """`count` names, going round `values`."""
    index = pa.array(np.arange(count, dtype=np.int32) % len(values))
    return pa.DictionaryArray.from_arrays(index, pa.array(values))


def readings(count: int, *, first: int = 0, noise: bool = False) -> pa.RecordBatch:
    """Values `first`, `first` + 1, ...; or, to resist compression, noise."""
    numbers = np.arange(first, first + count)
    value = np.random.default_rng(first).random(count) if noise else numbers.astype(float)
    return pa.RecordBatch.from_arrays(
        [
            pa.array(START_US + numbers, READINGS.field("ts").type),
            names(["hall-1/rack-01/pdu-a", "hall-1/rack-02/pdu-a"], count),
            names(["inlet.1", "outlet.1", "outlet.2"], count),
            names(["active_power_w", "energy_imported_wh"], count),
            pa.array(value),
            pa.array(np.zeros(count, np.uint8)),
        ],
        schema=READINGS,
    )


def polls(count: int) -> pa.RecordBatch:
    """Polls, all read."""
    return pa.RecordBatch.from_arrays(
        [
            pa.array(START_US + np.arange(count), POLLS.field("scheduled_at").type),
            names(["hall-1/rack-01/pdu-a"], count),
            names(["read"], count),
            pa.array([3] * count, pa.uint32()),
            pa.array([3] * count, pa.uint32()),
            pa.array([0.01] * count),
            pa.array([None] * count, pa.string()),
        ],
        schema=POLLS,
    )
