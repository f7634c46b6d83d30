"""What the next start finds: the journal's entries, and the slots they leave open."""

from __future__ import annotations

from pathlib import Path

import pytest

from collectors.journal import Entry, Journal, Progress
from collectors.recovery import LONGEST_DOWNTIME_US, recover
from facility.errors import ConfigError
from facility.reading import Outcome

SECOND = 1_000_000


def entry(
    seq: int = 1, *, booked_s: float = 100, written_s: float = 100.5, **more: object
) -> Entry:
    progress = Progress(
        interval_us=SECOND,
        phase_us=250_000,
        booked_us=round(booked_s * SECOND) + 250_000,
        expected=7,
    )
    facts = {"flush_us": SECOND, "setbacks": 0, "devices": {"pdu": progress}, **more}
    return Entry(seq=seq, written_us=round(written_s * SECOND), **facts)


def recovered(
    found: Entry, now_s: float, devices: tuple[str, ...] = ("pdu",)
) -> list[tuple[str, str, list[float]]]:
    return [
        (b.outcome.value, (b.error or "").partition(":")[0], [slot / SECOND for slot in b.slots])
        for b in recover(found, devices, round(now_s * SECOND))
    ]


def test_slots_up_to_a_flush_after_the_last_sign_of_life_are_a_crash_and_later_ones_downtime() -> (
    None
):
    assert recovered(entry(), 104.0) == [
        ("failed", "crash", [101.25]),
        ("dropped", "collector_down", [102.25, 103.25]),
    ]


def test_the_bookings_are_as_the_device_was() -> None:
    crash, down = recover(entry(), ["pdu"], 104 * SECOND)
    assert (crash.device, crash.outcome, crash.expected) == ("pdu", Outcome.FAILED, 7)
    assert (down.expected, down.latency_s, crash.latency_s) == (7, None, None)


@pytest.mark.parametrize("closed", [False, True])
def test_every_slot_is_booked_once_whenever_the_end_and_the_start_come(closed: bool) -> None:
    for written in range(1003, 1050):
        for now in range(written, written + 60):
            found = recovered(entry(written_s=written / 10, closed=closed), now / 10)
            slots = [slot for _, _, run in found for slot in run]
            expected = [s + 0.25 for s in range(101, 120) if s + 0.25 <= now / 10]
            assert slots == expected


def test_after_an_orderly_stop_nothing_is_a_crash() -> None:
    assert recovered(entry(closed=True), 103.0) == [("dropped", "collector_down", [101.25, 102.25])]


def test_a_device_polled_no_more_is_booked_up_to_the_crash() -> None:
    assert recovered(entry(), 104.0, devices=()) == [("failed", "crash", [101.25])]


def test_started_again_at_once_nothing_is_left_open() -> None:
    assert recovered(entry(), 100.6) == []


def test_with_the_clock_set_back_meanwhile_nothing_is_booked_twice() -> None:
    assert recovered(entry(), 50.0) == []


def test_downtime_is_booked_for_its_last_day() -> None:
    crash, down = recover(entry(), ["pdu"], 10 * LONGEST_DOWNTIME_US)
    assert len(crash.slots) == 1
    assert len(down.slots) == 24 * 3600
    assert down.slots[-1] == 10 * LONGEST_DOWNTIME_US - 750_000


def test_without_an_entry_there_is_none(tmp_path: Path) -> None:
    assert Journal(tmp_path / "journal").read(10) is None


def test_an_entry_holds_only_once_the_outbox_has_its_seq(tmp_path: Path) -> None:
    path = tmp_path / "new" / "journal"
    journal = Journal(path)
    journal.prepare(entry(5, booked_s=10))
    journal.confirm()
    journal.prepare(entry(6, booked_s=20))
    assert Journal(path).read(5) == entry(5, booked_s=10)
    assert Journal(path).read(6) == entry(6, booked_s=20)
    assert Journal(path).read(4) is None


def test_trying_again_after_a_failed_append_keeps_the_confirmed_entry(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.prepare(entry(5))
    journal.confirm()
    for booked in (20, 30, 40):
        journal.prepare(entry(6, booked_s=booked))
    assert Journal(tmp_path / "journal").read(5) == entry(5)


def test_of_two_with_one_seq_the_later_written_holds(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    for written in (100, 101, 102):
        journal.prepare(entry(5, written_s=written))
        journal.confirm()
    again = Journal(tmp_path / "journal")
    assert again.read(5) == entry(5, written_s=102)
    again.prepare(entry(6, written_s=103))
    assert Journal(tmp_path / "journal").read(5) == entry(5, written_s=102)


@pytest.mark.parametrize("torn", [b"", b'{"seq": 6, "wri', b"\x00" * 100])
def test_a_half_written_entry_is_passed_over(tmp_path: Path, torn: bytes) -> None:
    journal = Journal(tmp_path / "journal")
    journal.prepare(entry(5))
    journal.confirm()
    (tmp_path / "journal.1").write_bytes(torn)
    assert Journal(tmp_path / "journal").read(6) == entry(5)


def test_a_journal_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "journal.0").mkdir()
    with pytest.raises(ConfigError, match=r"journal\.0: Is a directory"):
        Journal(tmp_path / "journal").prepare(entry())
    with pytest.raises(ConfigError, match=r"journal\.0: Is a directory"):
        Journal(tmp_path / "journal").read(0)
