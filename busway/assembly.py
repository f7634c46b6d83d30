"""All of Busway on one machine, as separate processes: what `busway demo` and `busway up` share.

    simulator (demo only)
        |
    collectors ──> embedded broker ──> sink ──> lake

Started from the broker outward, stopped in the direction of the data, each after it has drained.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from busway.health import ask
from busway.processes import Child, free_port, start_child
from facility.errors import BuswayError

READY_SECONDS = 60.0
LOOK_SECONDS = 0.2


class NotReady(BuswayError):
    """A process did not become ready in time; its log says why."""


@dataclass
class Service:
    """One process with a health endpoint."""

    name: str
    command: str
    arguments: tuple[str, ...]
    health: str
    child: Child | None = None

    async def facts(self) -> dict[str, Any] | None:
        """What it says of itself; None while it does not answer."""
        return await ask(f"http://{self.health}/healthz")


@dataclass
class Assembly:
    """The processes, in the order of the data's way."""

    site_file: Path
    log_directory: Path
    services: dict[str, Service] = field(default_factory=dict)

    def start(self, name: str, command: str, *arguments: str) -> Service:
        """Start one process; it is ready later (`until_ready`)."""
        health = f"127.0.0.1:{free_port()}"
        service = Service(name, command, (*arguments, "--health", health), health)
        service.child = start_child(name, (command, *service.arguments), self.log_directory)
        self.services[name] = service
        return service

    async def until_ready(self, *names: str) -> None:
        """Wait until the named processes (all, if none is named) do their work.

        Raises:
            ChildFailed: one ended instead.
            NotReady: one took too long.
        """
        waiting = [self.services[name] for name in names or self.services]
        deadline = asyncio.get_running_loop().time() + READY_SECONDS
        while waiting:
            self.check()
            if asyncio.get_running_loop().time() > deadline:
                late = waiting[0]
                assert late.child is not None
                raise NotReady(
                    f"'{late.name}' was not ready after {READY_SECONDS:.0f} s; see {late.child.log}"
                )
            answers = await asyncio.gather(*(service.facts() for service in waiting))
            waiting = [
                service
                for service, facts in zip(waiting, answers, strict=True)
                if facts is None or not facts.get("ready")
            ]
            if waiting:
                await asyncio.sleep(LOOK_SECONDS)

    def check(self) -> None:
        """See that every process still runs.

        Raises:
            ChildFailed: one has ended by itself.
        """
        for service in self.services.values():
            if service.child is not None and not service.child.is_running:
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
        children = [self.services[name].child for name in names if name in self.services]
        await asyncio.gather(*(child.stop() for child in children if child is not None))
        for name in names:
            self.services.pop(name, None)

    async def stop_all(self) -> None:
        """End everything, in the direction of the data."""
        collectors = [name for name in self.services if name.startswith("collector")]
        await self.stop(*collectors)
        await self.stop("simulator")
        await self.stop("sink")
        await self.stop("broker")
