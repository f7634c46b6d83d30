"""Batches of readings and polls as samples of watched series."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import prometheus_client
import pyarrow as pa

from alerts.series import Names, SeriesIndex
from alerts.watch import POLLED, Flags, Floats, Integers, Numbers
from facility.quality import Quality
from facility.reading import READINGS

UNTIMELY = prometheus_client.Counter(
    "busway_alert_untimely_samples",
    "Samples of watched points that say nothing of now: stale when they came, or of the future.",
)


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Values that may be judged, as columns."""

    series: Numbers
    at: Integers
    value: Floats
    uncertain: Flags

    def __len__(self) -> int:
        return len(self.series)

    def chosen(self, rows: Integers) -> Samples:
        """Give some of them."""
        return Samples(self.series[rows], self.at[rows], self.value[rows], self.uncertain[rows])


AHEAD_US = 60_000_000
"""How far a device's clock may be ahead of ours; what is further ahead would shut out the rest."""


def samples_of(batch: pa.RecordBatch, index: SeriesIndex, sender: str, wall_us: int) -> Samples:
    """Take what is watched from a batch of READINGS.

    A reading that is stale, filled in or bad is no sample, nor is one of the future.
    """
    rows, series = index.locate(batch, sender)
    value = batch["value"].to_numpy(zero_copy_only=False).take(rows)
    quality = batch["quality"].to_numpy().take(rows)
    at = batch["ts"].cast(pa.int64()).to_numpy().take(rows)
    of_future = at > wall_us + AHEAD_US
    UNTIMELY.inc(int(of_future.sum()))
    usable = (quality <= Quality.UNCERTAIN) & ~np.isnan(value) & ~of_future
    found = Samples(series, at, value, quality > Quality.GOOD)
    return found if usable.all() else found.chosen(np.flatnonzero(usable))


def readings_of_polls(polls: pa.RecordBatch) -> pa.RecordBatch:
    """Make a reading of POLLED from each poll; one that gave nothing is bad."""
    good = polls["points_good"].to_numpy().astype(np.float64)
    expected = polls["points_expected"].to_numpy()
    quality = np.where(good > 0, Quality.GOOD, Quality.BAD).astype(np.uint8)
    columns = [
        polls["scheduled_at"],
        polls["device"],
        _everywhere("", len(polls)),
        _everywhere(POLLED, len(polls)),
        pa.array(good / np.maximum(expected, 1)),
        pa.array(quality),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=READINGS)


def _everywhere(name: str, count: int) -> Names:
    return pa.DictionaryArray.from_arrays(np.zeros(count, np.int32), pa.array([name]))


def rounds(samples: Samples, series_count: int) -> Iterator[Samples]:
    """Split samples so that each part has each series once, and a series' samples come in order.

    A flush mostly holds one sample of each series; that is found out without sorting.
    """
    last = np.full(series_count, -1, np.int64)
    last[samples.series] = np.arange(len(samples))
    if (last[samples.series] == np.arange(len(samples))).all():
        yield samples
        return
    order = np.lexsort((samples.at, samples.series))
    begins = np.flatnonzero(np.diff(samples.series[order], prepend=-1))
    rank = np.arange(len(order)) - np.repeat(begins, np.diff(begins, append=len(order)))
    for number in range(int(rank.max()) + 1):
        yield samples.chosen(order[rank == number])
