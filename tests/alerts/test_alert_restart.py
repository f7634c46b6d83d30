"""What a restart, or a wider table, begins with: everything stands as it stood."""

from __future__ import annotations

import random

import pytest
from alert_rig import T0, Player, rule, times, us, watch

from alerts.adopt import moves
from alerts.board import Action, Board, Deed
from alerts.restore import latest
from alerts.watch import Measure, Suppressor, build_table
from facility.alert import State
from facility.errors import AlertUnknown

TRIP = rule("trip")
DARK = rule("dark", suppressed_by=(Suppressor("trip", "upstream"),))


def again(player: Player, watches, *, at: float, rules=(), feeds=()) -> Player:
    """Another engine, that has only the transitions of this one."""
    return Player(watches, rules, feeds, last=latest(player.told), at=at)


def test_a_firing_alert_goes_on_firing_and_says_nothing():
    watches = [watch(on=5)]
    before = Player(watches)
    before.sample(0, 31)
    before.sample(6, 31)
    after = again(before, watches, at=0)
    for at in (0, 6, 7, 20):
        after.sample(at, 31)
        after.tick(at)
    assert after.told == []
    assert after.sample(30, 20) == ["returned"]
    assert after.told[0].number == 2


def test_samples_that_were_judged_change_nothing_when_they_are_read_again():
    watches = [watch()]
    before = Player(watches)
    for at, value in enumerate((31, 20, 31, 20)):
        before.sample(at, value)
    after = again(before, watches, at=0)
    for at, value in enumerate((31, 20, 31, 20)):
        after.sample(at, value)
    assert after.told == []
    after.sample(4, 31)
    assert [(t.number, t.state) for t in after.told] == [(5, State.FIRING)]


def test_a_device_that_vanished_meanwhile_has_no_data_and_is_not_resolved():
    watches = [watch(stale=30)]
    before = Player(watches)
    before.sample(0, 31)
    after = again(before, watches, at=1000)
    assert after.tick(1059) == [], "its collector may have to start first"
    assert after.tick(1060) == ["no_data"]
    third = again(after, watches, at=2000)
    third.tick(5000)
    assert third.told == []
    assert third.sample(5001, 31) == ["firing"]


def test_silence_that_was_known_is_not_told_again():
    watches = [watch(measure=Measure.SILENCE, stale=30)]
    before = Player(watches)
    before.tick(61)
    after = again(before, watches, at=100)
    after.tick(1000)
    assert after.told == []
    assert after.sample(1001, 1) == ["returned"]


@pytest.mark.parametrize("is_gone", [False, True])
def test_what_operators_did_is_remembered(is_gone):
    watches = [watch(name, stale=50) for name in "abcd"]
    before = Player(watches)
    before.sample(0, 31, 31, 31, 31)
    before.act(Deed.ACKNOWLEDGE, 1, which=0)
    before.act(Deed.SHELVE, 1, which=1, until=100)
    before.act(Deed.TAKE_OUT_OF_SERVICE, 1, which=2)
    if is_gone:
        before.tick(60)
    after = again(before, watches, at=60)
    after.sample(61, 31, 31, 31, 20)
    wanted = ["acknowledged", "returned"] if is_gone else ["returned"]
    assert sorted(str(t.state) for t in after.told) == wanted
    after.sample(99, 31, 31, 31, 20)
    after.tick(101)
    assert times(after.told)[len(wanted) :] == [("firing", 100.0)]
    assert after.act(Deed.PUT_BACK, 102, which=2) == ["firing"]


def test_an_acknowledgement_while_there_is_no_data_is_remembered():
    watches = [watch(stale=30)]
    before = Player(watches)
    before.sample(0, 31)
    before.tick(40)
    assert before.act(Deed.ACKNOWLEDGE, 41) == ["no_data"]
    assert again(before, watches, at=50).sample(51, 31) == ["acknowledged"]


def test_what_is_explained_stays_so():
    watches = [watch("b", rule="trip", stale=3), watch("r", rule="dark", stale=3)]
    given = {"rules": [TRIP, DARK], "feeds": [("b", "r")]}
    before = Player(watches, given["rules"], given["feeds"])
    for at in (0, 1, 2, 3):
        before.sample(at, 31, 31)
        before.tick(at)
    assert before.board.counts()[State.SUPPRESSED] == 1
    after = again(before, watches, at=3, **given)
    for at in (4, 5, 6):
        after.sample(at, 31, 31)
        after.tick(at)
    assert after.told == []
    after.sample(7, 20, 20)
    assert [(t.device, t.state) for t in after.told] == [
        ("b", State.RETURNED), ("r", State.NORMAL),
    ]  # fmt: skip


