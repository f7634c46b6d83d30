"""What the daemon itself costs: 1,000 devices at 1 Hz, with drivers that cost nothing.

`python -m bench.poller`. The process is held on one core. The start of each poll is compared with
its slot; memory is this process's resident size; CPU is its own time. Beside it, the batcher alone.
"""

from __future__ import annotations

import asyncio
import os
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from collectors.batch import ReadingsBatcher
from collectors.daemon import Daemon
from collectors.schedule import grid_for
from collectors.source import Poll
from facility.point import PointTable
from facility.site import Device, Site
from stream.outbox import Outbox

DEVICES = 1000
POINTS = 100
SECONDS = 20.0
BATCH_ROUNDS = 20


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


async def poll(directory: Path) -> None:
    """Run the daemon for a while and print what it took."""
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
        asyncio.get_running_loop().call_later(SECONDS, stop.set)
        await daemon.run(stop)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - started
    p50, p99, worst = np.percentile(np.array(delays_us), [50, 99, 100]) / 1000
    rss_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{DEVICES} devices x {POINTS} points at 1 Hz for {wall:.0f} s on one core")
    print(f"  polls            {len(delays_us)} of {DEVICES * SECONDS:.0f}")
    print(f"  start delay      p50 {p50:.1f} ms, worst {worst:.1f} ms")
    print(f"                   p99 {p99:.1f} ms (goal: < 100)")
    print(f"  resident memory  {rss_mb:.0f} MB (goal: < 200)")
    print(
        f"  CPU              {cpu / wall:.0%} of one core, with encoding and the outbox's commits"
    )


def batch() -> None:
    """Time the batcher alone on the same polls."""
    sources = [InstantSource(device.id, []) for device in devices()]
    polls = [asyncio.run(source.read()) for source in sources[:DEVICES]]
    batcher = ReadingsBatcher()
    batcher.batch(polls)
    cpu = time.process_time()
    for _ in range(BATCH_ROUNDS):
        batcher.batch(polls)
    cpu = time.process_time() - cpu
    rate = BATCH_ROUNDS * DEVICES * POINTS / cpu
    print(f"batcher alone      {rate / 1e6:.1f} M rows/s on {POINTS}-point polls (goal: > 5)")


def main() -> None:
    """Print the table."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(poll(Path(directory)))
    batch()


if __name__ == "__main__":
    main()
