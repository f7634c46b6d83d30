"""A thousand breaches in one instant, until a webhook has them all; and single ones, one by one.

The engine's columns judge the samples, the outbox stores the transitions, the queue takes them, and
they are told in a group a rule: all by the code that runs at a site, with its default waits.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path

import numpy as np
from aiohttp import web
from numpy.typing import NDArray

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
SPACED_S = 0.02
Seconds = NDArray[np.float64]
LONGEST_S = 60.0
URGENT_GOAL = Goal(0.5, of="value", at="most")
GOAL = Goal(2.0, of="value", at="most")


class Receiver:
    """Notes which alerts it was told, and when the last one came."""

    def __init__(self, expected: int) -> None:
        self.has_all = asyncio.Event()
        self._expected = expected
        self.heard_at: dict[str, float] = {}
        self.notifications = 0

    async def take(self, request: web.Request) -> web.Response:
        """Take one notification."""
        told = json.loads(await request.read())
        for alert in told["alerts"]:
            self.heard_at.setdefault(alert["fingerprint"], time.monotonic())
        self.notifications += 1
        if len(self.heard_at) == self._expected:
            self.has_all.set()
        return web.Response()


def figures(scale: Scale) -> Iterator[Figure]:
    """Seconds until all are told, in how many notifications, and how many were lost."""
    breaches = [(0.0, number) for number in range(BREACHES)]
    delays, notifications = _told(breaches, urgent=False)
    yield Figure("breaches at once", float(BREACHES), "alerts")
    yield Figure("breach to webhook, all", float(delays.max()), "s")
    yield Figure("notifications", float(notifications), "notifications")
    lost = float(BREACHES - len(delays))
    yield Figure("lost", lost, "alerts", goal=Goal(0.0, of="value", at="most"))
    singles = [(SPACED_S * number, number) for number in range(scale.pick(300, 60))]
    for name, urgent, goal in (
        ("one by one", False, GOAL),
        ("one by one, urgent", True, URGENT_GOAL),
    ):
        delays, _ = _told(singles, urgent=urgent)
        p50, p99 = (float(np.quantile(delays, share)) for share in (0.5, 0.99))
        yield Figure(f"breach to webhook, {name}, p50", p50, "s")
        yield Figure(f"breach to webhook, {name}, p99", p99, "s", goal=goal)


def _told(breaches: Sequence[tuple[float, int]], *, urgent: bool) -> tuple[Seconds, int]:
    """Let alerts fire, each (when, which), and give the delay of each that was told."""
    with tempfile.TemporaryDirectory() as directory:
        return asyncio.run(_tell(Path(directory), breaches, urgent=urgent))


async def _tell(
    directory: Path, breaches: Sequence[tuple[float, int]], *, urgent: bool
) -> tuple[Seconds, int]:
    got = Receiver(len(breaches))
    application = web.Application(client_max_size=100_000_000)
    application.router.add_post("/", got.take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    web_site = web.TCPSite(runner, "127.0.0.1", 0)
    await web_site.start()
    try:
        host, port = runner.addresses[0][:2]
        table = _table(len(breaches), 1 if len({at for at, _ in breaches}) > 1 else RULES)
        site = _site(f"http://{host}:{port}/", ("device" if len(table.rules) == 1 else "rule"))
        names = [rule.name for rule in table.rules] if urgent else []
        telling = Telling(site, Kafka(), directory / "hooks.sqlite", urgent=names)
        running = asyncio.create_task(telling.run())
        telling.listen(())
        await telling.has_begun.wait()
        began_at = await _breach(directory, table, telling, breaches)
        with suppress(TimeoutError):
            await asyncio.wait_for(got.has_all.wait(), LONGEST_S)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    finally:
        await runner.cleanup()
    delays = [at - began_at[alert] for alert, at in got.heard_at.items()]
    return np.array(delays), got.notifications


async def _breach(
    directory: Path,
    table: WatchTable,
    telling: Telling,
    breaches: Sequence[tuple[float, int]],
) -> dict[str, float]:
    """Judge samples when they are due, store what is decided, and have it told."""
    board = Board(table, ())
    board.start((), time.time_ns() // 1000 - 1_000_000)
    began_at: dict[str, float] = {}
    started = time.monotonic()
    with Outbox(
        directory / "o.sqlite", collector="alerts-0", max_bytes=10**9, when_full="stop_polling"
    ) as outbox:
        for at, group in groupby(breaches, key=lambda each: each[0]):
            await asyncio.sleep(max(0.0, started + at - time.monotonic()))
            series = np.array([number for _, number in group], np.int32)
            count, now, now_s = len(series), time.time_ns() // 1000, time.monotonic()
            samples = Samples(
                series, np.full(count, now), np.full(count, 100.0), np.zeros(count, np.bool_)
            )
            told = board.take(samples, now, now)
            began_at |= dict.fromkeys((made.alert for made in told), now_s)
            seqs = await asyncio.to_thread(outbox.append_each, TOPIC, map(to_batch, told))
            telling.listen([Told(outbox.id, seq, t) for seq, t in zip(seqs, told, strict=True)])
    return began_at


def _site(url: str, group_by: str) -> Site:
    hooks = {"webhook": {"kind": "webhook", "url": url}}
    routes = [{"hooks": ["webhook"], "group_by": [group_by]}]
    alerts = Alerts.model_validate({"hooks": hooks, "routes": routes})
    return Site(name="bench", devices=(), alerts=alerts)


def _table(breaches: int, rule_count: int) -> WatchTable:
    names = [f"rule-{number}" for number in range(rule_count)]
    rules = [
        RuleFacts(name=name, priority=2, class_="power", message="{device}: {value}")
        for name in names
    ]
    watches = [
        Watch(
            rule=names[number % rule_count],
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
