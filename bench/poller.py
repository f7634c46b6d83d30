"""What the daemon itself costs: 1,000 devices at 1 Hz, with drivers that cost nothing.

The process is held on one core. The start of each poll is compared with its slot; memory is this
process's resident size; CPU is its own time. Beside it, the batcher alone.
"""

from __future__ import annotations

import asyncio
import os
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.harness import Figure, Goal, Scale, Work, per_cpu_second, run_async
from collectors.batch import ReadingsBatcher
from collectors.daemon import Daemon
from collectors.schedule import grid_for
from collectors.source import Poll
from facility.point import PointTable
from facility.site import Device, Site
from stream.outbox import Outbox

DEVICES = 1000
POINTS = 100


class InstantSource:
    """A device that answers at once; notes how late after its slot it was asked."""

    def __init__(self, device: str, delays_us: list[int]) -> None:
        self.device = device
        self._grid = grid_for(device, 1.0)
        self._delays_us = delays_us
        self._points = PointTable(
            device,
            tuple(f"outlet.{n}" for n in range(POINTS)),
            ("active_power_w",) * POINTS,
            ("",) * POINTS,
        )
        self._value = np.random.default_rng(1).normal(5000, 10, POINTS)
        self._quality = np.zeros(POINTS, np.uint8)

    async def read(self) -> Poll:
        """Give the same values again, stamped now."""
        now_us = time.time_ns() // 1000
        self._delays_us.append((now_us - self._grid.phase_us) % self._grid.interval_us)
        return Poll(self._points, now_us, self._value, self._quality)

    async def close(self) -> None:
        """Nothing to let go of."""


def devices() -> tuple[Device, ...]:
    """A thousand devices with names of a usual length."""
    return tuple(
        Device(
            id=f"hall-1/row-{n // 50}/rack-{n}/pdu-a",
            profile="none",
            address=f"modbus://10.0.{n // 250}.{n % 250}",
            role="rack_pdu",
            interval_seconds=1.0,
        )
        for n in range(DEVICES)
    )


def figures(scale: Scale) -> Iterator[Figure]:
    """The daemon for a while, then the batcher alone."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    seconds = scale.pick(15, 6)
    delays_us, cpu_share = run_async(_poll(scale.scratch, seconds))
    p50, p99 = np.percentile(np.array(delays_us), [50, 99]) / 1000
    what = f"{DEVICES} devices x {POINTS} points"
    share = len(delays_us) / (DEVICES * seconds)
    yield Figure(f"{what} at 1 Hz: polls made", share, "of those due")
    yield Figure("delay of a poll's start, p50", p50, "ms")
    yield Figure("delay of a poll's start, p99", p99, "ms", goal=Goal(100, "value", "most"))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield Figure("memory of the daemon", memory, "MB", goal=Goal(200, "value", "most"))
    yield Figure("encoding and outbox included", cpu_share, "of one core")
    rate = per_cpu_second(_batching())
    best = max(rate() for _ in range(scale.pick(20, 5)))
    yield Figure(
        f"batcher alone, {POINTS}-point polls", best, "rows/s/core", goal=Goal(5e6, "value")
    )


async def _poll(directory: Path, seconds: int) -> tuple[list[int], float]:
    """Run the daemon for a while; give each poll's delay, and the share of a core that it took."""
    delays_us: list[int] = []
    with Outbox(
        directory / "outbox", collector="bench", max_bytes=2 * 10**9, when_full="stop_polling"
    ) as outbox:
        daemon = Daemon(
            Site(name="bench", devices=devices()),
            outbox,
            journal=directory / "journal",
            open_device=lambda device, _: InstantSource(device.id, delays_us),
        )
        stop = asyncio.Event()
        started, cpu = time.perf_counter(), time.process_time()
        asyncio.get_running_loop().call_later(seconds, stop.set)
        await daemon.run(stop)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - started
    return delays_us, cpu / wall


def _batching() -> Work:
    """The batcher on the same polls."""
    polls = [run_async(InstantSource(device.id, []).read()) for device in devices()]
    batcher = ReadingsBatcher()
    batcher.batch(polls)
    return lambda: float(len(batcher.batch(polls)))
