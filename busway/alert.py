"""`busway alert run`: the alert engine's process, from the site file to a drained outbox."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import structlog

from alerts.engine import Engine
from alerts.history import TOPIC
from alerts.known_points import read_points, write_points
from alerts.learner import Watched
from alerts.quantities import quantities_of
from alerts.queries import RunQuery
from alerts.rule_file import PlacedRule, load_rules
from alerts.selection import resolve
from alerts.telling import Telling
from alerts.watch import SeriesKey, WatchTable
from busway.alert_answers import Desk
from busway.alert_rules import offers_of
from busway.directories import make_directory
from busway.health import serve_health
from busway.lifecycle import run_beside, run_process
from busway.site import kafka_settings, load_checked_site
from busway.trimming import keep_trimming
from facility.alert import Transition, from_batch
from facility.errors import ConfigError, LakeUnavailable
from facility.site import Site
from stream.outbox import Outbox
from stream.publisher import Publisher
from warehouse.lake import Lake
from warehouse.location import LakeLocation
from warehouse.query import run_sql

NAME = "alerts-0"
"""Of its outbox, and in its messages where a collector's name stands."""
STOP_SECONDS = 6.5
HISTORY_SECONDS = 120.0
PATIENCE_SECONDS = 5.0
"""With a thread that hangs, as while it looks up a name that no server answers for."""
log = structlog.get_logger()


def run_alerts(
    site_file: Path, *, embedded_broker: str, committed: str, health: str, stop_on_eof: bool
) -> None:
    """Watch until told to stop, then drain.

    `committed` is the health address of the sink behind an embedded broker, as for a collector.

    Raises:
        ConfigError: the site file, a file of rules, a profile, an address or a directory is wrong.
        StreamError: the outbox cannot be used.
        AlertQueueUnusable: neither can the queue of notifications.
        LakeUnavailable: earlier alerts may be in the lake alone, and it cannot be asked.
    """
    site = load_checked_site(site_file)
    rules = load_rules(site.alerts)
    token = _token(site)
    watched = _watched(site, rules)
    kafka = kafka_settings(site, embedded_broker)
    outbox = _open_outbox(site, keep_until_committed=bool(committed))
    run_query = _asking(LakeLocation.of(site.lake))
    telling = Telling(
        site,
        kafka,
        site.outbox.directory / f"{NAME}.hooks.sqlite",
        urgent={placed.rule.name for placed in rules if placed.rule.urgent},
        is_well=lambda: bool(engine.health()["ready"]),
    )
    engine = Engine(
        watched,
        kafka,
        outbox,
        remembered=_remembering(run_query, outbox) if committed else tuple,
        run_query=run_query,
        listen=telling.listen,
    )
    publisher = Publisher(outbox, kafka)

    def facts() -> Mapping[str, Any]:
        return {**engine.health(), "outbox_waiting": outbox.depth().waiting}

    async def trim() -> None:
        await telling.has_begun.wait()  # until then the outbox alone may have what is not told yet
        await keep_trimming(outbox, committed)

    async def main(stop: asyncio.Event) -> None:
        publish_until = asyncio.Event()
        async with (
            serve_health(health, facts, Desk(engine, telling).answers(), token=token),
            asyncio.TaskGroup() as group,
        ):
            group.create_task(_publish(publish_until, publisher))
            beside = [group.create_task(telling.run())]
            if committed:
                beside.append(group.create_task(trim()))
            await run_beside(stop, engine.run, name="alert-engine", patience_s=PATIENCE_SECONDS)
            publish_until.set()
            for task in beside:
                task.cancel()
            await _drain(publisher, outbox)

    try:
        run_process(main, stop_on_eof=stop_on_eof)
    finally:
        outbox.close()


def _token(site: Site) -> str:
    if site.alerts.token is None:
        return ""
    if not (token := site.alerts.token.reveal().strip()):
        raise ConfigError("alerts.token is empty; put a long random text there, or remove it")
    return token


def _asking(lake: LakeLocation) -> RunQuery:
    def run_query(text: str, limit_s: float) -> pa.Table:
        with Lake.open_read_only(lake) as opened, opened.connection.limited(limit_s):
            return run_sql(opened, text)

    return run_query


def _remembering(run_query: RunQuery, outbox: Outbox) -> Callable[[], Iterable[Transition]]:
    """Give what asks the lake, where the broker forgets."""

    def remembered() -> Iterable[Transition]:
        try:
            return from_batch(run_query("from last_alerts", HISTORY_SECONDS))
        except LakeUnavailable:
            if outbox.last_seq(TOPIC):
                raise
            return ()  # the first start: nothing was ever told, and there may be no lake yet

    return remembered


async def _publish(until: asyncio.Event, publisher: Publisher) -> None:
    await run_beside(until, publisher.run, name="publisher", patience_s=PATIENCE_SECONDS)


async def _drain(publisher: Publisher, outbox: Outbox) -> None:
    started, is_drained = time.monotonic(), False
    with suppress(TimeoutError):
        async with asyncio.timeout(STOP_SECONDS + PATIENCE_SECONDS):
            is_drained = await asyncio.to_thread(publisher.drain, STOP_SECONDS)
    if not is_drained:
        log.warning(
            "The broker has not taken everything; the outbox keeps it for the next start.",
            waiting=outbox.depth().waiting,
            waited_s=round(time.monotonic() - started, 1),
        )


def _watched(site: Site, rules: Sequence[PlacedRule]) -> Watched:
    """Join rules, site, profiles and what devices have shown before."""
    offers = offers_of(site)
    names = {placed.rule.name for placed in rules}
    devices = {device.id for device in site.devices}
    known = site.outbox.directory / f"{NAME}.points"

    def resolved(points: Collection[SeriesKey]) -> WatchTable:
        resolution = resolve(rules, site, offers.with_shown(points))
        for placed in resolution.unmatched():
            log.warning("A rule matches no device.", rule=placed.rule.name)
        return resolution.table

    return Watched(
        site=site.name,
        feeds=tuple((feed.source, feed.target) for feed in site.feeds),
        resolve=resolved,
        points=frozenset(read_points(known)),
        quantities=quantities_of(placed.rule for placed in rules),
        keep_points=lambda points: write_points(known, points),
        may_return=lambda told: told.rule in names and told.device in devices,
    )


def _open_outbox(site: Site, *, keep_until_committed: bool) -> Outbox:
    make_directory(site.outbox.directory, "outbox")
    return Outbox(
        site.outbox.directory / f"{NAME}.sqlite",
        collector=NAME,
        max_bytes=int(site.outbox.max_megabytes * 1e6),
        when_full="stop_polling",
        max_message_bytes=site.kafka.max_message_bytes,
        delete_at="trim" if keep_until_committed else "acknowledgement",
    )
