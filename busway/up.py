"""`busway up`: all of Busway for one site on one machine, until stopped."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog

from busway.assembly import Assembly
from busway.lifecycle import pause, run_process
from busway.processes import free_port
from busway.site import load_checked_site
from facility.errors import ConfigError

LOOK_SECONDS = 1.0
log = structlog.get_logger()


def run_up(site_file: Path) -> None:
    """Run broker, sink, collector, alerts and upkeep; start again whichever ends by itself.

    Raises:
        ConfigError: the site file is wrong, or names a Kafka of its own.
        NotReady: a process did not come up.
    """
    site = load_checked_site(site_file)
    if site.kafka.bootstrap_servers:
        raise ConfigError(
            f"{site_file} names a Kafka ({', '.join(site.kafka.bootstrap_servers)}): run 'busway "
            "collect' and 'busway sink', or leave kafka.bootstrap_servers out for the embedded one"
        )
    logs = site.lake.directory.parent / "logs"

    async def main(stop: asyncio.Event) -> None:
        assembly = Assembly(site_file, logs)
        try:
            assembly.start_pipeline(f"127.0.0.1:{free_port()}", collectors=1)
            alerts = assembly.start_alerts()
            assembly.start("maintain", "maintain", "--site", str(site_file))
            log.info("Starting.", site=site.name, devices=len(site.devices), logs=str(logs))
            await assembly.until_ready(stop)
            if not stop.is_set():
                log.info(
                    "Everything runs.", lake=str(site.lake.directory), alert_engine=alerts.health
                )
            while not stop.is_set():
                assembly.restart_ended()
                await pause(stop, LOOK_SECONDS)
        finally:
            log.info("Draining: collector, alerts, then sink.")
            await assembly.stop_all()

    run_process(main)
