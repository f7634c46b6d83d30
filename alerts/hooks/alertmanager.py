"""An Alertmanager, told by its API, version 2."""

from __future__ import annotations

import json

from alerts.hooks.http import HttpPost, Login
from alerts.hooks.payload import api_alerts
from alerts.notice import Notification
from facility.alert_hooks import AlertmanagerHook


class Alertmanager:
    """One Alertmanager.

    Raises:
        ConfigError: a secret or a certificate cannot be read.
    """

    def __init__(self, hook: AlertmanagerHook, external_url: str) -> None:
        login = Login(hook.user, hook.password, hook.bearer_token, hook.ca_file)
        url = f"{hook.url.rstrip('/')}/api/v2/alerts"
        self._post = HttpPost(url, hook.timeout_seconds, login)
        self._external_url = external_url

    async def send(self, notification: Notification) -> None:
        """Post all alerts of the group."""
        await self._post.post(json.dumps(api_alerts(notification, self._external_url)).encode())

    async def close(self) -> None:
        """Let go of the connection."""
        await self._post.close()
