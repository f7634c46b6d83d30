"""What people are told: of one alert a notice, of all alerts of a group a notification."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b

from facility.alert import State, Transition

SEVERITIES = {1: "critical", 2: "error", 3: "warning", 4: "info"}
"""By priority, in PagerDuty's words."""
TITLE_STATUS = {"firing": "FIRING", "acknowledged": "ACKNOWLEDGED", "resolved": "RESOLVED"}
MOST_LINES = 20
"""Of alerts in a text for people."""


class Status(StrEnum):
    """What an alert comes to for whoever is told."""

    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    """It still holds, and somebody sees to it."""
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Notice:
    """One alert, as it is told."""

    status: Status
    began_at: datetime
    transition: Transition
    labels: Mapping[str, str]
    """What it is: the same for as long as it lasts."""
    is_new: bool
    """Whether it has changed since its group was told last."""

    @property
    def is_open(self) -> bool:
        """Whether it still holds."""
        return self.status is not Status.RESOLVED


@dataclass(frozen=True, slots=True)
class Notification:
    """The alerts of one group, for one hook; the same, with the same id, at every attempt."""

    delivery: str
    hook: str
    site: str
    group: str
    group_labels: Mapping[str, str]
    notices: tuple[Notice, ...]
    """The most urgent first; those that are new before others."""
    made_at: datetime
    others: int = 0
    """Alerts of the group that hold, and that are too many to be listed."""

    @property
    def status(self) -> Status:
        """Resolved only where nothing of the group holds any more."""
        found = {notice.status for notice in self.notices}
        if self.others:
            found.add(Status.FIRING)
        return next(status for status in Status if status in found)

    @property
    def new(self) -> tuple[Notice, ...]:
        """What has changed; in a repetition nothing has, and all of it is told."""
        return tuple(each for each in self.notices if each.is_new) or self.notices

    def labels(self) -> Mapping[str, str]:
        """Give the labels that all notices have alike."""
        common = set.intersection(*(set(notice.labels.items()) for notice in self.notices))
        return dict(sorted(common))


def delivery_id(hook: str, group: str, changes: Iterable[Transition], times: int) -> str:
    """Name a notification by hook, group, what has changed, and how often the group was told."""
    names = sorted(f"{t.alert} {t.number} {t.happened_at.isoformat()}" for t in changes)
    text = "\0".join((hook, group, str(times), *names))
    return blake2b(text.encode(), digest_size=16).hexdigest()


def fill_title(template: str, notification: Notification) -> str:
    """Fill in a title: a few names, each a text, and no line breaks."""
    notice = notification.new[0]
    transition = notice.transition
    names = {
        "status": TITLE_STATUS[notification.status],
        "count": str(len(notification.new)),
        "site": notification.site,
        "rule": transition.rule,
        "device": transition.device,
        "message": transition.message,
        "place": place_of(notice),
    }
    pieces = [template.split("{", maxsplit=1)[0]]
    for part in template.split("{")[1:]:
        name, _, rest = part.partition("}")
        pieces += (names[name], rest)
    return " ".join("".join(pieces).split())


def place_of(notice: Notice) -> str:
    """`hall-1/row-2/rack-03`, as far as it is known."""
    levels = (notice.labels.get(level) for level in ("hall", "row", "rack"))
    return "/".join(name for name in levels if name)


def lines(notification: Notification) -> list[str]:
    """Say it in words, one alert a line, what is new first; the rest is counted."""
    new = notification.new
    told = [_line(notice) for notice in new[:MOST_LINES]]
    if len(new) > MOST_LINES:
        told.append(f"... and {len(new) - MOST_LINES} more")
    standing = sum(notice.is_open for notice in notification.notices) + notification.others
    if others := standing - sum(notice.is_open for notice in new):
        told.append(f"{others} others of this group stand since earlier.")
    return told


def _line(notice: Notice) -> str:
    transition = notice.transition
    where = " ".join(name for name in (transition.device, transition.component) if name)
    unknown = " (no data now)" if transition.state is State.NO_DATA else ""
    line = f"{TITLE_STATUS[notice.status]} P{transition.priority} {where}: {transition.message}"
    response = f" -> {transition.response}" if transition.response and notice.is_open else ""
    return " ".join(f"{line}{unknown}{response}".split())
