"""One device: every slot booked once, in order, whatever the device does."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable

import pytest
import structlog
from fake_source import ERRORS, FakeSource, fake_device
from structlog.testing import capture_logs

from collectors import poller as poller_module
from collectors.clock import Clock
from collectors.daemon import open_by_profile
from collectors.intake import Intake, Taken
from collectors.ledger import Booking, Reason
from collectors.poller import DevicePoller
from collectors.profile_library import load_profile
from collectors.source import KnowsItsPoints, Poll
from facility.reading import Outcome
from facility.site import Device, Site

INTERVAL_US = 100_000


class Bench:
    """A poller on its own, run for a while."""

    def __init__(
        self, script: Iterable[str | float], *, clock: Clock | None = None, **device: float
    ) -> None:
        self.clock = clock or Clock()
        self.source = FakeSource("pdu", script)
        self.intake = Intake()
        self.blocked: Reason | None = None
        self.poller = DevicePoller(
            fake_device("pdu", **device),
            self.source,
            intake=self.intake,
            clock=self.clock,
            blocked=lambda: self.blocked,
            expected=4,
        )

    async def run(self, seconds: float) -> Taken:
        """Poll for a while, then cut off; the booked slots must have no gap and no double."""
        task = asyncio.create_task(self.poller.run(self.clock.now_us()))
        await asyncio.sleep(seconds)
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return self.intake.take()


def slots(bookings: Iterable[Booking]) -> list[int]:
    return [slot for booking in bookings for slot in booking.slots]


def outcomes(bookings: Iterable[Booking]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for booking in bookings:
        what = booking.error.partition(":")[0] if booking.error else booking.outcome.value
        counts[what] += len(booking.slots)
    return counts


def assert_dense(bookings: Iterable[Booking]) -> None:
    found = slots(bookings)
    assert found == list(range(found[0], found[-1] + 1, INTERVAL_US))


async def test_a_healthy_device_is_read_at_each_slot() -> None:
    bench = Bench(["ok"])
    taken = await bench.run(1.05)
    assert_dense(taken.bookings)
    assert 9 <= len(taken.bookings) <= 11
    assert {b.outcome for b in taken.bookings} == {Outcome.READ}
    assert len(taken.polls) == len(taken.bookings)
    assert all(b.latency_s is not None and b.latency_s < 0.05 for b in taken.bookings)
    assert bench.poller.up is True


async def test_polls_start_at_their_slots() -> None:
    bench = Bench(["ok"])
    taken = await bench.run(0.55)
    late = [
        p.sampled_at_us - b.slots.start for p, b in zip(taken.polls, taken.bookings, strict=True)
    ]
    assert all(0 <= us < 50_000 for us in late)


async def test_half_a_device_is_stored_and_booked_as_partial() -> None:
    taken = await Bench(["half"]).run(0.35)
    assert {(b.outcome, b.good, b.expected) for b in taken.bookings} == {(Outcome.PARTIAL, 2, 4)}
    assert len(taken.polls) == len(taken.bookings)


@pytest.mark.parametrize("kind", [k for k in ERRORS if k != "bug"])
async def test_each_device_error_is_booked_with_its_kind_and_its_words(kind: str) -> None:
    taken = await Bench([kind]).run(0.25)
    first = taken.bookings[0]
    assert (first.outcome, first.expected, first.good) == (Outcome.FAILED, 4, 0)
    assert first.error == f"{kind}: {ERRORS[kind]}"
    assert taken.polls == []


@pytest.mark.parametrize(("seen_last", "booked"), [(0, 17), (4, 4)])
async def test_a_device_that_has_not_answered_is_booked_with_the_points_that_are_lost(
    seen_last: int, booked: int
) -> None:
    """As many as it had when last seen; never seen, as many as its source knows beforehand."""
    bench = Bench(["unreachable"])
    assert not isinstance(bench.source, KnowsItsPoints)
    bench.source.points_expected = 17  # type: ignore[attr-defined]
    poller = DevicePoller(
        fake_device("pdu"),
        bench.source,
        intake=bench.intake,
        clock=bench.clock,
        blocked=lambda: None,
        expected=seen_last,
    )
    assert poller.progress(0).expected == booked


@pytest.mark.parametrize("protocol", ["modbus", "snmp", "dcgm"])
def test_every_driver_knows_beforehand_that_points_are_lost_with_its_device(protocol: str) -> None:
    name = {"modbus": "schneider-pm5000", "snmp": "raritan-px3", "dcgm": "nvidia-dcgm-exporter"}
    scheme = {"dcgm": "http"}.get(protocol, protocol)
    address = f"{scheme}://127.0.0.1:1"
    device = Device(id="d", profile=name[protocol], address=address, role="ups")
    source = open_by_profile(device, Site(name="test", devices=(device,)))
    assert isinstance(source, KnowsItsPoints)
    section = getattr(load_profile(name[protocol]), protocol)
    assert source.points_expected == len(section.points) > 0


async def test_an_error_of_our_own_is_booked_and_logged_once_in_full() -> None:
    with capture_logs() as lines:
        taken = await Bench(["bug"]).run(0.45)
    assert taken.bookings[0].error == "internal: RuntimeError: a bug of ours"
    assert [line["log_level"] for line in lines] == ["error", "warning"]
    assert lines[0]["exc_info"]


async def test_a_silent_device_is_given_up_at_the_deadline() -> None:
    started = time.monotonic()
    bench = Bench(["hang"], timeout_s=0.25)
    taken = await bench.run(0.45)
    assert taken.bookings[0].error == "timeout: no answer within 0.25 s"
    assert 0.24 < (taken.bookings[0].latency_s or 0) < 0.35
    assert_dense(taken.bookings)
    assert outcomes(taken.bookings)["overrun"] == 2
    assert time.monotonic() - started < 1


async def test_slots_during_a_slow_poll_are_dropped_by_name() -> None:
    taken = await Bench([0.25, "ok"]).run(0.75)
    assert_dense(taken.bookings)
    counts = outcomes(taken.bookings)
    assert counts["overrun"] == 2
    assert counts["read"] == len(slots(taken.bookings)) - 2
    assert [b.outcome for b in taken.bookings[:3]] == [Outcome.READ, Outcome.DROPPED, Outcome.READ]


async def test_a_dead_device_is_left_alone_for_longer_and_longer() -> None:
    bench = Bench(["unreachable"])
    taken = await bench.run(2.5)
    assert_dense(taken.bookings)
    counts = outcomes(taken.bookings)
    assert counts.keys() == {"unreachable", "backoff"}
    assert 5 <= counts["unreachable"] <= 9
    asked = [b for b in taken.bookings if b.outcome is Outcome.FAILED]
    first = [b.slots.start - asked[0].slots.start for b in asked[:3]]
    assert first == [0, INTERVAL_US, 2 * INTERVAL_US]


async def test_backing_off_ends_when_the_device_answers_and_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(poller_module, "LONGEST_BACKOFF_S", 0.3)
    bench = Bench(["unreachable"] * 6 + ["ok"])
    taken = await bench.run(2.5)
    assert outcomes(taken.bookings)["unreachable"] == 6
    assert {b.outcome for b in taken.bookings[-5:]} == {Outcome.READ}
    runs = [len(b.slots) for b in taken.bookings if b.error == "backoff"]
    assert max(runs) <= 3


async def test_a_device_is_named_once_when_lost_and_once_when_back() -> None:
    with capture_logs() as lines:
        await Bench(["ok", "refused", "refused", "ok", "ok"]).run(0.65)
    assert [(line["log_level"], line["event"], line["device"]) for line in lines] == [
        ("warning", "Device does not answer.", "pdu"),
        ("info", "Device answers again.", "pdu"),
    ]
    assert lines[0]["error"] == "refused: exception 2"


async def test_a_healthy_poll_logs_nothing() -> None:
    structlog.reset_defaults()
    with capture_logs() as lines:
        await Bench(["ok", "half"]).run(0.35)
    assert lines == []


async def test_while_nothing_can_be_stored_slots_are_dropped_by_that_name() -> None:
    bench = Bench(["ok"])
    bench.blocked = Reason.OUTBOX_FULL
    taken = await bench.run(0.45)
    assert bench.source.reads == 0
    assert len(taken.bookings) == 1
    assert taken.bookings[0].error == "outbox_full"
    assert_dense(taken.bookings)


async def test_a_poll_that_is_cut_off_is_booked_and_so_are_the_slots_it_held_up() -> None:
    bench = Bench(["ok", "hang"], timeout_s=5)
    taken = await bench.run(0.55)
    assert_dense(taken.bookings)
    assert outcomes(taken.bookings).keys() == {"read", "shutdown"}
    assert outcomes(taken.bookings)["shutdown"] >= 3


async def test_told_to_stop_a_poller_finishes_its_poll_and_books_what_it_held_up() -> None:
    bench = Bench([0.25])
    task = asyncio.create_task(bench.poller.run(bench.clock.now_us()))
    await asyncio.sleep(0.15)
    assert bench.poller.reading
    bench.poller.stop()
    async with asyncio.timeout(1):
        await task
    taken = bench.intake.take()
    assert_dense(taken.bookings)
    assert outcomes(taken.bookings) == {"read": 1, "overrun": 2}


class SteppedClock(Clock):
    """The real clock, set by a test."""

    def __init__(self) -> None:
        self.ahead_us = 0
        super().__init__(wall_ns=lambda: time.time_ns() + self.ahead_us * 1000)


async def test_slots_that_the_clock_jumped_over_are_dropped_by_that_name() -> None:
    clock = SteppedClock()
    bench = Bench(["ok"], clock=clock)
    asyncio.get_running_loop().call_later(0.3, setattr, clock, "ahead_us", 3_600_000_000)
    taken = await bench.run(0.8)
    assert_dense(taken.bookings)
    counts = outcomes(taken.bookings)
    assert counts["clock_step"] in range(35_999, 36_002)
    assert counts["read"] >= 6
    assert "overrun" not in counts


async def test_a_slot_that_was_jumped_over_while_waited_for_is_not_read_under_its_old_name() -> (
    None
):
    clock = SteppedClock()
    bench = Bench(["ok"], clock=clock)
    read, read_at = bench.source.read, []

    async def noting_when() -> Poll:
        read_at.append(clock.now_us())
        return await read()

    bench.source.read = noting_when
    asyncio.get_running_loop().call_later(0.25, setattr, clock, "ahead_us", 3_600_000_000)
    taken = await bench.run(0.6)
    named = [s for b in taken.bookings if b.outcome is Outcome.READ for s in b.slots]
    assert len(named) == len(read_at) >= 3
    assert all(at - slot < INTERVAL_US for slot, at in zip(named, read_at, strict=True))


async def test_after_the_clock_was_set_back_polling_goes_on_and_no_slot_has_an_old_name() -> None:
    clock = SteppedClock()
    bench = Bench(["ok"], clock=clock)
    asyncio.get_running_loop().call_later(0.5, setattr, clock, "ahead_us", -400_000)
    taken = await bench.run(1.25)
    found = slots(taken.bookings)
    assert len(set(found)) == len(found)
    assert outcomes(taken.bookings) == {"read": len(found)}
    assert len(found) >= 10
    back = next(i for i in range(1, len(found)) if found[i] < found[i - 1])
    assert found[back] % INTERVAL_US == found[0] % INTERVAL_US + 1