def test_what_is_explained_no_more_when_it_restarts_fires_after_a_while():
    watches = [watch("b", rule="trip", stale=3), watch("r", rule="dark", stale=3)]
    given = {"rules": [TRIP, DARK], "feeds": [("b", "r")]}
    before = Player(watches, given["rules"], given["feeds"])
    for at in (0, 1, 2, 3):
        before.sample(at, 31, 31)
        before.tick(at)
    before.sample(4, 20, 31)
    after = again(before, watches, at=5, **given)
    for at in range(5, 20):
        after.sample(at, 20, 31)
        after.tick(at)
    ((state, fired_at),) = times(after.told)
    assert (state, 9 <= fired_at <= 12) == ("firing", True)


def test_what_a_rule_lets_nothing_explain_any_more_fires_at_once():
    watches = [watch("b", rule="trip", stale=3), watch("r", rule="dark", stale=3)]
    before = Player(watches, [TRIP, DARK], [("b", "r")])
    for at in range(4):
        before.sample(at, 31, 31)
    after = again(before, watches, at=4, rules=[TRIP, rule("dark")])
    assert [(t.device, t.state) for t in after.told] == [("r", State.FIRING)]


def test_an_alert_whose_rule_is_gone_is_ended():
    before = Player([watch("a"), watch("b")])
    before.sample(0, 31, 31)
    after = again(before, [watch("a")], at=10)
    assert [(t.device, t.state, t.number) for t in after.told] == [("b", State.NORMAL, 2)]
    assert after.told[0].message.startswith("No longer watched.")


def test_an_alert_whose_part_has_not_shown_itself_yet_waits_for_it():
    old = Player([watch("a"), watch("b")])
    old.sample(0, 31, 31)
    narrow = Board(build_table([rule()], [watch("a")]), ())
    assert narrow.start(latest(old.told), T0, may_return=lambda told: told.device == "b") == []
    wide = Board(old.board.table, ())
    wide.adopt(narrow, T0)
    assert wide.counts()[State.FIRING] == 2


def test_a_wider_table_changes_nothing_of_what_was_watched():
    """Whatever the moment of the change, all that is told is what one table would have told."""
    few = [
        watch("a", on=3, off=3),
        watch("b", measure=Measure.RATE, window=20, fire=5, clear=4),
        watch("c", measure=Measure.FROZEN, fire=5, clear=5),
        watch("d", measure=Measure.COUNT, fire=3, clear=3, window=32),
        watch("e", measure=Measure.SILENCE, stale=4),
    ]
    many = [watch("new-1"), *reversed(few), watch("new-2", measure=Measure.RATE, window=9)]
    for seed in range(8):
        dice = random.Random(seed)
        moment = dice.randrange(10, 90)
        one, two = Player(few), Player(few)
        for at in range(120):
            if at == moment:
                wider = Player(many, at=at)
                wider.told = two.told
                wider.board.adopt(two.board, T0 + us(at))
                two = wider
            values = [((name, "", "q"), dice.choice((20, 31))) for name in "abcd"]
            values += [(("e", "", "q"), 1)] * (at % 10 < 3)
            for player in (one, two):
                player.sample(at, *values)
                player.tick(at + 0.5)
        assert len(one.told) > 15
        assert sorted(times(one.told)) == sorted(times(two.told))


def test_a_wider_table_knows_the_causes():
    few = [watch("b", rule="trip", stale=3), watch("r", rule="dark", stale=3)]
    rules, feeds = [TRIP, DARK], [("b", "r")]
    player = Player(few, rules, feeds)
    for at in range(4):
        player.sample(at, 31, 31)
    wider = Player([watch("x", rule="dark"), *reversed(few)], rules, feeds)
    wider.board.adopt(player.board, T0 + us(4))
    assert wider.board.counts()[State.SUPPRESSED] == 1
    assert wider.board._inhibition.cause.tolist() == [-1, 2, -1]


def test_moves_are_by_name():
    found = moves(["a", "b", "c"], ["c", "x", "a"])
    assert (found.old.tolist(), found.new.tolist()) == ([2, 0], [0, 2])


def test_nobody_acts_on_what_is_not_there():
    player = Player([watch()])
    with pytest.raises(AlertUnknown, match="no alert has the id 'x'"):
        player.board.act(Action("x", Deed.ACKNOWLEDGE, "kim"), T0, T0)
