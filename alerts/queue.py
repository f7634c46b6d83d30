"""From transitions to what waits for each hook, on disk: nothing is forgotten, nothing told twice.

Position, standing alerts and what waits change in one transaction. What waits is the latest news of
each alert for each hook, so there is never more of it than alerts times hooks: a receiver that
comes back after a week hears how things are, once, and not of all that came and went.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime

import prometheus_client

from alerts.history import Told
from alerts.manner import Manner
from alerts.notice import Status
from alerts.notice_json import transition_from_json, transition_to_json
from alerts.queue_file import QueueFile
from alerts.restore import latest
from alerts.route import Router, Target, is_quiet, news
from alerts.silences import Silences
from facility.alert import State, Transition
from facility.alert_routes import Match

KEPT_GROUP_S = 7 * 86_400
_BEGUN = ""
"""Stands among the outboxes once the first history is taken."""
_ENDED = frozenset({State.NORMAL, State.RETURNED})

UNROUTED = prometheus_client.Counter(
    "busway_alert_unrouted", "Alerts that fire and that no route leads to a hook."
)


class Queue:
    """What waits; for any number of threads."""

    def __init__(
        self,
        file: QueueFile,
        router: Router,
        manners: Mapping[str, Manner],
        *,
        urgent: Collection[str] = (),
    ) -> None:
        """Take it up; `urgent` names rules whose alerts wait for no others."""
        self._file = file
        self._router = router
        self._manners = manners
        self._urgent = frozenset(urgent)
        self._silences = Silences(file)
        self._quieted: list[Match] = []
        self._forget_hooks_that_are_gone()
        self.look_again(datetime.now(UTC))

    def take(self, told: Sequence[Told], now: datetime) -> int:
        """Take transitions, in order, each once; the first of all as history. Give how many.

        From the history before the first start, only what still stands is told.

        Raises:
            AlertQueueUnusable: nothing was taken.
        """
        with self._file.transaction():
            taken = dict(self._file.execute("SELECT outbox, seq FROM position"))
            new = [each for each in told if each.seq > taken.get(each.outbox, 0)]
            transitions = [each.transition for each in new]
            if _BEGUN not in taken:
                transitions = latest(transitions)
            for transition in transitions:
                self._note(transition, now)
            positions = {_BEGUN: 0}
            for each in new:
                positions[each.outbox] = max(each.seq, positions.get(each.outbox, 0))
            for position in positions.items():
                self._file.execute("INSERT OR REPLACE INTO position VALUES (?, ?)", *position)
        return len(transitions)

    def look_again(self, now: datetime) -> None:
        """Tell what a silence or maintenance that is over has kept back."""
        maintained = [each.match for each in self._router.maintained(now)]
        quieted = [*self._silences.quieted(now), *maintained]
        if quieted == self._quieted:
            return
        with self._file.transaction():
            self._quieted = quieted
            for (row,) in self._file.execute("SELECT transition FROM standing"):
                self._consider(transition_from_json(json.loads(row)), now)

    def standing(self) -> list[tuple[datetime, Transition]]:
        """Give every alert that is not normal, and since when, the most urgent first."""
        rows = self._file.execute("SELECT began_at, transition FROM standing")
        found = [
            (datetime.fromisoformat(at), transition_from_json(json.loads(r))) for at, r in rows
        ]
        return sorted(found, key=lambda each: (each[1].priority, each[0]))

    def is_quiet(self, transition: Transition) -> bool:
        """Tell whether a silence or maintenance keeps an alert back."""
        return is_quiet(self._router.labels(transition), self._quieted)

    def depths(self) -> dict[str, int]:
        """Say how many alerts wait for each hook, those on their way as well."""
        found = dict.fromkeys(self._manners, 0)
        for table, condition in (("mark", "waiting <> ''"), ("outgoing", "true")):
            counted = self._file.execute(
                f"SELECT hook, count(*) FROM {table} WHERE {condition} GROUP BY hook"  # noqa: S608
            )
            for hook, count in counted:
                found[hook] += count
        return found

    def _note(self, transition: Transition, now: datetime) -> None:
        known = self._file.execute(
            "SELECT began_at, transition FROM standing WHERE alert = ?", transition.alert
        )
        began_at = transition.happened_at.isoformat()
        if known and State(json.loads(known[0][1])["state"]) not in _ENDED:
            began_at = known[0][0]
        text = json.dumps(transition_to_json(transition))
        self._file.execute(
            "INSERT OR REPLACE INTO standing VALUES (?, ?, ?)", transition.alert, began_at, text
        )
        self._consider(transition, now)
        is_firing = transition.state is State.FIRING
        if is_firing and not self._router.targets(self._router.labels(transition)):
            UNROUTED.inc()
        if transition.state is State.NORMAL:
            self._file.execute("DELETE FROM standing WHERE alert = ?", transition.alert)

    def _consider(self, transition: Transition, now: datetime) -> None:
        """Let each hook wait for what it is to be told of an alert now."""
        marks = {
            hook: (key, waiting or told)
            for hook, key, told, waiting in self._file.execute(
                "SELECT hook, key, told, waiting FROM mark WHERE alert = ?", transition.alert
            )
        }
        labels = self._router.labels(transition)
        quiet = is_quiet(labels, self._quieted)
        targets = {target.hook: target for target in self._router.targets(labels)}
        for hook in targets.keys() | marks.keys():
            key, told = marks.get(hook, ("", ""))
            status = news(
                transition.state,
                Status(told) if told else None,
                quiet=quiet,
                takes_acknowledgements=self._manners[hook].takes_acknowledgements,
            )
            if status is not None:
                key = key or self._group(targets[hook])
                self._let_wait(hook, key, transition, status, now)

    def _let_wait(
        self, hook: str, key: str, transition: Transition, status: Status, now: datetime
    ) -> None:
        self._file.execute(
            "INSERT INTO mark (hook, alert, key, waiting, notice, since_s, is_urgent)"
            " SELECT ?, alert, ?, ?, json_object('began_at', began_at, 'transition',"
            " json(transition)), ?, ? FROM standing WHERE alert = ?"
            " ON CONFLICT DO UPDATE SET waiting = excluded.waiting, notice = excluded.notice,"
            " since_s = CASE WHEN mark.waiting = '' THEN excluded.since_s ELSE mark.since_s END,"
            " is_urgent = max(is_urgent, excluded.is_urgent)",
            *(hook, key, status, now.timestamp()),
            transition.rule in self._urgent,
            transition.alert,
        )

    def _group(self, target: Target) -> str:
        route, repeat_s = target.route, self._manners[target.hook].repeat_s
        self._file.execute(
            "INSERT INTO grouping (hook, key, labels, wait_s, interval_s, repeat_s)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET wait_s = excluded.wait_s,"
            " interval_s = excluded.interval_s, repeat_s = excluded.repeat_s",
            *(target.hook, target.group, json.dumps(target.labels)),
            *(route.group_wait_seconds, route.group_interval_seconds),
            route.repeat_hours * 3600 if repeat_s is None else repeat_s,
        )
        return target.group

    def _forget_hooks_that_are_gone(self) -> None:
        with self._file.transaction():
            for hook in self._kept_hooks() - self._manners.keys():
                for table in ("mark", "grouping", "outgoing"):
                    self._file.execute(f"DELETE FROM {table} WHERE hook = ?", hook)  # noqa: S608
            self._file.execute(
                "DELETE FROM grouping WHERE told_s < ? AND NOT EXISTS (SELECT 1 FROM mark"
                " WHERE mark.hook = grouping.hook AND mark.key = grouping.key)",
                datetime.now(UTC).timestamp() - KEPT_GROUP_S,
            )

    def _kept_hooks(self) -> set[str]:
        rows: Iterable[tuple[str]] = self._file.execute("SELECT hook FROM grouping")
        return {hook for (hook,) in rows}
