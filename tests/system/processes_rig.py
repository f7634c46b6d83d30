"""Busway's processes as a test starts them, asks them, and ends them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from apache_kafka import free_ports

from facility.errors import LakeUnavailable
from simulator.demo_site import demo_site_text
from warehouse.lake import Lake
from warehouse.query import run_sql

LOOK_SECONDS = 0.25
BUSWAY = (sys.executable, "-m", "busway")


@dataclass(frozen=True)
class Process:
    """A `busway` command that runs, its output in a file."""

    popen: subprocess.Popen[bytes]
    log: Path

    @property
    def output(self) -> str:
        return self.log.read_text("utf-8", "replace")

    def end(self, number: int, *, within_s: float = 30) -> int:
        """Send a signal and give the exit status."""
        self.popen.send_signal(number)
        return self.popen.wait(within_s)

    def wait_for(self, text: str, *, within_s: float = 40) -> None:
        """Wait until its output holds `text`."""

        def says_it() -> bool:
            assert self.popen.poll() is None or text in self.output, self.output
            return text in self.output

        wait_until(says_it, within_s=within_s, what=lambda: f"{text!r} in:\n{self.output}")


@dataclass(frozen=True)
class Demo:
    """What a demo printed, and the directory it kept."""

    ended: subprocess.CompletedProcess[str]
    directory: Path

    @property
    def lake(self) -> Path:
        return self.directory / "lake"


@contextmanager
def running(*command: str, log: Path, **environment: str) -> Iterator[Process]:
    """Run `busway COMMAND...`; at the end of the block it and all below it are gone."""
    with log.open("ab") as output:
        popen = subprocess.Popen(
            [*BUSWAY, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
        )
    try:
        yield Process(popen, log)
    finally:
        if popen.poll() is None:
            kill([*descendants(popen.pid), popen.pid])
        popen.wait()


def run_busway(
    *command: str, within_s: float = 60, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `busway COMMAND...` to its end."""
    return subprocess.run(
        [*BUSWAY, *command],
        capture_output=True,
        text=True,
        timeout=within_s,
        check=False,
        env={**os.environ, **environment},
    )


def wait_until(
    holds: Callable[[], bool], *, within_s: float, what: Callable[[], str] | str = ""
) -> None:
    """Look until it holds; fail with `what` when it does not in time."""
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            text = what() if callable(what) else what
            raise AssertionError(f"not within {within_s} s: {text}")
        time.sleep(LOOK_SECONDS)


def descendants(pid: int) -> list[int]:
    """Every process below `pid`, whatever session it is in."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # ended while we looked
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(stat.parent.name))
    found: list[int] = []
    waiting = [pid]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def is_alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


def kill(pids: list[int]) -> None:
    """End processes of ours as a power cut would, all at once."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def wait_for_the_end_of(pids: list[int], *, within_s: float) -> None:
    """Wait until none of the processes runs."""
    assert pids
    wait_until(
        lambda: not any(is_alive(pid) for pid in pids),
        within_s=within_s,
        what=lambda: f"processes end: {[pid for pid in pids if is_alive(pid)]}",
    )


def write_hall(directory: Path, *, sections: str = "") -> Path:
    """Write the site of a hall of one rack, on ports that are free, and give its file."""
    modbus, snmp, http = free_ports(3)
    site = directory / "site.yaml"
    hall = demo_site_text(1, modbus_port=modbus, snmp_port=snmp, http_port=http)
    site.write_text(hall + sections, "utf-8")
    return site


def ask_lake(directory: Path, query: str) -> pa.Table:
    """The rows of a question to a lake."""
    with Lake.open_read_only(directory) as lake:
        return run_sql(lake, query)


def count_readings(directory: Path) -> int:
    """Rows of `readings`; 0 while there is no lake yet, or one that is just being made."""
    try:
        count: int = ask_lake(directory, "select count(*) as n from readings")["n"][0].as_py()
    except LakeUnavailable:
        return 0
    return count
