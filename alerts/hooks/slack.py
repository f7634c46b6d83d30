"""Slack, by an incoming webhook."""

from __future__ import annotations

import json

from alerts.hooks.http import HttpPost, Login
from alerts.notice import Notification, fill_title, lines
from facility.alert_hooks import SlackHook

LONGEST_LINE = 600
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
"""What Slack would take for links or mentions."""


class Slack:
    """One incoming webhook.

    Raises:
        ConfigError: its address cannot be read.
    """

    def __init__(self, hook: SlackHook, external_url: str) -> None:
        self._post = HttpPost(hook.webhook_url.reveal(), hook.timeout_seconds, Login())
        self._title = hook.title
        self._external_url = external_url

    async def send(self, notification: Notification) -> None:
        """Post a title and a line an alert."""
        title = _escaped(fill_title(self._title, notification))
        texts = [f"*{title}*", *map(_escaped, lines(notification))]
        if self._external_url:
            texts.append(self._external_url)
        await self._post.post(json.dumps({"text": "\n".join(texts)}).encode())

    async def close(self) -> None:
        """Let go of the connection."""
        await self._post.close()


def _escaped(line: str) -> str:
    return line[:LONGEST_LINE].translate(_ESCAPES)
