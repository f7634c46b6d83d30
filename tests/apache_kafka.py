"""A real Apache Kafka for the tests: one KRaft node, jars from Maven, on loopback."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from pathlib import Path

POM = Path(__file__).parent / "kafka" / "pom.xml"
FETCH_TIMEOUT_S = 600
START_TIMEOUT_S = 60
JAVA = ("java", "-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
QUIET = ("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dlog4j2.StatusLogger.level=OFF")

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}{listeners}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}{listeners}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT{protocols}
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs={directory}/log
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=1000
broker.heartbeat.interval.ms=200
"""


class KafkaMissing(Exception):
    """Java, Maven or the jars are not to be had; the message says which."""


def fetch_jars() -> Path:
    """Give the directory of Kafka's jars, filled from Maven once per version."""
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            raise KafkaMissing(f"{program} is not installed")
    version = ET.parse(POM).getroot().findtext("{*}version")  # our own file
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "busway"
    jars = cache / f"kafka-{version}"
    if jars.is_dir():
        return jars
    cache.mkdir(parents=True, exist_ok=True)
    partial = cache / f"{jars.name}.{os.getpid()}"
    command: list[str | Path] = ["mvn", "-q", "-B", "-f", POM, "dependency:copy-dependencies"]
    fetched = subprocess.run(
        [*command, f"-DoutputDirectory={partial}"],
        capture_output=True,
        text=True,
        timeout=FETCH_TIMEOUT_S,
        check=False,
    )
    if fetched.returncode:
        shutil.rmtree(partial, ignore_errors=True)
        raise KafkaMissing(f"mvn could not fetch Kafka: {fetched.stdout[-2000:]}")
    try:
        partial.rename(jars)
    except OSError:  # another test run was faster
        shutil.rmtree(partial)
    return jars


class ApacheKafka:
    """One broker that is its own controller, its log in `directory`.

    Beside its plain listener it has those of `listeners` (name and security protocol), with the
    properties `more`; `format_options` go to the tool that makes its log.
    """

    def __init__(
        self,
        directory: Path,
        *,
        listeners: Mapping[str, str] | None = None,
        more: str = "",
        format_options: Sequence[str] = (),
    ) -> None:
        self._classpath = f"{fetch_jars()}/*"
        protocols = listeners or {}
        self._port, controller_port, *others = free_ports(2 + len(protocols))
        self._ports = dict(zip(protocols, others, strict=True))
        self._properties = directory / "server.properties"
        self._output = directory / "output.txt"
        self._properties.write_text(
            PROPERTIES.format(
                port=self._port,
                controller_port=controller_port,
                directory=directory,
                listeners="".join(
                    f",{name}://127.0.0.1:{port}" for name, port in self._ports.items()
                ),
                protocols="".join(f",{name}:{kind}" for name, kind in protocols.items()),
            )
            + more
        )
        made = self._java(
            "kafka.tools.StorageTool",
            "format", "-t", "AAAAAAAAAAAAAAAAAAAAAQ", *format_options, "-c",
        )  # fmt: skip
        assert made.returncode == 0, made.stdout + made.stderr
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap_servers(self) -> tuple[str, ...]:
        return (f"127.0.0.1:{self._port}",)

    def at(self, listener: str) -> tuple[str, ...]:
        """Bootstrap servers of a listener."""
        return (f"127.0.0.1:{self._ports[listener]}",)

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it on the port and the log it had before; return when it listens."""
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                [*JAVA, *QUIET, "-cp", self._classpath, "kafka.Kafka", self._properties],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self._properties.parent,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        self.stop()
        raise RuntimeError(f"Kafka did not start: {self._output.read_text()[-3000:]}")

    def pause(self) -> None:
        """Let it hang: connections stay open and nothing is answered, until `resume`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it as a crash would; the log stays."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _java(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*JAVA, *QUIET, "-cp", self._classpath, *arguments, self._properties],
            capture_output=True,
            text=True,
            timeout=START_TIMEOUT_S,
            check=False,
            cwd=self._properties.parent,
        )


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
