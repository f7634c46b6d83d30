"""`busway demo`: a simulated plant through everything that production runs, judged by its truth."""

from __future__ import annotations

import asyncio
import math
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from busway.assembly import Assembly
from busway.demo_report import iso, print_report
from busway.demo_view import DemoView
from busway.directories import make_directory
from busway.health import ask
from busway.lifecycle import pause, run_process
from busway.processes import free_port
from busway.site import load_checked_site
from facility.errors import BuswayError, ConfigError
from facility.site import Site
from simulator.demo_site import demo_site_text

DEFAULT_DIRECTORY = Path("build/demo")
MARKER = "busway-demo"
"""A file in every directory of a demo's, so that only such a one is ever replaced."""
COLLECTORS = 2
SETTLE_SECONDS = 3
"""Polled before and after the judged window, so that each edge has readings on both sides."""
FIRST_ANSWER_SECONDS = 20.0
LOOK_SECONDS = 0.2
CHECK_SECONDS = 0.5
INTERRUPTED_STATUS = 130


@dataclass(frozen=True)
class Window:
    """The time that is judged."""

    from_at: datetime
    to_at: datetime


def run_demo(*, seconds: int, racks: int, keep: Path | None, seed: int) -> int:
    """Run the demo and print its report. Returns the exit status.

    0 when nothing was lost and each PUE agrees with the plant's truth within the meters'
    resolution.

    Raises:
        ConfigError: the directory holds something else.
        ChildFailed: a process ended unasked.
    """
    directory = _fresh_directory(keep)
    status = [INTERRUPTED_STATUS]

    async def body(stop: asyncio.Event) -> None:
        status[0] = await _demo(directory, seconds, racks, seed, stop)

    run_process(body)
    return status[0]


def _fresh_directory(keep: Path | None) -> Path:
    directory = keep if keep is not None else DEFAULT_DIRECTORY
    if directory.is_dir() and any(directory.iterdir()):
        if keep is not None or not (directory / MARKER).exists():
            raise ConfigError(f"{directory} is not empty; give --keep a new directory")
        shutil.rmtree(directory)
    make_directory(directory, "demo")
    (directory / MARKER).touch()
    return directory


async def _demo(directory: Path, seconds: int, racks: int, seed: int, stop: asyncio.Event) -> int:
    site_file = directory / "site.yaml"
    ports = {name: free_port() for name in ("modbus_port", "snmp_port", "http_port")}
    site_file.write_text(demo_site_text(racks, **ports), "utf-8")
    site = load_checked_site(site_file)
    assembly = Assembly(site_file, directory / "logs")
    console = Console(highlight=False, soft_wrap=True)
    view = DemoView(console, site, directory / "lake", seconds)
    try:
        truth_address = _start(assembly, seed)
        async with view.watching(assembly):
            window = await _poll(assembly, site, seconds, view, stop)
        console.print("Draining: collectors, then the sink.")
        if window is None:
            console.print(f"Interrupted; {directory / 'lake'} holds what was polled.")
            return INTERRUPTED_STATUS
        truth = await ask(
            f"http://{truth_address}/truth?from={iso(window.from_at)}&to={iso(window.to_at)}"
        )
    finally:
        await assembly.stop_all()
    if truth is None:
        raise BuswayError("the plant did not tell its truth; see the simulator's log")
    return print_report(directory, window.from_at, window.to_at, truth)


def _start(assembly: Assembly, seed: int) -> str:
    """Start every process and return where the plant tells its truth."""
    site = ("--site", str(assembly.site_file))
    broker = f"127.0.0.1:{free_port()}"
    truth = f"127.0.0.1:{free_port()}"
    assembly.start("simulator", "simulate", *site, "--seed", str(seed), "--truth", truth)
    assembly.start_pipeline(broker, collectors=COLLECTORS)
    return truth


async def _poll(
    assembly: Assembly, site: Site, seconds: int, view: DemoView, stop: asyncio.Event
) -> Window | None:
    """Let it run until the window is over; None when a signal came first."""
    view.say(f"Starting: broker, plant of {len(site.devices)} devices, sink, collectors.")
    await assembly.until_ready(stop)
    if stop.is_set():
        return None
    view.say("Waiting for every device's first answer.")
    await _until_all_answer(assembly, len(site.devices), stop)
    begin = math.ceil(time.time()) + SETTLE_SECONDS
    window = Window(
        datetime.fromtimestamp(begin, UTC), datetime.fromtimestamp(begin + seconds, UTC)
    )
    view.begin(window.from_at, window.to_at)
    while (left := begin + seconds + SETTLE_SECONDS - time.time()) > 0:
        assembly.check()
        await pause(stop, min(left, CHECK_SECONDS))
        if stop.is_set():
            return None
    return window


async def _until_all_answer(assembly: Assembly, devices: int, stop: asyncio.Event) -> None:
    """Wait until every device has answered; after a while go on, and the report tells of the rest.

    The first read of a table device surveys it, which takes longer than a later one.
    """
    deadline = time.monotonic() + FIRST_ANSWER_SECONDS
    while not stop.is_set() and time.monotonic() < deadline:
        assembly.check()
        facts = (await assembly.facts()).values()
        if sum(fact.get("devices_up", 0) for fact in facts) == devices:
            return
        await asyncio.sleep(LOOK_SECONDS)
