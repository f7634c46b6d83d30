"""The state machine: by hand where it matters, by hypothesis against a slow oracle."""

from __future__ import annotations

from itertools import pairwise

import pytest
from alert_rig import Player, times, watch
from hypothesis import given, settings
from hypothesis import strategies as st
from machine_oracle import Oracle

from alerts.board import Deed
from facility.alert import State


def test_it_fires_after_its_delay_and_returns_after_its_other():
    player = Player([watch(on=5, off=10)])
    for second in range(40):
        player.sample(second, 31 if 3 <= second < 20 else 20)
    assert times(player.told) == [("firing", 8.0), ("returned", 30.0)]
    assert [told.number for told in player.told] == [1, 2]
    assert [told.previous for told in player.told] == [State.NORMAL, State.FIRING]
    assert player.told[0].message == "d: 31"
    assert player.told[0].threshold == 30.0


def test_the_clock_ends_a_delay_between_samples():
    player = Player([watch(on=5, stale=60)])
    player.sample(0, 31)
    assert player.tick(4.9) == []
    assert player.tick(5.0) == ["firing"]
    assert player.sample(20, 31) == []


def test_a_breach_shorter_than_the_delay_is_no_alert_even_if_the_clock_comes_late():
    player = Player([watch(on=5)])
    player.sample(0, 31)
    player.sample(4, 20)
    player.tick(100)
    assert player.told == []


def test_flapping_inside_the_dead_band_makes_no_noise():
    player = Player([watch()])
    player.sample(0, 31)
    for second in range(1, 200):
        player.sample(second, 28.1 if second % 2 else 31)
    assert times(player.told) == [("firing", 0.0)]
    quiet = Player([watch()])
    for second in range(200):
        quiet.sample(second, 29.9 if second % 2 else 28.1)
    assert quiet.told == []


def test_flapping_across_the_band_within_the_delays_makes_no_noise():
    player = Player([watch(on=3, off=3)])
    for second in range(200):
        player.sample(second, 31 if second % 2 else 20)
    assert player.told == []


def test_below_is_the_same_the_other_way():
    player = Player([watch(fire=5.0, clear=6.0, below=True)])
    for at, value in enumerate((7, 5, 4.9, 5.5, 6, 5.5)):
        player.sample(at, value)
    assert times(player.told) == [("firing", 2.0), ("returned", 4.0)]


def test_a_vanished_device_never_resolves_its_alert():
    player = Player([watch(off=5, stale=30)])
    player.sample(0, 31)
    for second in range(1, 10_000, 7):
        player.tick(second)
    assert times(player.told) == [("firing", 0.0), ("no_data", 30.0)]
    player.sample(10_001, 31)
    assert times(player.told[2:]) == [("firing", 10_001.0)]
    player.tick(10_040)
    player.sample(10_050, 20)
    player.sample(10_055, 20)
    assert times(player.told[3:]) == [
        ("no_data", 10_031.0), ("firing", 10_050.0), ("returned", 10_055.0),
    ]  # fmt: skip


def test_clear_for_less_than_its_delay_and_then_gone_is_not_over():
    player = Player([watch(off=60, stale=30)])
    player.sample(0, 31)
    player.sample(1, 20)
    player.tick(1000)
    assert times(player.told) == [("firing", 0.0), ("no_data", 31.0)]


def test_a_delay_begins_anew_after_there_was_no_data():
    player = Player([watch(on=40, off=40, stale=30)])
    player.sample(0, 31)
    player.sample(50, 31)
    player.sample(70, 31)
    player.sample(90, 31)
    player.sample(100, 20)
    player.sample(150, 20)
    player.sample(170, 20)
    player.sample(190, 20)
    assert times(player.told) == [
        ("firing", 90.0), ("no_data", 130.0), ("firing", 150.0), ("returned", 190.0),
    ]  # fmt: skip


def test_an_uncertain_value_may_fire_and_never_clears():
    player = Player([watch()])
    player.sample(0, 99, uncertain=True)
    player.sample(1, 20, uncertain=True)
    assert times(player.told) == [("firing", 0.0)]
    player.sample(2, 20)
    assert times(player.told)[1:] == [("returned", 2.0)]


