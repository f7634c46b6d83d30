"""Telling people: takes the engine's transitions, and has every hook deliver what is for it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import prometheus_client
import structlog

from alerts.delivery import Delivery
from alerts.heartbeat import Beat
from alerts.history import Told
from alerts.hooks.open_hook import open_hook
from alerts.manner import manner_of
from alerts.outgoing import Composer
from alerts.queue import Queue
from alerts.queue_file import QueueFile
from alerts.route import Router
from alerts.sample import samples
from alerts.silences import Silence, Silences
from facility.alert_routes import Match
from facility.errors import AlertQueueUnusable, HookUnknown
from facility.mistakes import did_you_mean
from facility.site import Kafka, Site

LOOK_S = 1.0
MOST_HEARD = 100_000
WAITING = prometheus_client.Gauge(
    "busway_alert_hook_waiting", "Alerts that wait for a hook, those on their way too.", ["hook"]
)
log = structlog.get_logger()


class Telling:
    """All hooks of a site; `run` on the loop, `listen` from the engine's thread.

    Raises:
        ConfigError: a secret or a certificate of a hook cannot be read.
        AlertQueueUnusable: the file cannot be opened.
    """

    def __init__(
        self,
        site: Site,
        kafka: Kafka,
        path: Path,
        *,
        urgent: Collection[str] = (),
        is_well: Callable[[], bool] = lambda: True,
    ) -> None:
        settings = site.alerts
        self._router = Router(site)
        manners = {name: manner_of(hook) for name, hook in settings.hooks.items()}
        senders = {
            name: open_hook(name, hook, kafka, settings.external_url)
            for name, hook in settings.hooks.items()
        }
        self._kinds = {name: hook.kind for name, hook in settings.hooks.items()}
        beat = settings.heartbeat
        self._beat = None if beat is None else Beat(beat, site.name, is_well)
        self._file = QueueFile(path)
        self.queue = Queue(self._file, self._router, manners, urgent=urgent)
        self.silences = Silences(self._file)
        self._deliveries = {
            name: Delivery(
                name,
                sender,
                Composer(
                    self._file, self._router, name, manners[name], is_quiet=self.queue.is_quiet
                ),
            )
            for name, sender in senders.items()
        }
        self._heard: deque[tuple[Told, ...]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._trouble = ""
        self.has_begun = asyncio.Event()
        """Set when the engine's history, and so all that was ever stored, is in the queue."""

    def listen(self, told: Sequence[Told]) -> None:
        """Take transitions that are on disk, in order; the first call is the history."""
        self._heard.append(tuple(told))
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake.set)

    async def run(self) -> None:
        """Tell until cancelled. What has not arrived by then waits on disk.

        Raises:
            AlertQueueUnusable: the queue cannot be used from the start.
        """
        self._loop = asyncio.get_running_loop()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._take())
                group.create_task(self._look())
                for delivery in self._deliveries.values():
                    group.create_task(delivery.run())
                if self._beat is not None:
                    group.create_task(self._beat.run())
        finally:
            self._file.close()

    async def test(self, hook: str) -> None:
        """Send a sample that begins and ends, past the queue.

        Raises:
            HookUnknown: there is no such hook.
            HookError: it did not arrive.
        """
        if (delivery := self._deliveries.get(hook)) is None:
            raise HookUnknown(f"no hook is called {hook!r}; {did_you_mean(hook, self._deliveries)}")
        for notification in samples(hook, self._router.site, datetime.now(UTC)):
            await delivery.send(notification)

    async def silence(self, match: Match, hours: float, author: str, comment: str) -> Silence:
        """Keep some alerts back from now on; they are listed all the same."""
        now = datetime.now(UTC)
        ends_at = now + timedelta(hours=hours)
        made = await asyncio.to_thread(self.silences.add, match, now, ends_at, author, comment)
        await self._look_now()
        return made

    async def end_silence(self, silence: str) -> bool:
        """Tell again what a silence keeps back; False where none of this id goes on."""
        ended = await asyncio.to_thread(self.silences.end, silence, datetime.now(UTC))
        await self._look_now()
        return ended

    def hooks(self) -> list[dict[str, Any]]:
        """Say how each hook does."""
        depths = self.queue.depths()
        return [
            {
                "hook": name,
                "kind": self._kinds[name],
                "waiting": depths[name],
                **delivery.record.facts(),
            }
            for name, delivery in self._deliveries.items()
        ]

    async def _take(self) -> None:
        waiting: list[tuple[Told, ...]] = []
        while True:
            self._wake.clear()
            while self._heard:
                waiting.append(self._heard.popleft())
            if not waiting:
                await self._wake.wait()
                continue
            try:
                await asyncio.to_thread(self.queue.take, waiting[0], datetime.now(UTC))
            except AlertQueueUnusable as error:
                self._note(str(error))
                waiting = compacted(waiting)
                await asyncio.sleep(LOOK_S)
            else:
                del waiting[0]
                self.has_begun.set()
                self._wake_all()

    async def _look(self) -> None:
        while True:
            try:
                await self._look_now()
                self._note("")
                for hook, depth in (await asyncio.to_thread(self.queue.depths)).items():
                    WAITING.labels(hook).set(depth)
            except AlertQueueUnusable as error:
                self._note(str(error))
            await asyncio.sleep(LOOK_S)

    async def _look_now(self) -> None:
        await asyncio.to_thread(self.queue.look_again, datetime.now(UTC))
        self._wake_all()

    def _wake_all(self) -> None:
        for delivery in self._deliveries.values():
            delivery.wake()

    def _note(self, trouble: str) -> None:
        """Log once when the queue cannot be used, once when it can again."""
        if bool(trouble) == bool(self._trouble):
            return
        self._trouble = trouble
        if trouble:
            log.error("Notifications wait in memory.", error=trouble)
        else:
            log.info("Notifications are kept on disk again.")


def compacted(batches: list[tuple[Told, ...]]) -> list[tuple[Told, ...]]:
    """Where much waits for the disk, keep the last transition of each alert; the history stays."""
    first, *others = batches
    if sum(map(len, others)) <= MOST_HEARD:
        return batches
    return [
        first,
        tuple({told.transition.alert: told for batch in others for told in batch}.values()),
    ]
