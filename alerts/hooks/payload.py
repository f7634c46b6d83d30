"""Alertmanager's words for what we tell: of its webhook, version 4, and of its API, version 2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from alerts.message import as_text
from alerts.notice import Notice, Notification

NOT_OVER = "0001-01-01T00:00:00Z"
HELD = timedelta(days=1)
"""Until then an Alertmanager that hears no more takes an alert for true: our end would be no
all-clear."""


def webhook_payload(notification: Notification, external_url: str) -> dict[str, Any]:
    """Give the body of Alertmanager's webhook, version 4."""
    annotations = [_annotations(notice) for notice in notification.notices]
    return {
        "version": "4",
        "groupKey": f"{{}}:{notification.group}",
        "truncatedAlerts": notification.others,
        "status": "firing" if _is_open(notification) else "resolved",
        "receiver": notification.hook,
        "groupLabels": dict(notification.group_labels),
        "commonLabels": dict(notification.labels()),
        "commonAnnotations": _common(annotations),
        "externalURL": external_url,
        "alerts": [
            {
                "status": "firing" if notice.is_open else "resolved",
                "labels": dict(notice.labels),
                "annotations": _annotations(notice),
                "startsAt": _text(notice.began_at),
                "endsAt": NOT_OVER if notice.is_open else _text(notice.transition.happened_at),
                "generatorURL": external_url,
                "fingerprint": notice.transition.alert,
            }
            for notice in notification.notices
        ],
    }


def api_alerts(notification: Notification, external_url: str) -> list[dict[str, Any]]:
    """Give the body of a POST to Alertmanager's `/api/v2/alerts`."""
    held_until = _text(datetime.now(UTC) + HELD)
    link = {"generatorURL": external_url} if external_url else {}
    return [
        {
            "labels": dict(notice.labels),
            "annotations": _annotations(notice),
            "startsAt": _text(notice.began_at),
            "endsAt": held_until if notice.is_open else _text(notice.transition.happened_at),
            **link,
        }
        for notice in notification.notices
    ]


def _annotations(notice: Notice) -> dict[str, str]:
    transition = notice.transition
    found = {
        "summary": transition.message,
        "description": transition.response,
        "value": "" if transition.value is None else as_text(transition.value),
        "threshold": "" if transition.threshold is None else as_text(transition.threshold),
        "state": str(transition.state),
        "alert": transition.alert,
        "number": str(transition.number),
    }
    return {name: value for name, value in found.items() if value}


def _is_open(notification: Notification) -> bool:
    return notification.others > 0 or any(notice.is_open for notice in notification.notices)


def _common(found: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return dict(sorted(set.intersection(*(set(each.items()) for each in found))))


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
