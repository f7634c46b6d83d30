"""A webhook: Alertmanager's payload, signed as Standard Webhooks say."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import time

from alerts.hooks.http import HttpPost, Login
from alerts.hooks.payload import webhook_payload
from alerts.notice import Notification
from facility.alert_hooks import WebhookHook
from facility.errors import ConfigError

_BASE64_KEY = "whsec_"


class Webhook:
    """One webhook.

    Raises:
        ConfigError: a secret or a certificate cannot be read.
    """

    def __init__(self, hook: WebhookHook, external_url: str) -> None:
        login = Login(hook.user, hook.password, hook.bearer_token, hook.ca_file)
        self._post = HttpPost(hook.url, hook.timeout_seconds, login)
        self._external_url = external_url
        self._key = key_of(hook.signing_key.reveal()) if hook.signing_key else None

    async def send(self, notification: Notification) -> None:
        """Post it."""
        body = json.dumps(webhook_payload(notification, self._external_url)).encode()
        at_s = int(time.time())
        headers = {"webhook-id": notification.delivery, "webhook-timestamp": str(at_s)}
        if self._key is not None:
            headers["webhook-signature"] = signature(self._key, notification.delivery, at_s, body)
        await self._post.post(body, headers)

    async def close(self) -> None:
        """Let go of the connection."""
        await self._post.close()


def signature(key: bytes, delivery: str, at_s: int, body: bytes) -> str:
    """Sign a delivery: HMAC-SHA256 over id, timestamp and body, parted by full stops."""
    signed = b".".join((delivery.encode(), str(at_s).encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def key_of(secret: str) -> bytes:
    """Give the bytes of a key: of `whsec_...` what is in the base64, else the text itself.

    Raises:
        ConfigError: it is no base64, or empty.
    """
    try:
        key = (
            base64.b64decode(secret.removeprefix(_BASE64_KEY), validate=True)
            if secret.startswith(_BASE64_KEY)
            else secret.encode()
        )
    except binascii.Error as error:
        raise ConfigError(
            f"a webhook's signing_key: after whsec_ stands no base64: {error}"
        ) from error
    if not key:
        raise ConfigError("a webhook's signing_key is empty")
    return key
