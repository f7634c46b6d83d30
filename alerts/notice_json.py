"""Notifications as they are kept on disk, and transitions as people's programs get them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from alerts.notice import Notice, Notification, Status
from facility.alert import State, Transition


def to_json(notification: Notification) -> dict[str, Any]:
    """Give what is kept on disk."""
    return {
        **{
            name: getattr(notification, name)
            for name in ("delivery", "hook", "site", "group", "others")
        },
        "group_labels": dict(notification.group_labels),
        "made_at": notification.made_at.isoformat(),
        "notices": [
            {
                "status": str(notice.status),
                "began_at": notice.began_at.isoformat(),
                "transition": transition_to_json(notice.transition),
                "labels": dict(notice.labels),
                "is_new": notice.is_new,
            }
            for notice in notification.notices
        ],
    }


def from_json(data: Mapping[str, Any]) -> Notification:
    """Read it back."""
    notices = tuple(
        Notice(
            Status(each["status"]),
            datetime.fromisoformat(each["began_at"]),
            transition_from_json(each["transition"]),
            each["labels"],
            each["is_new"],
        )
        for each in data["notices"]
    )
    made_at = datetime.fromisoformat(data["made_at"])
    return Notification(**{**data, "notices": notices, "made_at": made_at})


_NAMES = [field.name for field in fields(Transition)]


def transition_to_json(transition: Transition) -> dict[str, Any]:
    """Give a transition with its times as ISO texts; `class` without the underscore."""
    row = {name.rstrip("_"): getattr(transition, name) for name in _NAMES}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
    }


def transition_from_json(row: Mapping[str, Any]) -> Transition:
    """Read it back."""
    values = {name: row[name.rstrip("_")] for name in _NAMES}
    for name in ("happened_at", "decided_at", "until_at"):
        values[name] = datetime.fromisoformat(values[name]) if values[name] else None
    for name in ("state", "previous"):
        values[name] = State(values[name])
    return Transition(**values)
