"""What the DCGM driver costs beside prometheus_client's parser.

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
from collections.abc import Iterator
from statistics import median
from typing import IO

from prometheus_client.parser import text_string_to_metric_families

from bench.harness import Figure, Goal, Scale, paired, per_cpu_second, run_async
from collectors.batch import ReadingsBatcher
from collectors.dcgm.fields import Fields
from collectors.dcgm.opening import open_dcgm
from collectors.dcgm.source import DcgmSource
from collectors.exporter.exposition import Exposition
from collectors.profile import Profile
from collectors.profile_library import load_profile
from collectors.source import Source
from facility.address import Address
from facility.site import Device, Site
from simulator.dcgm_exporter import DcgmExporters
from simulator.dcgm_node import DcgmNode

GPUS = 72
NODES, GPUS_A_NODE = 144, 4
BARE = "prometheus_client's parser"
PARSE_GOAL = Goal(10)
SCRAPE_GOAL = Goal(5, "value", "most")
SERVE_GOAL = Goal(0.3, "value", "most")
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


def figures(scale: Scale) -> Iterator[Figure]:
    """Parsing, a whole scrape, a fleet of nodes."""
    node = DcgmNode(profile(), gpu_names(GPUS), value)
    texts = [node.text() for _ in range(4)]
    yield _parse(texts, scale)
    milliseconds = run_async(_scrape(texts, scale.pick(100, 30)))
    yield Figure(f"text of {GPUS} GPUs to batch", milliseconds, "ms of CPU", goal=SCRAPE_GOAL)
    yield from _fleet(scale.pick(10, 3))


def _parse(texts: list[bytes], scale: Scale) -> Figure:
    """Compare the parsers on the same texts."""
    section = profile().dcgm
    assert section is not None
    exposition = Exposition(Fields(section.points).recognise)
    lines = texts[0].count(b"\n")
    decoded = texts[0].decode()

    def ours() -> float:
        for text in texts:
            exposition.read(text)
        return lines * len(texts)

    def reference() -> float:
        for family in text_string_to_metric_families(decoded):
            for sample in family.samples:
                float(sample.value)
        return lines

    pair = paired(per_cpu_second(ours), per_cpu_second(reference), rounds=scale.pick(9, 3))
    return pair.figure(f"parse {lines} lines", "lines/s/core", BARE, PARSE_GOAL)


async def _scrape(texts: list[bytes], rounds: int) -> float:
    """Milliseconds of a whole scrape: text to poll to Arrow batch."""
    section = profile().dcgm
    assert section is not None
    device = Device(id="rack", profile="any", address="http://rack", role="gpu_node")
    source, batcher = DcgmSource(device, section, Kept(texts)), ReadingsBatcher()
    batcher.batch([await source.read()])
    each_ms = []
    for _ in range(rounds):
        started = time.process_time()
        batcher.batch([await source.read()])
        each_ms.append(1000 * (time.process_time() - started))
    return median(each_ms)


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


async def poll_every_second(source: Source, phase_s: float, seconds: int) -> int:
    """Read a node each second; give the readings."""
    await asyncio.sleep(phase_s)
    readings = 0
    for _ in range(seconds):
        due = asyncio.get_running_loop().time() + 1.0
        readings += len((await source.read()).value)
        await asyncio.sleep(due - asyncio.get_running_loop().time())
    return readings


def _fleet(seconds: int) -> Iterator[Figure]:
    """Scrape all nodes at 1 Hz; both sides' share of a core."""
    command = [sys.executable, "-m", "bench.dcgm"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        places = json.loads(child.stdout.readline())
        share, rate = run_async(_scrape_all(places, child.stdin, seconds))
        served_s = float(child.stdout.readline())
    what = f"{NODES} nodes at 1 Hz over HTTP"
    yield Figure(f"{what}: readings", rate, "readings/s")
    yield Figure(f"{what}: driver", share, "cores")
    yield Figure(f"{what}: simulated exporters", served_s / seconds, "cores", goal=SERVE_GOAL)


async def _scrape_all(
    places: list[tuple[str, int]], server: IO[str], seconds: int
) -> tuple[float, float]:
    """Read every node once, then at 1 Hz, with the server's clock running meanwhile."""
    sources = [open_node(*place) for place in places]
    for source in sources:
        await source.read()
    print(file=server, flush=True)
    cpu, wall = time.process_time(), time.perf_counter()
    polls = [poll_every_second(source, n / NODES, seconds) for n, source in enumerate(sources)]
    readings = sum(await asyncio.gather(*polls))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(file=server, flush=True)
    for source in sources:
        await source.close()
    return cpu / wall, readings / wall


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


if __name__ == "__main__":
    asyncio.run(serve())
