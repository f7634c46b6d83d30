"""The flush, cut off between any two of its steps: the next start books each slot exactly once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from collectors.clock import Clock
from collectors.flush import POLLS_TOPIC, Flusher
from collectors.intake import Intake
from collectors.journal import Journal, Progress
from collectors.ledger import Reason, dropped
from collectors.recovery import recover
from facility.errors import OutboxFull
from stream.codec import decode
from stream.outbox import Outbox

SECOND = 1_000_000
START = 1_800_000_000 * SECOND
STEPS = ["before the journal", "after the journal", "before the append", "after the append"]
STEPS += ["before the confirmation", "after the confirmation"]


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


class Run:
    """A flusher over the files of one directory, at a time the test sets."""

    def __init__(self, directory: Path) -> None:
        self.now_us = START
        self.outbox = Outbox(
            directory / "outbox", collector="c", max_bytes=10**8, when_full="stop_polling"
        )
        self.journal = Journal(directory / "journal")
        clock = Clock(wall_ns=lambda: self.now_us * 1000, steady_ns=lambda: self.now_us * 1000)
        self.intake = Intake()
        self.flusher = Flusher(self.intake, self.outbox, self.journal, clock, 1.0)

    def begin(self) -> None:
        progress = Progress(interval_us=SECOND, phase_us=0, booked_us=START, expected=1)
        self.flusher.begin("pdu", progress)

    def book(self, *seconds: int) -> None:
        for second in seconds:
            slot = START + second * SECOND
            self.now_us = slot
            self.intake.book(dropped("pdu", range(slot, slot + 1, SECOND), 1, Reason.OVERRUN))

    def recover(self, at_s: int) -> None:
        self.now_us = START + at_s * SECOND
        entry = self.journal.read(self.outbox.last_seq(POLLS_TOPIC))
        assert entry is not None
        for booking in recover(entry, ["pdu"], self.now_us):
            self.intake.book(booking)
        self.flusher.take_over(entry.devices)

    def ledger(self) -> list[int]:
        entries = self.outbox.pending(10**9)
        batches = [decode(e.message.value, e.message.headers).batch for e in entries]
        slots = [at for b in batches for at in b["scheduled_at"].cast(pa.int64()).to_pylist()]
        return sorted((slot - START) // SECOND for slot in slots)


def kill_at(step: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the flush end for ever at a step of the ledger's way."""
    when, _, what = step.partition(" the ")
    target: tuple[Any, str] = {
        "journal": (run.journal, "prepare"),
        "append": (run.outbox, "append"),
        "confirmation": (run.journal, "confirm"),
    }[what]
    real: Callable[..., object] = getattr(*target)

    def killed(*args: object) -> None:
        if when == "after":
            real(*args)
        raise Killed

    monkeypatch.setattr(*target, killed)


@pytest.mark.parametrize("step", STEPS)
async def test_cut_off_anywhere_each_slot_is_booked_once(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(tmp_path)
    run.begin()
    run.book(1, 2)
    await run.flusher.flush()
    run.book(3, 4)
    with monkeypatch.context() as patch:
        kill_at(step, run, patch)
        with pytest.raises(Killed):
            await run.flusher.flush()
    run.outbox.close()

    again = Run(tmp_path)
    again.recover(at_s=8)
    again.book(9)
    await again.flusher.flush()
    assert again.ledger() == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    again.outbox.close()


async def test_a_device_that_leaves_is_kept_until_its_last_booking_is_stored(
    tmp_path: Path,
) -> None:
    run = Run(tmp_path)
    run.begin()
    run.book(1, 2)
    run.flusher.forget(["pdu"])
    await run.flusher.flush()
    assert run.ledger() == [1, 2]
    await run.flusher.flush()
    entry = run.journal.read(run.outbox.last_seq(POLLS_TOPIC))
    assert entry is not None
    assert entry.devices == {}
    run.outbox.close()


async def test_a_device_that_leaves_while_nothing_can_be_stored_leaves_the_journal_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(tmp_path)
    run.begin()
    await run.flusher.flush()
    run.flusher.forget(["pdu"])

    def broken(*_: object) -> None:
        raise OutboxFull("no room")

    run.book(1)
    with monkeypatch.context() as patch:
        patch.setattr(run.outbox, "append", broken)
        await run.flusher.flush()
        assert run.flusher.blocked is Reason.OUTBOX_FULL
    for _ in range(3):
        await run.flusher.flush()
    entry = run.journal.read(run.outbox.last_seq(POLLS_TOPIC))
    assert entry is not None
    assert (entry.devices, run.ledger()) == ({}, [1])
    run.outbox.close()


async def test_a_device_taken_out_and_back_in_before_a_flush_stays_in_the_journal(
    tmp_path: Path,
) -> None:
    run = Run(tmp_path)
    run.begin()
    await run.flusher.flush()
    run.flusher.forget(["pdu"])
    run.begin()
    for _ in range(2):
        await run.flusher.flush()
    entry = run.journal.read(run.outbox.last_seq(POLLS_TOPIC))
    assert entry is not None
    assert set(entry.devices) == {"pdu"}
    run.outbox.close()


async def test_the_journal_shows_life_even_when_nothing_is_booked(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.begin()
    await run.flusher.flush()
    run.now_us += 30 * SECOND
    await run.flusher.flush()
    entry = run.journal.read(run.outbox.last_seq(POLLS_TOPIC))
    assert entry is not None
    assert (entry.written_us, entry.closed) == (START + 30 * SECOND, False)
    await run.flusher.close()
    entry = run.journal.read(run.outbox.last_seq(POLLS_TOPIC))
    assert entry is not None
    assert entry.closed
    run.outbox.close()