def test_acknowledged_before_and_after_it_is_over():
    player = Player([watch()])
    player.sample(0, 31)
    assert player.act(Deed.ACKNOWLEDGE, 1) == ["acknowledged"]
    assert player.told[-1].actor == "kim"
    assert player.sample(2, 20) == ["normal"]
    player.sample(3, 31)
    assert player.sample(4, 20) == ["returned"]
    assert player.act(Deed.ACKNOWLEDGE, 5) == ["normal"]


def test_what_latches_ends_only_by_an_acknowledgement_after_it_has_cleared():
    player = Player([watch(latch=True)])
    player.sample(0, 31)
    assert player.act(Deed.ACKNOWLEDGE, 1) == ["acknowledged"]
    assert player.sample(2, 20) == []
    player.tick(20)
    assert player.act(Deed.ACKNOWLEDGE, 21) == ["normal"]
    player.sample(30, 31)
    player.sample(31, 20)
    assert player.act(Deed.ACKNOWLEDGE, 32) == ["normal"]
    player.sample(33, 31)
    player.sample(34, 20)
    assert player.sample(35, 31) == []
    assert times(player.told)[-1] == ("firing", 33.0)


def test_an_acknowledged_latched_alert_fires_anew_when_it_happens_again():
    player = Player([watch(latch=True)])
    player.sample(0, 31)
    player.act(Deed.ACKNOWLEDGE, 1)
    player.sample(2, 20)
    assert player.sample(3, 31) == ["firing"]


def test_shelved_is_evaluated_and_comes_back_when_the_time_is_up():
    player = Player([watch()])
    player.sample(0, 31)
    assert player.act(Deed.SHELVE, 1, until=100) == ["shelved"]
    for second in range(2, 100):
        assert player.sample(second, 20 if second < 50 else 31) == []
    assert player.tick(101) == ["firing"]
    assert player.sample(102, 20) == ["returned"]
    player.act(Deed.SHELVE, 103, until=200)
    player.sample(104, 20)
    assert player.act(Deed.UNSHELVE, 105) == ["returned"]


def test_out_of_service_is_silent_until_it_is_put_back():
    player = Player([watch()])
    player.act(Deed.TAKE_OUT_OF_SERVICE, 0)
    player.sample(1, 31)
    assert times(player.told) == [("out_of_service", 0.0)]
    assert player.act(Deed.PUT_BACK, 2) == ["firing"]


def test_a_sample_that_is_not_newer_changes_nothing():
    player = Player([watch()])
    player.sample(10, 20)
    for second in (10, 5, 0):
        player.sample(second, 31)
    assert player.told == []


STEPS = st.lists(
    st.tuples(
        st.integers(1, 12),
        st.one_of(
            st.tuples(st.just("sample"), st.sampled_from([20, 28, 29, 30, 31])),
            st.tuples(st.just("uncertain"), st.sampled_from([20, 31])),
            st.tuples(st.just("tick"), st.just(0)),
            st.tuples(st.just("acknowledge"), st.just(0)),
            st.tuples(st.just("shelve"), st.integers(1, 40)),
            st.tuples(st.just("service"), st.booleans()),
        ),
    ),
    max_size=60,
)


@pytest.mark.parametrize("latch", [False, True])
@settings(max_examples=150, deadline=None)
@given(steps=STEPS, on=st.sampled_from([0, 3, 20]), off=st.sampled_from([0, 4, 15]))
def test_it_does_what_the_oracle_does(steps, on, off, latch):
    stale = 13
    player = Player([watch(on=on, off=off, stale=stale, latch=latch)])
    oracle = Oracle(on=on, off=off, stale=stale, latch=latch, fire=30, clear=28)
    at = 0
    for wait, (kind, what) in steps:
        at += wait
        if kind in {"sample", "uncertain"}:
            player.sample(at, what, uncertain=kind == "uncertain")
            oracle.sample(at, what, uncertain=kind == "uncertain")
        elif kind == "tick":
            player.tick(at)
            oracle.tick(at)
        elif kind == "acknowledge":
            player.act(Deed.ACKNOWLEDGE, at)
            oracle.acknowledge(at)
        elif kind == "shelve":
            player.act(Deed.SHELVE, at, until=at + what)
            oracle.shelve(at, at + what)
        else:
            player.act(Deed.TAKE_OUT_OF_SERVICE if what else Deed.PUT_BACK, at)
            oracle.set_out_of_service(at, out=what)
    assert times(player.told) == oracle.told
    assert [told.number for told in player.told] == list(range(1, len(player.told) + 1))
    assert all(one.state == two.previous for one, two in pairwise(player.told))
