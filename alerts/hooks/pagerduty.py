"""PagerDuty's Events API, version 2: an event for each alert that has changed."""

from __future__ import annotations

import json
from typing import Any

from alerts.hooks.http import HttpPost, Login
from alerts.notice import SEVERITIES, Notice, Notification, Status, place_of
from alerts.notice_json import transition_to_json
from facility.alert_hooks import PagerDutyHook

ACTIONS = {
    Status.FIRING: "trigger",
    Status.ACKNOWLEDGED: "acknowledge",
    Status.RESOLVED: "resolve",
}
LONGEST_SUMMARY = 1024


class PagerDuty:
    """One service. Events of one alert have one key, so one that comes twice changes nothing.

    Raises:
        ConfigError: the routing key cannot be read.
    """

    def __init__(self, hook: PagerDutyHook, external_url: str) -> None:
        self._post = HttpPost(hook.url, hook.timeout_seconds, Login())
        self._routing_key = hook.routing_key.reveal()
        self._external_url = external_url

    async def send(self, notification: Notification) -> None:
        """Post the events one by one."""
        for notice in notification.new:
            await self._post.post(json.dumps(self._event(notice)).encode())

    async def close(self) -> None:
        """Let go of the connection."""
        await self._post.close()

    def _event(self, notice: Notice) -> dict[str, Any]:
        transition = notice.transition
        event: dict[str, Any] = {
            "routing_key": self._routing_key,
            "event_action": ACTIONS[notice.status],
            "dedup_key": transition.alert,
        }
        if notice.status is not Status.FIRING:
            return event
        if self._external_url:
            event["links"] = [{"href": self._external_url, "text": "Busway"}]
        return event | {
            "client": "Busway",
            "payload": {
                "summary": f"{transition.device}: {transition.message}"[:LONGEST_SUMMARY],
                "source": transition.device,
                "severity": SEVERITIES[transition.priority],
                "timestamp": notice.began_at.isoformat(),
                "component": transition.component,
                "group": place_of(notice),
                "class": transition.class_,
                "custom_details": transition_to_json(transition),
            },
        }
