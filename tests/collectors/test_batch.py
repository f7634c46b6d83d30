"""Record batches: the rows of the polls, column by column."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from collectors import batch as batch_module
from collectors.batch import ReadingsBatcher, ledger_batch, ledger_chunks
from collectors.ledger import Booking, Reason, dropped
from collectors.source import Poll
from facility.point import PointTable
from facility.quality import Quality
from facility.reading import POLLS, READINGS, Outcome

SECOND = 1_000_000


def table(device: str, rows: int) -> PointTable:
    return PointTable(
        device,
        tuple(f"outlet.{i}" for i in range(rows)),
        tuple(("active_power_w", "energy_imported_wh")[i % 2] for i in range(rows)),
        ("",) * rows,
    )


def poll(points: PointTable, at_us: int, *, bad: int | None = None) -> Poll:
    value = np.arange(len(points), dtype=np.float64) + at_us
    quality = np.zeros(len(points), np.uint8)
    if bad is not None:
        value[bad], quality[bad] = np.nan, Quality.BAD
    return Poll(points, at_us, value, quality)


def test_every_row_of_every_poll_comes_in_order() -> None:
    a, b = table("pdu-a", 3), table("pdu-b", 2)
    found = ReadingsBatcher().batch(
        [poll(a, SECOND, bad=1), poll(b, 2 * SECOND), poll(a, 3 * SECOND)]
    )
    found.validate(full=True)
    assert found.schema.equals(READINGS)
    assert found["device"].to_pylist() == ["pdu-a"] * 3 + ["pdu-b"] * 2 + ["pdu-a"] * 3
    assert found["component"].to_pylist() == [f"outlet.{i}" for i in (0, 1, 2, 0, 1, 0, 1, 2)]
    assert found["quantity"].to_pylist()[:3] == [
        "active_power_w",
        "energy_imported_wh",
        "active_power_w",
    ]
    assert (
        found["ts"].cast(pa.int64()).to_pylist()
        == [SECOND] * 3 + [2 * SECOND] * 2 + [3 * SECOND] * 3
    )
    assert found["value"].to_pylist()[:5] == [1e6, None, 1e6 + 2, 2e6, 2e6 + 1]
    assert found["quality"].to_pylist() == [0, 4, 0, 0, 0, 0, 0, 0]


def test_a_batch_carries_only_the_names_it_uses() -> None:
    batcher = ReadingsBatcher()
    many = [table(f"pdu-{i}", 2) for i in range(50)]
    batcher.batch([poll(points, SECOND) for points in many])
    found = batcher.batch([poll(many[40], SECOND), poll(many[7], SECOND)])
    assert sorted(found["device"].dictionary.to_pylist()) == ["pdu-40", "pdu-7"]
    assert found["device"].to_pylist() == ["pdu-40"] * 2 + ["pdu-7"] * 2


def test_a_table_is_forgotten_with_the_device_that_had_it() -> None:
    batcher, kept = ReadingsBatcher(), table("pdu", 2)
    for number in range(100):
        batcher.batch([poll(kept, number), poll(table("pdu", 2), number)])
    assert list(batcher._tables) == [kept]


def test_a_poll_without_rows_gives_none() -> None:
    found = ReadingsBatcher().batch(
        [poll(table("empty", 0), SECOND), poll(table("pdu", 1), SECOND)]
    )
    assert found["device"].to_pylist() == ["pdu"]


def test_the_ledger_has_one_row_a_slot() -> None:
    read = Booking("a", range(5, 6, 10), Outcome.READ, 4, 3, 0.25)
    lost = dropped("b", range(7, 38, 10), 2, Reason.OVERRUN)
    found = ledger_batch([read, lost])
    found.validate(full=True)
    assert found.schema.equals(POLLS)
    assert found["scheduled_at"].cast(pa.int64()).to_pylist() == [5, 7, 17, 27, 37]
    assert found["device"].to_pylist() == ["a", "b", "b", "b", "b"]
    assert found["outcome"].to_pylist() == ["read"] + ["dropped"] * 4
    assert found["points_expected"].to_pylist() == [4, 2, 2, 2, 2]
    assert found["points_good"].to_pylist() == [3, 0, 0, 0, 0]
    assert found["latency_s"].to_pylist() == [0.25, None, None, None, None]
    assert found["error"].to_pylist() == [None] + ["overrun"] * 4


def test_a_long_outage_is_cut_into_chunks_that_lose_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batch_module, "MOST_LEDGER_ROWS", 10)
    bookings = [
        dropped("a", range(0, 250, 10), 1, Reason.COLLECTOR_DOWN),
        dropped("b", range(3, 4, 10), 1, Reason.COLLECTOR_DOWN),
        dropped("c", range(0, 70, 10), 1, Reason.COLLECTOR_DOWN),
    ]
    chunks = list(ledger_chunks(bookings))
    assert all(sum(len(b.slots) for b in chunk) <= 10 for chunk in chunks)
    rows = [(b.device, at) for chunk in chunks for b in chunk for at in b.slots]
    assert rows == [(b.device, at) for b in bookings for at in b.slots]
