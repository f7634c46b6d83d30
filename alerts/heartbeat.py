"""A dead man's switch: a sign of life while the engine does its work, and none when it does not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime

import prometheus_client
import structlog

from alerts.hooks.http import HttpPost, Login
from facility.alert_hooks import Heartbeat
from facility.errors import HookError
from facility.secret import Secret

BEATS = prometheus_client.Counter(
    "busway_alert_heartbeats",
    "Signs of life: sent, failed, or withheld because the engine was not ready.",
    ["outcome"],
)
log = structlog.get_logger()


class Beat:
    """Sends the signs; `run` is its task.

    Raises:
        ConfigError: a secret or a certificate cannot be read.
    """

    def __init__(self, heartbeat: Heartbeat, site: str, is_well: Callable[[], bool]) -> None:
        url = heartbeat.url.reveal() if isinstance(heartbeat.url, Secret) else heartbeat.url
        login = Login(ca_file=heartbeat.ca_file)
        self._post = HttpPost(url, heartbeat.timeout_seconds, login)
        self._every_s = heartbeat.every_seconds
        self._site = site
        self._is_well = is_well
        self._outcome = "sent"

    async def run(self) -> None:
        """Send until cancelled."""
        try:
            while True:
                await self._beat()
                await asyncio.sleep(self._every_s)
        finally:
            await self._post.close()

    async def _beat(self) -> None:
        outcome, error = "withheld", "the engine is not ready"
        if self._is_well():
            said = {"site": self._site, "at": datetime.now(UTC).isoformat()}
            try:
                await self._post.post(json.dumps(said).encode())
                outcome = "sent"
            except HookError as failure:
                outcome, error = "failed", str(failure)
        BEATS.labels(outcome).inc()
        if outcome != self._outcome:
            if outcome == "sent":
                log.info("The heartbeat is sent again.")
            else:
                log.warning("The heartbeat is not sent.", outcome=outcome, error=error)
        self._outcome = outcome
