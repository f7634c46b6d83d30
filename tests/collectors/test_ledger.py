"""What a poll is booked as, and how runs of dropped slots merge."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from fake_source import FakeSource

from collectors.intake import Intake
from collectors.ledger import MOST_ERROR_CHARACTERS, Booking, Reason, booked, dropped, failed
from facility.reading import Outcome

SECOND = 1_000_000


def slot(number: int) -> range:
    return range(number * SECOND, number * SECOND + 1, SECOND)


@pytest.mark.parametrize(
    ("step", "outcome", "good", "error"),
    [
        ("ok", Outcome.READ, 4, None),
        ("half", Outcome.PARTIAL, 2, "missing: 2 of 4 points: exception 2"),
        ("none", Outcome.FAILED, 0, "missing: 4 of 4 points: exception 2"),
    ],
)
def test_an_answer_is_booked_by_how_much_of_it_came(
    step: str, outcome: Outcome, good: int, error: str | None
) -> None:
    poll = asyncio.run(FakeSource("pdu", [step]).read())
    assert booked(poll, slot(1), 0.25) == Booking("pdu", slot(1), outcome, 4, good, 0.25, error)


def test_a_device_without_points_is_read() -> None:
    poll = asyncio.run(FakeSource("pdu", points=0).read())
    assert booked(poll, slot(1), 0.0).outcome is Outcome.READ


def test_a_devices_own_words_are_cut() -> None:
    assert len(failed("pdu", slot(1), 4, "x" * 10**6, 0.1).error or "") == MOST_ERROR_CHARACTERS


def test_following_slots_dropped_for_one_reason_become_one_booking() -> None:
    intake = Intake()
    for number in range(100):
        intake.book(dropped("a", slot(number), 4, Reason.OUTBOX_FULL))
        intake.book(dropped("b", slot(number), 4, Reason.OUTBOX_FULL))
    bookings = intake.take().bookings
    assert [(b.device, len(b.slots)) for b in bookings] == [("a", 100), ("b", 100)]
    assert list(bookings[0].slots) == [n * SECOND for n in range(100)]


FIRST = dropped("a", slot(1), 4, Reason.BACKOFF)


@pytest.mark.parametrize(
    "later",
    [
        dropped("a", slot(2), 4, Reason.OVERRUN),
        dropped("b", slot(2), 4, Reason.BACKOFF),
        dropped("a", slot(2), 5, Reason.BACKOFF),
        dropped("a", slot(3), 4, Reason.BACKOFF),
        dropped("a", range(2 * SECOND, 2 * SECOND + 1, SECOND // 2), 4, Reason.BACKOFF),
        failed("a", slot(2), 4, "backoff", 0.1),
    ],
)
def test_what_differs_does_not_merge(later: Booking) -> None:
    assert FIRST.followed_by(later) is None


def test_polls_that_were_asked_never_merge() -> None:
    one = failed("a", slot(1), 4, "timeout", 0.1)
    assert one.followed_by(replace(one, slots=slot(2))) is None


def test_a_full_intake_drops_readings_and_books_it() -> None:
    poll = asyncio.run(FakeSource("pdu").read())
    intake = Intake(most_rows=10)
    results = [intake.book(booked(poll, slot(n), 0.1), poll) for n in range(4)]
    assert [b.outcome for b in results] == [Outcome.READ] * 2 + [Outcome.DROPPED] * 2
    assert results[-1].error == "queue_full"
    taken = intake.take()
    assert len(taken.polls) == 2
    assert sum(len(b.slots) for b in taken.bookings) == 4
    assert intake.book(booked(poll, slot(5), 0.1), poll).outcome is Outcome.READ


def test_a_failed_poll_stores_no_readings() -> None:
    poll = asyncio.run(FakeSource("pdu", ["none"]).read())
    intake = Intake()
    intake.book(booked(poll, slot(1), 0.1), poll)
    assert intake.take().polls == []
