"""Slots: aligned, spread, without drift; and the clock that is stepped."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.clock import STEP_US, Clock
from collectors.schedule import Grid, grid_for

TIMES = st.integers(0, 4_000_000_000_000_000)
GRIDS = st.builds(
    lambda interval, phase: Grid(interval, phase % interval),
    st.integers(100_000, 86_400_000_000),
    st.integers(0, 86_400_000_000),
)


@given(GRIDS, TIMES)
def test_the_next_slot_is_later_aligned_and_at_most_one_interval_away(grid: Grid, now: int) -> None:
    slot = grid.first_after(now)
    assert now < slot <= now + grid.interval_us
    assert slot % grid.interval_us == grid.phase_us


@given(GRIDS, TIMES, st.integers(0, 1000))
def test_following_slots_are_the_grid_itself(grid: Grid, now: int, steps: int) -> None:
    through = grid.first_after(now) + steps * grid.interval_us
    slots = grid.slots(now, through)
    assert len(slots) == steps + 1
    assert slots[-1] == through
    assert grid.first_after(through) == through + grid.interval_us


def test_no_slot_lies_between_two_neighbours() -> None:
    assert len(Grid(1_000_000, 250_000).slots(3_250_000, 4_249_999)) == 0


def test_the_phase_is_the_same_on_every_run() -> None:
    assert grid_for("hall-1/pdu-a", 1.0) == Grid(1_000_000, 387_696)


def test_a_thousand_devices_spread_evenly_over_the_interval() -> None:
    phases = [grid_for(f"hall-1/rack-{i}", 10.0).phase_us for i in range(1000)]
    by_second, _ = np.histogram(phases, bins=10, range=(0, 10_000_000))
    assert by_second.min() > 60
    assert by_second.max() < 140


def test_after_a_setback_no_slot_is_named_as_before() -> None:
    before, after = (grid_for("pdu", 1.0, clock_setbacks=n) for n in (0, 1))
    now = 1_800_000_000_000_000
    assert not set(before.slots(now, now + 10**7)) & set(after.slots(now, now + 10**7))
    assert after.first_after(now) - before.first_after(now) == 1


class Hands:
    """Clock hands a test can turn."""

    def __init__(self) -> None:
        self.wall = 1_800_000_000_000_000_000
        self.steady = 5_000_000_000

    def clock(self) -> Clock:
        return Clock(wall_ns=lambda: self.wall, steady_ns=lambda: self.steady)

    def pass_us(self, us: int, *, stepped_us: int = 0) -> None:
        self.steady += us * 1000
        self.wall += (us + stepped_us) * 1000


@pytest.mark.parametrize(
    ("stepped_us", "jumps", "setbacks"),
    [
        (0, 0, 0),
        (STEP_US, 0, 0),
        (-STEP_US, 0, 0),
        (STEP_US + 1, 1, 0),
        (-STEP_US - 1, 0, 1),
        (3_600_000_000, 1, 0),
        (-3_600_000_000, 0, 1),
    ],
)
def test_a_step_is_told_from_slewing(stepped_us: int, jumps: int, setbacks: int) -> None:
    hands = Hands()
    clock = hands.clock()
    hands.pass_us(1_000_000, stepped_us=stepped_us)
    assert clock.now_us() == hands.wall // 1000
    hands.pass_us(1_000_000)
    clock.now_us()
    assert (clock.jumps, clock.setbacks) == (jumps, setbacks)


def test_slewing_never_adds_up_to_a_step() -> None:
    hands = Hands()
    clock = hands.clock()
    for _ in range(1000):
        hands.pass_us(1_000_000, stepped_us=500)
        clock.now_us()
    assert (clock.jumps, clock.setbacks) == (0, 0)


async def test_sleeping_ends_at_the_slot_and_not_before() -> None:
    clock = Clock()
    slot = clock.now_us() + 30_000
    await clock.sleep_until(slot)
    assert 0 <= clock.now_us() - slot < 500_000


async def test_a_sleeper_returns_when_the_clock_is_set_back() -> None:
    hands = Hands()
    clock = hands.clock()
    sleeper = asyncio.create_task(clock.sleep_until(hands.wall // 1000 + 1_000))
    await asyncio.sleep(0)
    hands.pass_us(1_000, stepped_us=-3_600_000_000)
    async with asyncio.timeout(5):
        await sleeper
    assert clock.setbacks == 1
