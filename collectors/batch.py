"""From polls and bookings to Arrow record batches, by concatenating columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from collectors.ledger import Booking
from collectors.source import Poll
from facility.point import PointTable
from facility.quality import Quality
from facility.reading import NAME, POLLS, READINGS, TIMESTAMP

Codes = npt.NDArray[np.int32]

MOST_LEDGER_ROWS = 250_000
"""Rows of one ledger batch; a long outage is written in several."""


class Names:
    """Strings by code, growing; a batch carries only those it uses."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._strings = pa.array([], pa.string())

    def encode(self, names: Iterable[str]) -> Codes:
        """The codes of names, new ones added."""
        codes = self._codes
        return np.array([codes.setdefault(name, len(codes)) for name in names], np.int32)

    def column(self, codes: Codes) -> pa.DictionaryArray[Any, Any]:
        """A dictionary column whose dictionary holds just the names that occur."""
        if len(self._strings) < len(self._codes):
            self._strings = pa.array(list(self._codes), pa.string())
        used = np.zeros(len(self._codes), np.bool_)
        used[codes] = True
        renumbered = np.cumsum(used, dtype=np.int32) - np.int32(1)
        dictionary = self._strings.take(np.flatnonzero(used))
        return pa.DictionaryArray.from_arrays(pa.array(renumbered[codes]), dictionary)


@dataclass(frozen=True, slots=True)
class _TableCodes:
    device: int
    components: Codes
    quantities: Codes


class ReadingsBatcher:
    """Makes READINGS batches; the codes of a PointTable are worked out once and kept."""

    def __init__(self) -> None:
        self._devices, self._components, self._quantities = Names(), Names(), Names()
        self._tables: WeakKeyDictionary[PointTable, _TableCodes] = WeakKeyDictionary()

    def batch(self, polls: Sequence[Poll]) -> pa.RecordBatch:
        """All rows of the polls, in order; `value` is null where quality is bad."""
        tables = [self._codes(poll.points) for poll in polls]
        rows = [len(poll.points) for poll in polls]
        value = np.concatenate([poll.value for poll in polls])
        quality = np.concatenate([poll.quality for poll in polls])
        sampled_at = np.repeat(np.array([poll.sampled_at_us for poll in polls], np.int64), rows)
        devices = np.repeat(np.array([table.device for table in tables], np.int32), rows)
        return pa.RecordBatch.from_arrays(
            [
                pa.array(sampled_at).cast(TIMESTAMP),
                self._devices.column(devices),
                self._components.column(np.concatenate([table.components for table in tables])),
                self._quantities.column(np.concatenate([table.quantities for table in tables])),
                pa.array(value, mask=quality == Quality.BAD),
                pa.array(quality),
            ],
            schema=READINGS,
        )

    def _codes(self, table: PointTable) -> _TableCodes:
        codes = self._tables.get(table)
        if codes is None:
            codes = self._tables[table] = _TableCodes(
                int(self._devices.encode([table.device])[0]),
                self._components.encode(table.components),
                self._quantities.encode(table.quantities),
            )
        return codes


def ledger_chunks(bookings: Iterable[Booking]) -> Iterator[list[Booking]]:
    """The bookings in order, in chunks of at most MOST_LEDGER_ROWS slots."""
    chunk: list[Booking] = []
    rows = 0
    for booking in bookings:
        for piece in _pieces(booking):
            if rows + len(piece.slots) > MOST_LEDGER_ROWS:
                yield chunk
                chunk, rows = [], 0
            chunk.append(piece)
            rows += len(piece.slots)
    if chunk:
        yield chunk


def _pieces(booking: Booking) -> Iterator[Booking]:
    for start in range(0, len(booking.slots), MOST_LEDGER_ROWS):
        yield replace(booking, slots=booking.slots[start : start + MOST_LEDGER_ROWS])


def ledger_batch(bookings: Sequence[Booking]) -> pa.RecordBatch:
    """A POLLS batch, one row a slot."""
    counts = [len(booking.slots) for booking in bookings]
    which = np.repeat(np.arange(len(bookings)), counts)
    slots = np.concatenate([np.asarray(booking.slots, np.int64) for booking in bookings])
    by_booking = {
        "device": pa.array([b.device for b in bookings]).cast(NAME),
        "outcome": pa.array([b.outcome.value for b in bookings]).cast(NAME),
        "points_expected": pa.array([b.expected for b in bookings], pa.uint32()),
        "points_good": pa.array([b.good for b in bookings], pa.uint32()),
        "latency_s": pa.array([b.latency_s for b in bookings], pa.float64()),
        "error": pa.array([b.error for b in bookings], pa.string()),
    }
    columns = [by_booking[name].take(which) for name in POLLS.names[1:]]
    return pa.RecordBatch.from_arrays([pa.array(slots).cast(TIMESTAMP), *columns], schema=POLLS)
