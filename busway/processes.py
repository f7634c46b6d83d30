"""Child processes: started with their log in a file, stopped by their own handle."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from facility.errors import BuswayError

TERMINATE_SECONDS = 15.0


class ChildFailed(BuswayError):
    """A child process ended by itself; the message carries the end of its log."""


@dataclass(frozen=True)
class Child:
    """A running `busway` command."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self.process.returncode is None

    async def stop(self) -> int:
        """Ask it to drain and end; kill it when it does not in time. Returns its exit status."""
        if self.is_running:
            self.process.terminate()
            try:
                await asyncio.wait_for(self.process.wait(), TERMINATE_SECONDS)
            except TimeoutError:
                self.process.kill()
        return await self.process.wait()

    def failure(self) -> ChildFailed:
        """What to raise when it ended unasked."""
        tail = "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-15:])
        return ChildFailed(
            f"'busway {self.name}' ended with status {self.process.returncode}; "
            f"the end of {self.log}:\n{tail}"
        )


async def start_child(name: str, arguments: Sequence[str], log_directory: Path) -> Child:
    """Start `busway NAME ARGUMENTS` in a session of its own.

    A terminal's Ctrl-C reaches only the parent, which stops its children in data-flow order. Each
    child holds a pipe from the parent as standard input and ends when that closes.
    """
    log = _next_log(log_directory, name)
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "busway",
            name,
            "--stop-on-eof",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    return Child(name, process, log)


def _next_log(directory: Path, name: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    taken = len(list(directory.glob(f"{name}*.log")))
    return directory / (f"{name}-{taken + 1}.log" if taken else f"{name}.log")


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
