"""Readings that urgent rules wait for go ahead of their flush, and are stored once all the same."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from daemon_rig import POLLS, READINGS, Place, running, until
from fake_source import FakeSource, fake_device, fake_site

from collectors.clock import Clock
from collectors.flush import Flusher
from collectors.intake import Intake
from collectors.journal import Journal
from collectors.ledger import Booking, Reason
from collectors.source import Poll
from collectors.urgent import Parting
from facility.errors import OutboxFull
from facility.point import PointTable
from facility.reading import Outcome

SOCKET = "outlet.1"


def is_urgent(points: PointTable) -> np.ndarray:
    return np.array([points.device == "pdu" and name == SOCKET for name in points.components])


def poll(device: str) -> Poll:
    names = tuple(f"outlet.{n}" for n in range(3))
    table = PointTable(device, names, ("current_a",) * 3, ("a", "b", "c"))
    return Poll(table, 1_000_000, np.array([0.0, 1.0, 2.0]), np.array([0, 3, 0], np.uint8))


def count(place: Place) -> Counter[tuple[str, str]]:
    return Counter((row["device"], row["component"]) for row in place.stored(READINGS))


def test_each_reading_is_in_one_of_the_two_parts() -> None:
    parting, whole = Parting(is_urgent), poll("pdu")
    urgent, rest = parting.part(whole)
    assert urgent is not None
    assert (urgent.points.components, urgent.points.sources) == ((SOCKET,), ("b",))
    assert (urgent.value.tolist(), urgent.quality.tolist()) == ([1.0], [3])
    assert rest.points.components == ("outlet.0", "outlet.2")
    assert rest.value.tolist() == [0.0, 2.0]
    assert urgent.sampled_at_us == rest.sampled_at_us == whole.sampled_at_us
    again, _ = parting.part(whole)
    assert again is not None
    assert again.points is urgent.points


def test_a_poll_without_urgent_readings_is_left_as_it_is() -> None:
    plain = poll("ups")
    assert Parting(is_urgent).part(plain) == (None, plain)


async def test_they_do_not_wait_for_the_flush_and_the_others_do(tmp_path: Path) -> None:
    place = Place(tmp_path)
    devices = [fake_device(name, interval_s=0.1) for name in ("pdu", "ups")]
    daemon = place.daemon(*devices, flush_seconds=60.0, urgent_of=lambda _: is_urgent)
    async with running(daemon):
        await until(lambda: count(place)["pdu", SOCKET] >= 4)
        ahead, booked = count(place), place.stored(POLLS)
    assert max([0, *(n for key, n in ahead.items() if key != ("pdu", SOCKET))]) <= 1
    assert len(booked) <= 2, "only the flush at the start can have booked anything"
    answered = Counter(row["device"] for row in place.stored(POLLS) if row["outcome"] == "read")
    names = [f"outlet.{n}" for n in range(4)]
    assert count(place) == {
        (name, part): answered[name] for name in ("pdu", "ups") for part in names
    }
    times = [row["ts"] for row in place.stored(READINGS) if row["component"] == SOCKET]
    assert len(set(times)) == len(times)
    place.outbox.close()


async def test_a_new_site_file_says_anew_which_they_are(tmp_path: Path) -> None:
    place = Place(tmp_path)
    device = fake_device("pdu", interval_s=0.05)
    answers = iter([None, is_urgent])
    daemon = place.daemon(device, flush_seconds=60.0, urgent_of=lambda _: next(answers))
    async with running(daemon):
        await until(lambda: place.sources["pdu"].reads > 3)
        assert count(place)["pdu", SOCKET] <= 1
        daemon.reload(fake_site(device))
        await until(lambda: count(place)["pdu", SOCKET] >= 4)
    place.outbox.close()


class Run:
    """A flusher with urgent readings, over files of its own."""

    def __init__(self, place: Place) -> None:
        self.intake = Intake()
        self.intake.hurry(is_urgent)
        clock = Clock()
        journal = Journal(place.journal)
        self.flusher = Flusher(self.intake, place.outbox, journal, clock, 1.0)

    def read(self) -> None:
        booking = Booking("pdu", range(5, 6, 10), Outcome.READ, 3, 3, 0.1)
        self.intake.book(booking, poll("pdu"))


async def test_what_cannot_be_stored_comes_with_the_next_flush_before_its_booking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(tmp_path)
    run = Run(place)
    run.read()

    def broken(*_: object) -> None:
        raise OutboxFull("no room")

    with monkeypatch.context() as patch:
        patch.setattr(place.outbox, "append", broken)
        await run.flusher.flush_urgent()
    assert run.flusher.blocked is Reason.OUTBOX_FULL
    await run.flusher.flush()
    assert run.flusher.blocked is None
    topics = [entry.message.topic for entry in place.outbox.pending(10**9)]
    assert topics == [READINGS, READINGS, POLLS]
    assert sorted(row["component"] for row in place.stored(READINGS)) == [
        "outlet.0",
        SOCKET,
        "outlet.2",
    ]
    place.outbox.close()


async def test_cut_off_while_the_flush_is_busy_they_are_not_lost(tmp_path: Path) -> None:
    place = Place(tmp_path)
    run = Run(place)
    busy = asyncio.get_running_loop().run_in_executor(
        run.flusher._urgent_thread, asyncio.run, asyncio.sleep(0.1)
    )
    run.read()
    ahead = asyncio.create_task(run.flusher.flush_urgent())
    await asyncio.sleep(0)
    ahead.cancel()
    await asyncio.gather(ahead, busy, return_exceptions=True)
    await run.flusher.close()
    assert len(place.stored(READINGS)) == 3
    place.outbox.close()


def test_they_count_against_the_bound_until_they_are_taken() -> None:
    intake = Intake(most_rows=3)
    intake.hurry(is_urgent)
    booking = Booking("pdu", range(5, 6, 10), Outcome.READ, 3, 3, 0.1)
    assert intake.book(booking, poll("pdu")).outcome is Outcome.READ
    assert intake.book(booking, poll("pdu")).outcome is Outcome.DROPPED
    assert len(intake.take_urgent()) == 1
    assert not intake.has_urgent.is_set()
    taken = intake.take()
    assert [len(each.points) for each in taken.polls] == [2]


def test_a_source_that_is_never_urgent_costs_a_look_up() -> None:
    asked: list[str] = []

    def ask(points: PointTable) -> np.ndarray:
        asked.append(points.device)
        return np.zeros(len(points), np.bool_)

    parting, source = Parting(ask), asyncio.run(FakeSource("ups").read())
    for _ in range(3):
        parting.part(source)
    assert asked == ["ups"]
