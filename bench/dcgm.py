"""What the DCGM driver costs beside prometheus_client's parser: `python -m bench.dcgm`.

A rack of 72 GPUs behind one exporter, every field of the profile; figures are of this process's own
CPU time. Then 144 nodes at 1 Hz over HTTP: what the driver and the simulated exporters, in a
process of their own, take of a core.
"""

from __future__ import annotations

import asyncio
import json
import math
import subprocess
import sys
import time
from collections.abc import Callable
from typing import IO

from prometheus_client.parser import text_string_to_metric_families

from collectors.batch import ReadingsBatcher
from collectors.dcgm.exposition import Exposition
from collectors.dcgm.fields import Fields
from collectors.dcgm.opening import open_dcgm
from collectors.dcgm.source import DcgmSource
from collectors.profile import Profile
from collectors.profile_library import load_profile
from collectors.source import Source
from facility.address import Address
from facility.site import Device, Site
from simulator.dcgm_exporter import DcgmExporters
from simulator.dcgm_node import DcgmNode

GPUS = 72
ROUNDS = 50
NODES, GPUS_A_NODE, SECONDS = 144, 4, 10
TWELVE_FIELDS = (100, 112, 140, 150, 155, 156, 164, 203, 1001, 1002, 1004, 1005)


def profile() -> Profile:
    """The profile of the exporter."""
    return load_profile("nvidia-dcgm-exporter")


def value(component: str, quantity: str) -> float | None:
    """A value that moves, different for every GPU."""
    if quantity.endswith("_ratio"):
        return 0.5 + 0.4 * math.sin(time.monotonic() + hash(component) % 7)
    return 61.5 + (time.monotonic() * 1000) % 7


def gpu_names(count: int, node: int = 0) -> list[str]:
    """Components with UUIDs of the usual length."""
    return [f"gpu.GPU-5f3c{node:04x}-0000-4000-8000-{gpu:012x}" for gpu in range(count)]


class Kept:
    """Texts of a rack, one after another."""

    def __init__(self, texts: list[bytes]) -> None:
        self._texts, self._next = texts, 0

    async def get(self) -> bytes:
        """Give the next."""
        self._next += 1
        return self._texts[self._next % len(self._texts)]

    async def close(self) -> None:
        """Nothing to let go of."""


def seconds_each(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """CPU time of one call, the first left out."""
    work()
    started = time.process_time()
    for _ in range(rounds):
        work()
    return (time.process_time() - started) / rounds


def parse(texts: list[bytes]) -> None:
    """Compare the parsers on the same texts."""
    lines = texts[0].count(b"\n")
    section = profile().dcgm
    assert section is not None
    exposition = Exposition(Fields(section.points).recognise)
    ours = seconds_each(lambda: [exposition.read(text) for text in texts]) / len(texts)
    decoded = texts[0].decode()

    def reference() -> None:
        for family in text_string_to_metric_families(decoded):
            for sample in family.samples:
                float(sample.value)

    theirs = seconds_each(reference, rounds=5)
    print(f"{GPUS} GPUs, {lines} lines, {len(texts[0]) / 1000:.0f} kB")
    ratio = f"{theirs / ours:.0f} x (goal: 10 x)"
    print(f"  prometheus_client  {lines / theirs / 1e3:8.0f} k lines/s")
    print(f"  ours               {lines / ours / 1e3:8.0f} k lines/s, {ratio}")


async def scrape(texts: list[bytes]) -> None:
    """Time a whole scrape: text to poll to Arrow batch."""
    section = profile().dcgm
    assert section is not None
    device = Device(id="rack", profile="any", address="http://rack", role="gpu_node")
    source, batcher = DcgmSource(device, section, Kept(texts)), ReadingsBatcher()
    batcher.batch([await source.read()])
    started = time.process_time()
    for _ in range(ROUNDS):
        batch = batcher.batch([await source.read()])
    each_ms = (time.process_time() - started) / ROUNDS * 1000
    print(f"  text to batch      {each_ms:8.2f} ms for {len(batch)} readings (goal: < 5 ms)")


async def serve() -> None:
    """Serve the nodes, print their ports, and print the CPU time taken when stdin ends."""
    async with DcgmExporters() as exporters:
        places = [
            await exporters.serve(
                DcgmNode(profile(), gpu_names(GPUS_A_NODE, node), value, fields=TWELVE_FIELDS),
                f"127.43.{node // 18}.{node % 18 + 1}",
            )
            for node in range(NODES)
        ]
        print(json.dumps(places), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        cpu = time.process_time()
        await asyncio.to_thread(sys.stdin.readline)
        print(time.process_time() - cpu, flush=True)


async def poll_every_second(source: Source, phase_s: float) -> int:
    """Read a node each second; give the readings."""
    await asyncio.sleep(phase_s)
    readings = 0
    for _ in range(SECONDS):
        due = asyncio.get_running_loop().time() + 1.0
        readings += len((await source.read()).value)
        await asyncio.sleep(due - asyncio.get_running_loop().time())
    return readings


def fleet() -> None:
    """Scrape all nodes at 1 Hz and print both sides' share of a core."""
    child = subprocess.Popen(
        [sys.executable, "-m", "bench.dcgm", "serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stdin is not None
        assert child.stdout is not None
        asyncio.run(scrape_all(json.loads(child.stdout.readline()), child.stdin))
        served_s = float(child.stdout.readline())
    print(f"  simulated exporters{served_s / SECONDS:8.1%} of a core (goal: < 30 %)")


async def scrape_all(places: list[tuple[str, int]], server: IO[str]) -> None:
    """Read every node once, then at 1 Hz, with the server's clock running meanwhile."""
    sources = [open_node(*place) for place in places]
    for source in sources:
        await source.read()
    print(file=server, flush=True)
    cpu, wall = time.process_time(), time.perf_counter()
    polls = [poll_every_second(source, n / NODES) for n, source in enumerate(sources)]
    readings = sum(await asyncio.gather(*polls))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(file=server, flush=True)
    for source in sources:
        await source.close()
    print(f"{NODES} nodes x {GPUS_A_NODE} GPUs x {len(TWELVE_FIELDS)} fields at 1 Hz over HTTP")
    print(f"  driver             {cpu / wall:8.1%} of a core, {readings / wall:.0f} readings/s")


def open_node(host: str, port: int) -> Source:
    """The driver of one node."""
    device = Device(
        id=host,
        profile="any",
        address=Address(scheme="http", host=host, port=port, path="/metrics"),
        role="gpu_node",
        interval_seconds=1.0,
    )
    return open_dcgm(device, profile(), Site(name="bench", devices=(device,)))


def main() -> None:
    """Print the table."""
    if sys.argv[1:] == ["serve"]:
        asyncio.run(serve())
        return
    node = DcgmNode(profile(), gpu_names(GPUS), value)
    texts = [node.text() for _ in range(4)]
    parse(texts)
    asyncio.run(scrape(texts))
    fleet()


if __name__ == "__main__":
    main()
