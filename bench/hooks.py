"""A thousand breaches in one instant, from the samples to the receiver of a webhook.

The engine's columns judge the samples, the outbox stores the transitions, the queue takes them, and
they are told in a group a rule: all by the code that runs at a site, with its default waits.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from aiohttp import web

from alerts.board import Board
from alerts.history import TOPIC, Told
from alerts.samples import Samples
from alerts.telling import Telling
from alerts.watch import Measure, RuleFacts, Watch, WatchTable, build_table
from bench.harness import Figure, Goal, Scale
from facility.alert import to_batch
from facility.alert_settings import Alerts
from facility.site import Kafka, Site
from stream.outbox import Outbox

BREACHES = 1_000
RULES = 20
LONGEST_S = 60.0
GOAL = Goal(2.0, of="value", at="most")


class Receiver:
    """Notes which alerts it was told, and when the last one came."""

    def __init__(self, expected: int) -> None:
        self.has_all = asyncio.Event()
        self._expected = expected
        self.alerts: set[str] = set()
        self.notifications = 0
        self.last_at = 0.0

    async def take(self, request: web.Request) -> web.Response:
        """Take one notification."""
        told = json.loads(await request.read())
        self.alerts |= {alert["fingerprint"] for alert in told["alerts"]}
        self.notifications += 1
        self.last_at = time.monotonic()
        if len(self.alerts) == self._expected:
            self.has_all.set()
        return web.Response()


def figures(_: Scale) -> Iterator[Figure]:
    """Seconds until all are told, in how many notifications, and how many were lost."""
    with tempfile.TemporaryDirectory() as directory:
        took_s, got = asyncio.run(_tell(Path(directory), BREACHES))
    yield Figure("breaches at once", float(BREACHES), "alerts")
    yield Figure("breach to webhook, all", took_s, "s", goal=GOAL)
    yield Figure("notifications", float(got.notifications), "notifications")
    lost = float(BREACHES - len(got.alerts))
    yield Figure("lost", lost, "alerts", goal=Goal(0.0, of="value", at="most"))


async def _tell(directory: Path, breaches: int) -> tuple[float, Receiver]:
    got = Receiver(breaches)
    application = web.Application(client_max_size=100_000_000)
    application.router.add_post("/", got.take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    web_site = web.TCPSite(runner, "127.0.0.1", 0)
    await web_site.start()
    try:
        host, port = runner.addresses[0][:2]
        took_s = await _breach(directory, f"http://{host}:{port}/", got, breaches)
    finally:
        await runner.cleanup()
    return took_s, got


async def _breach(directory: Path, url: str, got: Receiver, breaches: int) -> float:
    table = _table(breaches)
    board = Board(table, ())
    now = time.time_ns() // 1000
    board.start((), now - 1_000_000)
    telling = Telling(_site(url), Kafka(), directory / "hooks.sqlite")
    running = asyncio.create_task(telling.run())
    telling.listen(())
    await telling.has_begun.wait()
    with Outbox(
        directory / "o.sqlite", collector="alerts-0", max_bytes=10**9, when_full="stop_polling"
    ) as outbox:
        samples = Samples(
            np.arange(breaches, dtype=np.int32),
            np.full(breaches, now),
            np.full(breaches, 100.0),
            np.zeros(breaches, np.bool_),
        )
        started = time.monotonic()
        told = board.take(samples, now, now)
        seqs = await asyncio.to_thread(outbox.append_each, TOPIC, map(to_batch, told))
        telling.listen([Told(outbox.id, seq, t) for seq, t in zip(seqs, told, strict=True)])
        with suppress(TimeoutError):
            await asyncio.wait_for(got.has_all.wait(), LONGEST_S)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return got.last_at - started


def _site(url: str) -> Site:
    hooks = {"webhook": {"kind": "webhook", "url": url}}
    return Site(name="bench", devices=(), alerts=Alerts.model_validate({"hooks": hooks}))


def _table(breaches: int) -> WatchTable:
    names = [f"rule-{number}" for number in range(RULES)]
    rules = [
        RuleFacts(name=name, priority=2, class_="power", message="{device}: {value}")
        for name in names
    ]
    watches = [
        Watch(
            rule=names[number % RULES],
            device=f"hall-1/pdu-{number}",
            component="",
            quantity="load_ratio",
            measure=Measure.LATEST,
            inputs=((f"hall-1/pdu-{number}", "", "load_ratio"),),
            fire=50.0,
            clear=45.0,
            stale_after_us=30_000_000,
        )
        for number in range(breaches)
    ]
    return build_table(rules, watches)
