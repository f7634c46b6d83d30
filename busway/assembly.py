"""All of Busway on one machine, as separate processes: what `busway demo` and `busway up` share.

    simulator (demo only)
        |
    collectors ──> embedded broker ──> sink ──> lake
                      |      ^
                      alerts (up only)

Started from the broker outward, stopped in the direction of the data, each after it has drained.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from busway.health import ask
from busway.processes import Child, free_port, start_child
from facility.errors import BuswayError

READY_SECONDS = 60.0
RESTART_SECONDS = 5.0
CATCH_UP_SECONDS = 6.0
LOOK_SECONDS = 0.2
ALERTS_PORT = 9107

log = structlog.get_logger()


class NotReady(BuswayError):
    """A process did not become ready in time; its log says why."""


@dataclass
class Service:
    """One process with a health endpoint."""

    name: str
    arguments: tuple[str, ...]
    health: str
    child: Child
    restart_at: float = 0.0
    """Monotonic time before which it is not started again."""

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self.child.log

    async def facts(self) -> dict[str, Any] | None:
        """What it says of itself; None while it does not answer."""
        return await ask(f"http://{self.health}/healthz")


@dataclass
class Assembly:
    """The processes, in the order of the data's way."""

    site_file: Path
    log_directory: Path
    services: dict[str, Service] = field(default_factory=dict)
    broker: str = ""
    """Where the embedded one listens."""

    def start(self, name: str, command: str, *arguments: str, health_port: int = 0) -> Service:
        """Start one process; it is ready later (`until_ready`)."""
        health = f"127.0.0.1:{free_port(wanted=health_port)}"
        line = (command, *arguments, "--health", health)
        service = Service(name, line, health, start_child(name, line, self.log_directory))
        self.services[name] = service
        return service

    def start_pipeline(self, broker: str, *, collectors: int) -> None:
        """Start embedded broker, sink, and collectors that share the site's devices."""
        self.broker = broker
        site = ("--site", str(self.site_file))
        self.start("broker", "broker", "--listen", broker)
        sink = self.start("sink", "sink", *site, "--embedded-broker", broker)
        for i in range(collectors):
            self.start(
                f"collector-{i}",
                "collect",
                *site,
                *("--shard", f"{i}/{collectors}"),
                *("--embedded-broker", broker),
                *("--committed", sink.health),
            )

    def start_alerts(self) -> Service:
        """Start the alert engine beside a pipeline, where `busway alert` looks for it if it can."""
        return self.start(
            "alerts",
            *("alert", "run"),
            *("--site", str(self.site_file)),
            *("--embedded-broker", self.broker),
            *("--committed", self.services["sink"].health),
            health_port=ALERTS_PORT,
        )

    async def until_ready(self, stop: asyncio.Event) -> None:
        """Wait until every process does its work, or `stop` is set.

        Raises:
            ChildFailed: one ended instead.
            NotReady: one took too long.
        """
        waiting = list(self.services.values())
        deadline = time.monotonic() + READY_SECONDS
        while waiting and not stop.is_set():
            self.check()
            if time.monotonic() > deadline:
                raise NotReady(
                    f"'{waiting[0].name}' was not ready after {READY_SECONDS:.0f} s; "
                    f"see {waiting[0].log}"
                )
            answers = await asyncio.gather(*(service.facts() for service in waiting))
            waiting = [
                service
                for service, facts in zip(waiting, answers, strict=True)
                if facts is None or not facts.get("ready")
            ]
            if waiting:
                await asyncio.sleep(LOOK_SECONDS)

    def restart_ended(self) -> None:
        """Start again each process that has ended, at most every RESTART_SECONDS."""
        for service in self.services.values():
            if service.child.is_running or time.monotonic() < service.restart_at:
                continue
            log.error("A process ended; starting it again.", reason=str(service.child.failure()))
            service.restart_at = time.monotonic() + RESTART_SECONDS
            service.child = start_child(service.name, service.arguments, self.log_directory)

    def check(self) -> None:
        """See that every process still runs.

        Raises:
            ChildFailed: one has ended by itself.
        """
        for service in self.services.values():
            if not service.child.is_running:
                raise service.child.failure()

    async def facts(self) -> Mapping[str, dict[str, Any]]:
        """What each process says of itself now; those that do not answer are left out."""
        services = list(self.services.values())
        answers = await asyncio.gather(*(service.facts() for service in services))
        return {
            service.name: facts
            for service, facts in zip(services, answers, strict=True)
            if facts is not None
        }

    async def stop(self, *names: str) -> None:
        """Let the named processes drain and end, together."""
        ending = [self.services.pop(name) for name in names if name in self.services]
        await asyncio.gather(*(service.child.stop() for service in ending))

    async def stop_all(self) -> None:
        """End everything, in the direction of the data."""
        collectors = [name for name in self.services if name.startswith("collector")]
        await self.stop(*collectors)
        await self.stop("simulator")
        await self.stop("alerts")
        await self._let_sink_catch_up()
        await self.stop("sink", "maintain")
        await self.stop("broker")

    async def _let_sink_catch_up(self) -> None:
        """Wait a little for the sink to take what the collectors sent last.

        What it does not take in time is not lost: the outboxes keep it for the next start.
        """
        deadline = time.monotonic() + CATCH_UP_SECONDS
        while (sink := self.services.get("sink")) and time.monotonic() < deadline:
            facts = await sink.facts()
            if facts is None or facts.get("lag") == 0:
                return
            await asyncio.sleep(LOOK_SECONDS)
