"""What is told, to whom, with what, and when; and what a restart remembers of it. No clock runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hook_rig import T0, Story, change, route, site, webhook

from alerts.manner import manner_of
from alerts.notice import Notification, Status
from alerts.notice_json import from_json, to_json
from alerts.outgoing import MOST_NOTICES, Composer, Outgoing
from alerts.queue import Queue
from alerts.queue_file import QueueFile
from alerts.route import Router
from alerts.silences import Silences
from facility.alert import State, Transition
from facility.alert_routes import Match
from facility.errors import AlertQueueUnusable

URL = "http://127.0.0.1:9"
PAGER = {"kind": "pagerduty", "routing_key": {"env": "X"}}
MANAGER = {"kind": "alertmanager", "url": URL}
F, N, R, A, D = State.FIRING, State.NORMAL, State.RETURNED, State.ACKNOWLEDGED, State.NO_DATA


class Desk:
    """A queue with hooks, played by hand; times in seconds since T0."""

    def __init__(
        self, path: Path, hooks: dict[str, Any] | None = None, urgent=(), **alerts: Any
    ) -> None:
        self.site = site(hooks or {"a": webhook(URL)}, **alerts)
        self.story = Story()
        self._path = path
        self._urgent = urgent
        self._numbers: dict[str, int] = {}
        self.open()
        self.queue.take((), T0)

    def open(self) -> None:
        self.file = QueueFile(self._path)
        router = Router(self.site)
        manners = {name: manner_of(hook) for name, hook in self.site.alerts.hooks.items()}
        self.queue = Queue(self.file, router, manners, urgent=self._urgent)
        self.silences = Silences(self.file)
        self._composers = {
            name: Composer(self.file, router, name, manner, is_quiet=self.queue.is_quiet)
            for name, manner in manners.items()
        }

    def restart(self) -> None:
        self.file.close()
        self.open()

    def take(self, at: float, *changes: Transition) -> None:
        self.queue.take(self.story.tell(*changes), T0 + timedelta(seconds=at))

    def change(self, at: float, state: State, device: str = "d-0", **changes: Any) -> None:
        number = self._numbers[device] = self._numbers.get(device, 0) + 1
        moment = T0 + timedelta(seconds=at)
        changes = {"happened_at": moment, "decided_at": moment, "number": number} | changes
        self.take(at, change(device, state, **changes))

    def next(self, at: float, hook: str = "a") -> Outgoing | float:
        return self._composers[hook].next(T0 + timedelta(seconds=at))

    def sent(self, at: float, hook: str = "a") -> list[list[str]]:
        """Deliver all that is due; of each notification what is new in it."""
        found = []
        while isinstance(outgoing := self.next(at, hook), Outgoing):
            self._composers[hook].done(outgoing.notification)
            found.append(words(outgoing.notification))
        return found


def words(notification: Notification) -> list[str]:
    return [f"{each.transition.device} {each.status}" for each in notification.new]


@pytest.fixture
def desk(tmp_path: Path) -> Callable[..., Desk]:
    made: list[Desk] = []

    def make(**given: Any) -> Desk:
        made.append(Desk(tmp_path / f"{len(made)}.sqlite", **given))
        return made[-1]

    yield make
    for each in made:
        each.file.close()


def test_alerts_that_are_alike_are_told_together_after_a_wait(desk) -> None:
    it = desk()
    it.change(0.0, F, "d-0")
    it.change(0.2, F, "d-1")
    it.change(0.2, F, "d-2", rule="wet")
    assert it.next(0.4) == pytest.approx(0.1)
    assert it.sent(0.5) == [["d-0 firing", "d-1 firing"]]
    assert it.sent(0.7) == [["d-2 firing"]]


def test_a_group_is_told_again_no_sooner_than_its_interval_but_for_urgent_rules(desk) -> None:
    it = desk(urgent=["now"])
    it.change(0, F, "d-0")
    assert it.sent(1) == [["d-0 firing"]]
    it.change(2, F, "d-1")
    it.change(2, F, "d-2", rule="now")
    assert it.sent(2) == [["d-2 firing"]]
    assert it.sent(10.9) == []
    assert it.sent(11) == [["d-1 firing"]]


def test_a_notification_has_all_of_its_group_and_is_resolved_only_as_a_whole(desk) -> None:
    it = desk(routes=[route("a")])
    it.change(0, F, "d-0")
    it.change(0, F, "d-1")
    it.sent(0)
    it.change(1, N, "d-0")
    outgoing = it.next(1)
    assert words(outgoing.notification) == ["d-0 resolved"]
    assert len(outgoing.notification.notices) == 2
    assert outgoing.notification.status is Status.FIRING
    it.sent(1)
    it.change(2, N, "d-1")
    last = it.next(2).notification
    assert last.status is Status.RESOLVED
    assert len(last.notices) == 1
    assert from_json(to_json(last)) == last


def test_what_came_and_went_within_the_wait_is_told(desk) -> None:
    it = desk()
    it.change(0.0, F)
    it.change(0.2, N)
    assert it.sent(1) == [["d-0 resolved"]]
    assert it.sent(100) == []


def test_no_data_shelving_and_suppression_never_say_that_it_is_over(desk) -> None:
    for state in (D, State.SHELVED, State.SUPPRESSED, State.OUT_OF_SERVICE):
        it = desk(routes=[route("a")])
        it.change(0, F)
        assert it.sent(0) == [["d-0 firing"]]
        it.change(1, state)
        assert it.sent(1) == []
        it.change(2, F)
        assert it.sent(2) == []
        it.change(3, R)
        assert it.sent(3) == [["d-0 resolved"]]
        it.change(4, N)
        assert it.sent(4) == []


def test_what_fires_is_repeated_until_somebody_acknowledges_it(desk) -> None:
    it = desk(routes=[route("a", repeat_hours=1)])
    it.change(0, F)
    first = it.next(0).notification
    it.sent(0)
    assert it.sent(3599) == []
    again = it.next(3600).notification
    assert words(again) == ["d-0 firing"]
    assert again.delivery != first.delivery
    it.sent(3600)
    it.change(3700, D)
    assert it.sent(7200) == [["d-0 firing"]]
    it.change(7300, A)
    assert it.sent(20_000) == []
    it.change(20_001, N)
    assert it.sent(20_001) == [["d-0 resolved"]]


def test_pagerduty_hears_of_acknowledgements_and_an_alertmanager_of_all_that_stands(desk) -> None:
    hooks = {"a": webhook(URL), "p": PAGER, "m": MANAGER}
    it = desk(hooks=hooks, routes=[route(*hooks)])
    it.change(0, F)
    assert it.sent(0, "p") == it.sent(0, "m") == it.sent(0) == [["d-0 firing"]]
    it.change(1, A)
    assert it.sent(1, "p") == [["d-0 acknowledged"]]
    assert it.sent(1) == it.sent(1, "m") == []
    assert it.sent(61, "m") == [["d-0 acknowledged"]]
    it.change(62, State.SHELVED)
    assert len(it.sent(130, "m")) == 1
    assert it.sent(10**6, "p") == []


def test_routes_by_priority_class_and_place(desk) -> None:
    hooks = {name: webhook(URL) for name in ("a", "b", "c")}
    routes = [
        route("b", match={"priority": 1}, go_on=True),
        route("c", match={"class": ["leak", "fire*"], "hall": "h-1"}),
        route(match={"rule": "noise"}),
        route("a"),
    ]
    it = desk(hooks=hooks, routes=routes)
    it.change(0, F, "d-0", priority=1)
    it.change(0, F, "d-1", class_="fire-alarm")
    it.change(0, F, "d-2", class_="leak")
    it.change(0, F, "d-3", rule="noise")
    assert it.sent(0, "b") == [["d-0 firing"]]
    assert it.sent(0, "c") == [["d-1 firing"]]
    assert it.sent(0, "a") == [["d-0 firing", "d-2 firing"]]


def test_a_silence_keeps_back_what_begins_and_not_what_ends(desk) -> None:
    it = desk(routes=[route("a")])
    it.change(0, F, "d-0")
    it.sent(0)
    made = it.silences.add(
        Match(device=("d-*",)), T0 + timedelta(seconds=1), T0 + timedelta(hours=1), "kim", "works"
    )
    it.queue.look_again(T0 + timedelta(seconds=1))
    it.change(2, F, "d-1")
    it.change(2, F, "d-2")
    it.change(2, N, "d-0")
    it.change(3, N, "d-2")
    assert it.sent(3) == [["d-0 resolved"]]
    it.queue.look_again(T0 + timedelta(seconds=3599))
    assert it.sent(3599) == []
    assert it.silences.end(made.id, T0 + timedelta(seconds=3599))
    assert not it.silences.end(made.id, T0 + timedelta(seconds=3599))
    it.queue.look_again(T0 + timedelta(seconds=3599))
    assert it.sent(3599) == [["d-1 firing"]]


def test_maintenance_once_and_each_week_over_midnight(desk) -> None:
    once = {"starts_at": T0, "ends_at": T0 + timedelta(hours=1)}
    weekly = {"days": ["tue"], "from_time": "11:30", "to_time": "02:00"}
    windows = [
        {"name": "x", "match": {"device": "d-1"}, **once},
        {"name": "y", "match": {"device": "d-2"}, **weekly},
    ]
    it = desk(routes=[route("a", repeat_hours=0)], maintenance=windows)
    it.queue.look_again(T0)
    for device in ("d-0", "d-1", "d-2"):
        it.change(0, F, device)
    heard = {}
    for hour in range(24):
        it.queue.look_again(T0 + timedelta(hours=hour))
        heard |= {text: hour for told in it.sent(3600 * hour) for text in told}
    assert heard == {"d-0 firing": 0, "d-1 firing": 1, "d-2 firing": 14}


def test_a_restart_neither_skips_nor_repeats(desk) -> None:
    it = desk(routes=[route("a")])
    it.change(0, F, "d-0")
    outgoing = it.next(0)
    it.change(1, F, "d-1")
    it.restart()
    assert it.queue.take(it.story.told, T0) == 0
    again = it.next(1)
    assert again.notification == outgoing.notification
    assert it.sent(1) == [["d-0 firing"], ["d-1 firing"]]
    lost = it.story.tell(change("d-2"))  # stored by the engine, killed before it was heard
    it.restart()
    assert it.queue.take(it.story.told, T0) == len(lost)
    assert it.sent(2) == [["d-2 firing"]]
    assert it.queue.take(Story("another").tell(change("d-3")), T0) == 1


def test_of_the_history_before_the_first_start_only_what_stands_is_told(tmp_path: Path) -> None:
    it = Desk.__new__(Desk)
    it.site, it._path, it._urgent = site({"a": webhook(URL)}), tmp_path / "q", ()
    it.open()
    history = Story().tell(
        change("d-0", F), change("d-0", N, number=2, previous=F), change("d-1", F)
    )
    it.queue.take(history, T0)
    assert it.sent(1) == [["d-1 firing"]]
    assert [told.device for _, told in it.queue.standing()] == ["d-1"]
    it.file.close()


def test_a_thousand_alerts_are_more_than_one_notification_and_none_is_lost(desk) -> None:
    it = desk(routes=[route("a")])
    it.take(0, *(change(f"d-{n}", F) for n in range(MOST_NOTICES + 500)))
    sent = it.sent(0)
    assert [len(told) for told in sent] == [MOST_NOTICES, 500]
    assert len({text for told in sent for text in told}) == MOST_NOTICES + 500
    it.take(1, *(change(f"d-{n}", N, number=2) for n in range(MOST_NOTICES)))
    outgoing = it.next(1)
    assert outgoing.notification.others == 500
    assert outgoing.notification.status is Status.FIRING


def test_what_waits_is_bounded_by_the_alerts_there_are(desk) -> None:
    it = desk(routes=[route("a")])
    for number in range(200):
        it.change(number, (F, N)[number % 2])
        it.next(number)  # composed, and never delivered
    assert it.queue.depths() == {"a": 2}
    assert it.sent(1000) == [["d-0 firing"], ["d-0 resolved"]]


def test_a_hook_that_is_gone_is_forgotten(desk) -> None:
    hooks = {"a": webhook(URL), "b": webhook(URL)}
    it = desk(hooks=hooks, routes=[route("a", "b")])
    it.change(0, F)
    it.next(0, "b")
    it.site = site({"a": webhook(URL)}, routes=[route("a")])
    it.restart()
    assert it.queue.depths() == {"a": 1}
    it.change(1, N)
    assert it.sent(1) == [["d-0 resolved"]]


def test_a_damaged_file_is_moved_aside(tmp_path: Path) -> None:
    path = tmp_path / "q.sqlite"
    path.write_bytes(b"no database at all, whatever it was" * 100)
    QueueFile(path).close()
    assert len(list(tmp_path.glob("q.sqlite.damaged-*"))) == 1


def test_a_queue_has_one_process(tmp_path: Path) -> None:
    first = QueueFile(tmp_path / "q")
    with pytest.raises(AlertQueueUnusable, match="locked"):
        QueueFile(tmp_path / "q")
    first.close()
