"""Child processes: started with their log in a file, stopped by their own handle."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from busway.directories import make_directory
from facility.errors import BuswayError

TERMINATE_SECONDS = 15.0
LOOK_SECONDS = 0.05


class ChildFailed(BuswayError):
    """A child process ended by itself; the message carries the end of its log."""


@dataclass(frozen=True)
class Child:
    """A running `busway` command."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self.process.poll() is None

    async def stop(self) -> int:
        """Ask it to drain and end; kill it when it does not in time. Returns its exit status."""
        if self.is_running:
            self.process.terminate()
        deadline = time.monotonic() + TERMINATE_SECONDS
        while self.is_running:
            if time.monotonic() > deadline:
                self.process.kill()
            await asyncio.sleep(LOOK_SECONDS)
        if self.process.stdin is not None:
            self.process.stdin.close()
        return self.process.wait()

    def failure(self) -> ChildFailed:
        """What to raise when it ended unasked."""
        tail = "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-15:])
        return ChildFailed(
            f"'{self.name}' ended with status {self.process.returncode}; "
            f"the end of {self.log}:\n{tail}"
        )


def start_child(
    name: str,
    command: Sequence[str],
    log_directory: Path,
    *,
    environment: Mapping[str, str] | None = None,
) -> Child:
    """Start `busway COMMAND...` in a session of its own, with more in its environment.

    A terminal's Ctrl-C reaches only the parent, which stops its children in data-flow order. Each
    child holds a pipe from the parent as standard input and ends when that closes.

    Raises:
        ConfigError: the log directory cannot be made.
    """
    log = _next_log(log_directory, name)
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command line
            [sys.executable, "-m", "busway", *command, "--stop-on-eof"],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **(environment or {})},
        )
    return Child(name, process, log)


def _next_log(directory: Path, name: str) -> Path:
    make_directory(directory, "log")
    taken = len(list(directory.glob(f"{name}*.log")))
    return directory / (f"{name}-{taken + 1}.log" if taken else f"{name}.log")


def free_port(host: str = "127.0.0.1", *, wanted: int = 0) -> int:
    """A TCP port that nobody listens on now; the wanted one where it is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, wanted))
        except OSError:
            probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
