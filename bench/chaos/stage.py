"""Everything between the meters and the lake as real processes, to be ill-treated."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from bench.chaos.numbered import PROFILE, NumberedMeters
from busway.health import ask
from busway.processes import Child, free_port, start_child
from tests.apache_kafka import ApacheKafka

INTERVAL_S = 0.2
SESSION_TIMEOUT_S = 2.0
COLLECTORS = 2
PARTITIONS = 4
DISK_MEGABYTES = {"outbox": 64, "lake": 512}
READY_S = 60.0


class NotReady(Exception):
    """A process did not come up, or did not answer, in time."""


class Stage:
    """Kafka, two collectors, sinks of one group, the lake's upkeep; each can be killed and started.

    Args:
        directory: for the site file, the outboxes, the lake, Kafka's log and all output.
        meters: what the collectors poll; somebody serves them.
    """

    def __init__(self, directory: Path, meters: NumberedMeters) -> None:
        self.directory = directory
        self.lake = directory / "lake"
        log = directory / "kafka"
        log.mkdir()
        self.kafka = ApacheKafka(log)
        self._children: dict[str, Child] = {}
        self._health: dict[str, str] = {}
        self._site = directory / "site.yaml"
        self._site.write_text(self._site_text(meters), "utf-8")

    def collectors(self) -> tuple[str, ...]:
        """Names of the collectors."""
        return tuple(f"collector-{i}" for i in range(COLLECTORS))

    def start_collector(self, name: str, environment: dict[str, str] | None = None) -> None:
        """Start one of `collectors()` on the outbox it had before."""
        share = f"{self.collectors().index(name)}/{COLLECTORS}"
        self._start(name, "collect", "--shard", share, environment=environment)

    def start_sink(self, name: str = "sink-1") -> None:
        """Start a sink of the group."""
        self._start(name, "sink")

    def start_maintainer(self) -> None:
        """Start the lake's upkeep."""
        self._start("maintainer", "maintain")

    def kill(self, *names: str) -> None:
        """End processes as a power cut would."""
        for name in names:
            self._children[name].process.kill()
        for name in names:
            _bury(self._children.pop(name))

    async def stop(self, name: str) -> None:
        """Let a process drain and end."""
        await self._children.pop(name).stop()

    def pause(self, name: str) -> None:
        """Let a process hang."""
        self._children[name].process.send_signal(signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """Let it go on."""
        self._children[name].process.send_signal(signal.SIGCONT)

    def is_running(self, name: str) -> bool:
        """Whether a process was started and has not ended."""
        return name in self._children and self._children[name].is_running

    def heal(self) -> None:
        """Bring back what is not running: broker, collectors, the first sink, the upkeep."""
        if not self.kafka.is_running:
            self.kafka.start()
        for name in self.collectors():
            if not self.is_running(name):
                self.start_collector(name)
        if not self.is_running("sink-1"):
            self.start_sink()
        if not self.is_running("maintainer"):
            self.start_maintainer()

    async def until_ready(self, name: str) -> None:
        """Wait until a process says that it does its work.

        Raises:
            NotReady: it does not in time.
        """
        for _ in range(int(READY_S / INTERVAL_S)):
            facts = await ask(f"http://{self._health[name]}/healthz")
            if facts and facts.get("ready"):
                return
            await asyncio.sleep(INTERVAL_S)
        raise NotReady(f"{name} was not ready within {READY_S:.0f} s; see {self.directory}/log")

    def end(self) -> None:
        """Kill everything that still runs."""
        for child in self._children.values():
            child.process.kill()
            _bury(child)
        self.kafka.stop()

    def _start(self, name: str, *command: str, environment: dict[str, str] | None = None) -> None:
        if name in self._children:  # it has ended by itself
            _bury(self._children[name])
        self._health[name] = f"127.0.0.1:{free_port()}"
        line = (*command, "--site", str(self._site), "--health", self._health[name])
        log = self.directory / "log"
        self._children[name] = start_child(name, line, log, environment=environment)

    def _site_text(self, meters: NumberedMeters) -> str:
        devices = "\n".join(
            f"  - {{id: {d.id}, profile: {PROFILE}, role: feeder_meter, "
            f"address: 'modbus://{d.host}:{d.port}'}}"
            for d in meters.devices
        )
        return f"""\
site: {{name: chaos}}
defaults: {{interval_seconds: {INTERVAL_S}, timeout_seconds: {INTERVAL_S}}}
devices:
{devices}
kafka:
  bootstrap_servers: ['{self.kafka.bootstrap_servers[0]}']
  partitions: {PARTITIONS}
  session_timeout_seconds: {SESSION_TIMEOUT_S}
outbox: {{directory: outbox}}
lake: {{directory: lake, flush_seconds: 0.5}}
"""


def _bury(child: Child) -> None:
    """Take the status of a process that was killed, and let go of its pipe."""
    child.process.wait()
    if child.process.stdin is not None:
        child.process.stdin.close()


@contextmanager
def small_disks(directory: Path) -> Iterator[bool]:
    """Put outbox and lake on small file systems of their own; say whether that was allowed."""
    mounted: list[Path] = []
    try:
        for name, megabytes in DISK_MEGABYTES.items():
            place = directory / name
            place.mkdir()
            options = ("-o", f"size={megabytes}m")
            command = ("mount", "-t", "tmpfs", *options, "tmpfs", str(place))
            if subprocess.run(command, check=False, capture_output=True).returncode:
                break
            mounted.append(place)
        yield len(mounted) == len(DISK_MEGABYTES)
    finally:
        for place in mounted:
            subprocess.run(("umount", "--lazy", str(place)), check=True)


@asynccontextmanager
async def full_disk(place: Path) -> AsyncIterator[None]:
    """Leave no byte free where `place` lies, while the block runs."""
    filler = place / "filler"
    try:
        await asyncio.to_thread(_fill, filler)
        yield
    finally:
        filler.unlink()


def _fill(filler: Path) -> None:
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(1_000_000)):
            pass
