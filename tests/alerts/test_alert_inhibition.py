"""One trip is one alert; what begins first is kept; nothing explains itself away."""

from __future__ import annotations

import pytest
from alert_rig import Player, rule, times, watch

from alerts.board import Deed
from alerts.watch import Suppressor
from facility.alert import State

TRIP = rule("trip", class_="power", suppressed_by=(Suppressor("trip", "upstream"),))
DARK = rule("dark", suppressed_by=(Suppressor("trip", "upstream"), Suppressor("trip", "device")))
RACKS = [f"rack-{n}" for n in range(400)]
FEEDS = [("main", "bus"), *(("bus", rack) for rack in RACKS), ("other", "rack-x")]


def site() -> Player:
    """A breaker above 400 racks, and a rack of another feed; `stale` 3 s, so 2 s of waiting."""

    def trip(device):
        return watch(device, rule="trip", fire=0.5, clear=0.5, stale=3)

    def dark(device):
        return watch(device, rule="dark", fire=0.5, clear=0.5, stale=3)

    watches = [trip("main"), trip("bus"), *map(dark, RACKS), dark("rack-x")]
    return Player(watches, [TRIP, DARK], FEEDS)


def play(player: Player, begin: int, end: int, **on) -> None:
    for at in range(begin, end):
        player.sample(
            at, *((key, key[0] in on.get("out", ())) for key in player.board.table.series)
        )
        player.tick(at + 0.5)


def seen(player: Player) -> list[tuple[str, str, float]]:
    told = [t for t in player.told if t.state is not State.SUPPRESSED]
    return [(t.device, *at) for t, at in zip(told, times(told), strict=True)]


def test_a_trip_above_400_racks_is_one_alert():
    player = site()
    play(player, 0, 3)
    play(player, 3, 10, out=("main", "bus", *RACKS))
    assert seen(player) == [("main", "firing", 3.0)]
    suppressed = [t for t in player.told if t.state is State.SUPPRESSED]
    assert {t.device for t in suppressed} == {"bus", *RACKS}
    assert {t.cause for t in suppressed} == {player.told[0].alert}
    play(player, 10, 30)
    told = [(t.device, t.state) for t in player.told if t.state is not State.SUPPRESSED]
    assert told[:2] == [("main", "firing"), ("main", "returned")]
    assert set(told[2:]) == {(device, State.NORMAL) for device in ("bus", *RACKS)}


def test_children_that_are_read_before_the_breaker_wait_for_it():
    player = site()
    play(player, 0, 3)
    player.sample(3, *(((rack, "", "q"), 1) for rack in RACKS))
    player.tick(3.9)
    player.sample(4, (("main", "", "q"), 1))
    play(player, 5, 10, out=("main", *RACKS))
    assert seen(player) == [("main", "firing", 4.0)]


def test_the_cause_is_traced_to_what_nothing_explains():
    player = site()
    play(player, 0, 3)
    player.sample(3, (("bus", "", "q"), 1), (("rack-1", "", "q"), 1))
    play(player, 4, 10, out=("main", "bus", "rack-1"))
    main = player.board.table.alert[0]
    told = {t.device: t.cause for t in player.told if t.state is State.SUPPRESSED}
    assert told == {"bus": main, "rack-1": main}


def test_what_latches_and_was_never_seen_leaves_nothing_behind():
    player = Player(
        [
            watch("main", rule="trip", stale=3),
            watch("rack-1", rule="dark", stale=3, latch=True),
        ],
        [TRIP, DARK],
        FEEDS,
    )
    for at, value in enumerate((31, 31, 31, 31, 20, 20)):
        player.sample(at, value, value)
    assert [t.state for t in player.told if t.device == "rack-1"] == ["suppressed", "normal"]


def test_what_began_long_before_is_not_explained():
    player = site()
    play(player, 0, 10, out=("rack-7",))
    play(player, 10, 15, out=("rack-7", "main"))
    assert [row[:2] for row in seen(player)] == [("rack-7", "firing"), ("main", "firing")]
    assert player.board.counts()[State.SUPPRESSED] == 0


def test_another_feed_is_not_explained():
    player = site()
    play(player, 0, 10, out=("rack-x", "main", *RACKS))
    assert {row[0] for row in seen(player)} == {"main", "rack-x"}


def test_a_child_that_stays_out_when_the_breaker_is_back_fires():
    player = site()
    play(player, 0, 5, out=("main", *RACKS))
    play(player, 5, 20, out=("rack-9",))
    later = [row for row in seen(player) if row[1] == "firing"]
    assert [row[0] for row in later] == ["main", "rack-9"]
    assert 5 + 3 <= later[1][2] <= 5 + 6


def test_an_urgent_alert_does_not_wait_and_is_suppressed_afterwards():
    player = Player(
        [
            watch("main", rule="trip", stale=3),
            watch("rack-1", rule="dark", stale=3, urgent=True),
        ],
        [TRIP, DARK],
        FEEDS,
    )
    assert player.sample(0, (("rack-1", "", "q"), 31)) == ["firing"]
    assert player.sample(1, (("main", "", "q"), 31)) == ["firing", "suppressed"]


def test_a_cause_that_is_out_of_service_explains_nothing():
    player = site()
    player.act(Deed.TAKE_OUT_OF_SERVICE, 0)
    play(player, 1, 8, out=("main", "rack-3"))
    assert [row[0] for row in seen(player) if row[1] == "firing"] == ["rack-3"]


def test_rules_that_explain_each_other_are_refused():
    one = rule("one", suppressed_by=(Suppressor("two", "device"),))
    two = rule("two", suppressed_by=(Suppressor("one", "device"),))
    with pytest.raises(ValueError, match=r"in a circle: (one -> two -> one|two -> one -> two)"):
        Player([watch(rule="one"), watch("e", rule="two")], [one, two])
