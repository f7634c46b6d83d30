"""`busway collect`: a collector process, from the site file to a drained outbox."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path

import structlog

from alerts.rule_file import load_rules
from alerts.urgent import UrgentPoints
from busway.directories import make_directory
from busway.health import serve_health
from busway.lifecycle import run_beside, run_process
from busway.site import kafka_settings, load_checked_site
from busway.trimming import keep_trimming
from collectors.daemon import Daemon
from collectors.shard import Shard
from collectors.this_machine import machine_name
from facility.errors import ConfigError, RuleFileError
from facility.site import Site
from stream.outbox import Outbox
from stream.publisher import Publisher

STOP_SECONDS = 6.5
"""From the signal on; what the daemon leaves of this, the publisher has to drain. An attempt to
reach the broker that is under way then may take three seconds more."""
log = structlog.get_logger()


def run_collector(
    site_file: Path,
    *,
    shard: str,
    collector: str,
    embedded_broker: str,
    committed: str,
    health: str,
    stop_on_eof: bool,
) -> None:
    """Poll until told to stop, then drain. SIGHUP reads the site file again.

    `committed` is the health address of the sink behind an embedded broker, whose log is in memory:
    the outbox then keeps each message until that sink says the lake has it.

    Raises:
        ConfigError: the site file, a profile, the shard, an address or a directory is wrong.
        StreamError: the outbox cannot be used.
    """
    site = load_checked_site(site_file)
    share = Shard.parse(shard)
    if share.local and not share.share(site.devices):
        raise ConfigError(f"{site_file}: no nvml:// address is this machine, {machine_name()}")
    name = collector or share.collector
    outbox = _open_outbox(site, name, keep_until_committed=bool(committed))
    daemon = Daemon(
        site, outbox, journal=_beside(site, name, ".journal"), shard=share, urgent_of=_urgent_of
    )
    publisher = Publisher(outbox, kafka_settings(site, embedded_broker))

    def reload() -> None:
        try:
            daemon.reload(load_checked_site(site_file))
        except ConfigError as error:
            log.error("The site file is wrong; going on with the one before.", error=str(error))  # noqa: TRY400 - the message says all

    def facts() -> Mapping[str, object]:
        return {**daemon.health(), "outbox_waiting": outbox.depth().waiting}

    async def main(stop: asyncio.Event) -> None:
        publish_until = asyncio.Event()
        async with serve_health(health, facts), asyncio.TaskGroup() as group:
            group.create_task(run_beside(publish_until, publisher.run, name="publisher"))
            trimming = group.create_task(keep_trimming(outbox, committed)) if committed else None
            stopping = group.create_task(_time_of(stop))
            await daemon.run(stop)
            publish_until.set()
            left_s = await stopping + STOP_SECONDS - time.monotonic()
            if not await asyncio.to_thread(publisher.drain, left_s):
                log.warning(
                    "The broker has not taken everything; the outbox keeps it for the next start.",
                    waiting=outbox.depth().waiting,
                )
            if trimming is not None:
                trimming.cancel()

    try:
        run_process(main, on_reload=reload, stop_on_eof=stop_on_eof)
    finally:
        outbox.close()


def _urgent_of(site: Site) -> UrgentPoints | None:
    """What urgent rules watch. That a file of rules is wrong must not stop the collecting."""
    try:
        rules = load_rules(site.alerts)
    except RuleFileError as error:
        log.error("No reading hurries, as the rules cannot be read.", error=str(error))  # noqa: TRY400 - the message says all
        return None
    return UrgentPoints((placed.rule for placed in rules), site)


def _open_outbox(site: Site, name: str, *, keep_until_committed: bool) -> Outbox:
    make_directory(site.outbox.directory, "outbox")
    return Outbox(
        _beside(site, name, ".sqlite"),
        collector=name,
        max_bytes=int(site.outbox.max_megabytes * 1e6),
        when_full=site.outbox.when_full,
        max_message_bytes=site.kafka.max_message_bytes,
        delete_at="trim" if keep_until_committed else "acknowledgement",
    )


def _beside(site: Site, name: str, suffix: str) -> Path:
    return site.outbox.directory / f"{name}{suffix}"


async def _time_of(event: asyncio.Event) -> float:
    await event.wait()
    return time.monotonic()
