"""Delivering what is due for one hook, again and again until it has arrived, whatever others do."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import prometheus_client
import structlog

from alerts.hooks.hook import Sender
from alerts.notice import Notification
from alerts.outgoing import Composer, Outgoing
from facility.errors import AlertQueueUnusable, HookRefused, HookUnavailable

MOST_BACKOFF_S = 60.0
"""As late as what is urgent may be heard by a receiver that has come back."""
QUEUE_WAIT_S = 1.0

ATTEMPTS = prometheus_client.Counter(
    "busway_alert_hook_attempts",
    "Attempts to deliver a notification: delivered, failed (tried again), refused (given up).",
    ["hook", "outcome"],
)
SECONDS = prometheus_client.Histogram(
    "busway_alert_hook_seconds",
    "From an alert's event time to its delivery, of what is new.",
    ["hook"],
    buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 7200),
)
log = structlog.get_logger()


@dataclass(slots=True)
class Record:
    """How a hook has done since the process began."""

    delivered: int = 0
    failed: int = 0
    """Attempts that are made again."""
    refused: int = 0
    """Notifications that were given up."""
    failures_in_a_row: int = 0
    last_delivered_at: datetime | None = None
    last_error: str = ""
    last_error_at: datetime | None = None

    def facts(self) -> dict[str, Any]:
        """Give it with times as ISO texts."""
        return {
            "delivered": self.delivered,
            "failed": self.failed,
            "refused": self.refused,
            "failures_in_a_row": self.failures_in_a_row,
            "last_delivered_at": _text(self.last_delivered_at),
            "last_error": self.last_error or None,
            "last_error_at": _text(self.last_error_at),
        }


class Delivery:
    """The deliveries of one hook; `run` is its task."""

    def __init__(self, name: str, sender: Sender, composer: Composer) -> None:
        self.name = name
        self.record = Record()
        self._sender = sender
        self._composer = composer
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Have it look at once; from the loop's thread."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        try:
            while True:
                self._wake.clear()
                found = await self._next()
                if isinstance(found, Outgoing):
                    await asyncio.sleep(await self._attempt(found))
                else:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._wake.wait(), found)
        finally:
            await self._sender.close()

    async def send(self, notification: Notification) -> None:
        """Send what is not of the queue, once.

        Raises:
            HookError: it did not arrive.
        """
        await self._sender.send(notification)

    async def _next(self) -> Outgoing | float:
        try:
            return await asyncio.to_thread(self._composer.next, datetime.now(UTC))
        except AlertQueueUnusable as error:
            self._note_error(str(error))
        except Exception as error:  # as for a fault in a hook
            if not self.record.last_error:
                log.exception("What waits for a hook cannot be read.", hook=self.name)
            self._note_error(f"{type(error).__name__}: {error}")
        return QUEUE_WAIT_S

    async def _attempt(self, outgoing: Outgoing) -> float:
        """Try once; give how long to wait before the next attempt at anything."""
        made = outgoing.notification
        try:
            await self._sender.send(made)
        except HookRefused as error:
            self.record.refused += 1
            ATTEMPTS.labels(self.name, "refused").inc()
            log.error(  # noqa: TRY400 - the message says all
                "A notification was refused and is given up.",
                hook=self.name,
                delivery=made.delivery,
                alerts=len(made.new),
                error=str(error),
            )
            self._note_error(str(error))
        except HookUnavailable as error:
            return await self._failed(made, str(error), error.retry_after_s)
        except Exception as error:  # a fault of ours in one hook must not stop it, nor others
            log.exception("A hook failed in a way that was not foreseen.", hook=self.name)
            return await self._failed(made, f"{type(error).__name__}: {error}", 0.0)
        else:
            self._note_delivered(made)
        return await self._settle(made)

    async def _settle(self, made: Notification) -> float:
        """Let go of it; where the disk does not let us, it will be sent again."""
        try:
            await asyncio.to_thread(self._composer.done, made)
        except AlertQueueUnusable as error:
            self._note_error(str(error))
            return QUEUE_WAIT_S
        return 0.0

    async def _failed(self, made: Notification, error: str, retry_after_s: float) -> float:
        record = self.record
        if not record.failures_in_a_row:
            log.warning(
                "A hook cannot be reached; what is for it waits.", hook=self.name, error=error
            )
        record.failed += 1
        record.failures_in_a_row += 1
        ATTEMPTS.labels(self.name, "failed").inc()
        self._note_error(error)
        with suppress(AlertQueueUnusable):
            await asyncio.to_thread(self._composer.failed, made)
        return max(retry_after_s, backoff_s(record.failures_in_a_row))

    def _note_error(self, error: str) -> None:
        self.record.last_error, self.record.last_error_at = error, datetime.now(UTC)

    def _note_delivered(self, made: Notification) -> None:
        record = self.record
        if record.failures_in_a_row:
            log.info("A hook is reached again.", hook=self.name, failures=record.failures_in_a_row)
        record.failures_in_a_row = 0
        record.delivered += 1
        record.last_delivered_at = datetime.now(UTC)
        ATTEMPTS.labels(self.name, "delivered").inc()
        for notice in made.notices:
            if notice.is_new:
                happened_s = notice.transition.happened_at.timestamp()
                SECONDS.labels(self.name).observe(time.time() - happened_s)


def backoff_s(failures: int) -> float:
    """Say how long to wait after so many failures in a row: 1, 2, 4 ... 60 s, up to half less."""
    whole = min(MOST_BACKOFF_S, 2.0 ** min(failures - 1, 30))
    return whole * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
