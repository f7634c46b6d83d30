"""From what waits for a hook to notifications, composed once and kept until they are delivered.

A group has one notification on its way at a time. Whatever happens to its alerts meanwhile waits
for the next, and a kill -9 finds the same notification, with the same id, again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from alerts.manner import Manner
from alerts.notice import Notice, Notification, Status, delivery_id
from alerts.notice_json import from_json, to_json, transition_from_json
from alerts.queue_file import QueueFile
from alerts.route import REPEATED, Router
from facility.alert import State, Transition

_WAITING = """
SELECT mark.key, min(since_s), max(is_urgent), wait_s, interval_s, told_s
FROM mark JOIN grouping USING (hook, key)
WHERE hook = ? AND waiting <> ''
    AND NOT EXISTS (SELECT 1 FROM outgoing WHERE hook = mark.hook AND key = mark.key)
GROUP BY mark.key
"""
_REPEATED = """
SELECT key, told_s + repeat_s FROM grouping
WHERE hook = ? AND repeat_s > 0
    AND NOT EXISTS (SELECT 1 FROM outgoing WHERE hook = grouping.hook AND key = grouping.key)
    AND EXISTS (SELECT 1 FROM mark WHERE hook = grouping.hook AND key = grouping.key AND told <> '')
"""
_MARKS = """
SELECT told, waiting, CASE WHEN waiting <> '' THEN notice
    ELSE json_object('began_at', began_at, 'transition', json(transition)) END
FROM mark LEFT JOIN standing USING (alert)
WHERE hook = ? AND key = ? AND (waiting <> '' OR transition IS NOT NULL)
ORDER BY waiting = '', since_s
"""
MOST_NOTICES = 1000
"""In one notification, but for an Alertmanager, which must hear of all that stands."""
MOST_WAIT_S = 1.0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A notification on its way, and how often it has failed."""

    notification: Notification
    attempts: int


class Composer:
    """Composes what is due for one hook; for any number of threads."""

    def __init__(
        self,
        file: QueueFile,
        router: Router,
        hook: str,
        manner: Manner,
        *,
        is_quiet: Callable[[Transition], bool],
    ) -> None:
        self._file = file
        self._router = router
        self._hook = hook
        self._manner = manner
        self._is_quiet = is_quiet

    def next(self, now: datetime) -> Outgoing | float:
        """Give the notification to try next, or in how many seconds there may be one.

        Those that have failed least come first, then the most urgent.

        Raises:
            AlertQueueUnusable: the file cannot be read or written.
        """
        wait_s = MOST_WAIT_S
        for key, due_s, is_repetition in [*self._new(now.timestamp()), *self._repeated()]:
            if due_s <= now.timestamp():
                self._compose(key, now, is_repetition=is_repetition)
            else:
                wait_s = min(wait_s, due_s - now.timestamp())
        rows = self._file.execute(
            "SELECT attempts, body FROM outgoing WHERE hook = ?"
            " ORDER BY attempts, priority, made_s LIMIT 1",
            self._hook,
        )
        for attempts, body in rows:
            return Outgoing(from_json(json.loads(body)), attempts)
        return wait_s

    def done(self, notification: Notification) -> None:
        """Let go of it: it has arrived, or nobody will ever take it."""
        self._file.execute(
            "DELETE FROM outgoing WHERE hook = ? AND key = ?", self._hook, notification.group
        )

    def failed(self, notification: Notification) -> None:
        """Count an attempt, so that others come before it."""
        self._file.execute(
            "UPDATE outgoing SET attempts = attempts + 1 WHERE hook = ? AND key = ?",
            *(self._hook, notification.group),
        )

    def _new(self, now_s: float) -> Iterator[tuple[str, float, bool]]:
        for key, since_s, is_urgent, wait_s, interval_s, told_s in self._file.execute(
            _WAITING, self._hook
        ):
            went_back = max(since_s, told_s) > now_s  # the clock, that is
            at_once = is_urgent or went_back
            yield key, 0.0 if at_once else max(since_s + wait_s, told_s + interval_s), False

    def _repeated(self) -> Iterator[tuple[str, float, bool]]:
        waiting = {key for key, *_ in self._file.execute(_WAITING, self._hook)}
        for key, due_s in self._file.execute(_REPEATED, self._hook):
            if key not in waiting:
                yield key, due_s, True

    def _compose(self, key: str, now: datetime, *, is_repetition: bool) -> None:
        with self._file.transaction():
            marks = self._file.execute(_MARKS, self._hook, key)
            notices = [self._notice(*mark) for mark in marks]
            if not is_repetition or self._is_worth_repeating(notices):
                self._keep(self._notification(key, notices, now))
            is_whole = not self._file.execute(
                "SELECT 1 FROM mark WHERE hook = ? AND key = ? AND waiting <> '' LIMIT 1",
                *(self._hook, key),
            )
            if is_whole:
                self._file.execute(
                    "UPDATE grouping SET told_s = ? WHERE hook = ? AND key = ?",
                    *(now.timestamp(), self._hook, key),
                )

    def _notification(self, key: str, notices: Sequence[Notice], now: datetime) -> Notification:
        most = len(notices) if self._manner.mirrors else MOST_NOTICES
        told, others = notices[:most], notices[most:]
        labels, times = self._file.execute(
            "UPDATE grouping SET told_times = told_times + 1 WHERE hook = ? AND key = ?"
            " RETURNING labels, told_times",
            *(self._hook, key),
        )[0]
        new = [each.transition for each in told if each.is_new]
        return Notification(
            delivery=delivery_id(self._hook, key, new, times),
            hook=self._hook,
            site=self._router.site,
            group=key,
            group_labels=json.loads(labels),
            notices=tuple(sorted(told, key=_by_urgency)),
            others=sum(each.is_open for each in others),
            made_at=now,
        )

    def _keep(self, made: Notification) -> None:
        """Put it on its way, and note that its news are told."""
        self._file.execute(
            "INSERT INTO outgoing (hook, key, delivery, priority, made_s, body)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            *(self._hook, made.group, made.delivery),
            min(each.transition.priority for each in made.new),
            made.made_at.timestamp(),
            json.dumps(to_json(made)),
        )
        for notice in made.notices:
            if notice.is_new:
                self._file.execute(
                    "UPDATE mark SET told = waiting, waiting = '', notice = '', is_urgent = 0"
                    " WHERE hook = ? AND alert = ?",
                    *(self._hook, notice.transition.alert),
                )
        self._file.execute(
            "DELETE FROM mark WHERE hook = ? AND key = ? AND waiting = '' AND told = ?",
            *(self._hook, made.group, Status.RESOLVED),
        )

    def _is_worth_repeating(self, notices: Sequence[Notice]) -> bool:
        if self._manner.mirrors:
            return bool(notices)
        return any(
            each.transition.state in REPEATED and not self._is_quiet(each.transition)
            for each in notices
        )

    def _notice(self, told: str, waiting: str, text: str) -> Notice:
        data = json.loads(text)
        transition = transition_from_json(data["transition"])
        status = Status(waiting or told)
        if not waiting and transition.state is State.ACKNOWLEDGED:
            status = Status.ACKNOWLEDGED
        began_at = datetime.fromisoformat(data["began_at"])
        labels = self._router.labels(transition)
        return Notice(status, began_at, transition, labels, is_new=bool(waiting))


def _by_urgency(notice: Notice) -> tuple[bool, bool, int, datetime, str]:
    """What is new first, what holds before what is over, then by priority and age."""
    transition = notice.transition
    return (
        not notice.is_new,
        not notice.is_open,
        transition.priority,
        notice.began_at,
        transition.alert,
    )
