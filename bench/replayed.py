"""A collector whose devices answer at once, from a load: `python -m bench.replayed FACTS`.

Daemon, flush, outbox and publisher are those of `busway collect`. Each device shows the values of
the load, second after second, stamped when it is asked; once, those that FACTS names show a value
far above all others.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import numpy as np

from alerts.rule_file import load_rules
from alerts.urgent import UrgentPoints
from bench.load import Load, open_load
from bench.pack import keys_of
from busway.lifecycle import run_beside, spare_regularly
from busway.logs import set_up_logs
from busway.site import load_checked_site
from collectors.daemon import Daemon
from collectors.source import Poll
from facility.point import PointTable
from facility.site import Device, Site
from stream.outbox import Outbox
from stream.publisher import Publisher

FAR_ABOVE = 1e15
DRAIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replayed collector is told."""

    site: str
    load: str
    outbox: str
    seconds: int
    breaches: dict[str, int]
    """By device: the reading, counted from 1, that shows the high value."""
    quantity: str
    """Of which it shows it, in the first part that has it."""

    def command(self) -> list[str]:
        """How it is started."""
        return [sys.executable, "-m", "bench.replayed", json.dumps(asdict(self))]


class ReplayedSource:
    """One device of the load."""

    def __init__(self, points: PointTable, values: np.ndarray, breach: tuple[int, int]) -> None:
        self.device = points.device
        self._points = points
        self._values = values
        self._quality = np.zeros(len(points), np.uint8)
        self._breach_at, self._row = breach
        self._reads = 0

    @property
    def has_breached(self) -> bool:
        """Whether the high value was shown; on a busy machine polls may be dropped before."""
        return 0 < self._breach_at <= self._reads

    async def read(self) -> Poll:
        """Give the load's next second."""
        value = self._values[self._reads % len(self._values)]
        self._reads += 1
        if self._reads == self._breach_at:
            value = value.copy()
            value[self._row] = FAR_ABOVE
        return Poll(self._points, time.time_ns() // 1000, value, self._quality)

    async def close(self) -> None:
        """Nothing to let go of."""


def sources_of(load: Load, breaches: Mapping[str, int], quantity: str) -> dict[str, ReplayedSource]:
    """Give a source for each device of the load's first collector."""
    batches = [load.series(0).batch(second) for second in range(load.seconds)]
    values = np.stack([batch["value"].to_numpy() for batch in batches])
    sources, first = {}, 0
    for device, keys in groupby(keys_of(batches[0]), key=itemgetter(0)):
        _, components, quantities = zip(*keys, strict=True)
        end = first + len(quantities)
        points = PointTable(device, components, quantities, ("",) * len(quantities))
        row = quantities.index(quantity) if device in breaches else 0
        breach = breaches.get(device, 0), row
        sources[device] = ReplayedSource(points, values[:, first:end], breach)
        first = end
    return sources


def main() -> None:
    """Collect for a while, and end when the broker has everything."""
    set_up_logs("warning", "console")
    replay = Replay(**json.loads(sys.argv[1]))
    site = load_checked_site(Path(replay.site))
    sources = sources_of(open_load(Path(replay.load)), replay.breaches, replay.quantity)
    with Outbox(
        Path(replay.outbox),
        collector="bench",
        max_bytes=10**9,
        when_full="stop_polling",
        max_message_bytes=site.kafka.max_message_bytes,
    ) as outbox:
        asyncio.run(_collect(site, sources, outbox, replay))


async def _collect(
    site: Site, sources: Mapping[str, ReplayedSource], outbox: Outbox, replay: Replay
) -> None:
    def open_device(device: Device, _: Site) -> ReplayedSource:
        return sources[device.id]

    daemon = Daemon(
        site,
        outbox,
        journal=Path(replay.outbox).with_suffix(".journal"),
        open_device=open_device,
        urgent_of=lambda site: UrgentPoints((p.rule for p in load_rules(site.alerts)), site),
    )
    publisher = Publisher(outbox, site.kafka)
    stop, published = asyncio.Event(), asyncio.Event()
    print(json.dumps({"ready": True}), flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    asyncio.get_running_loop().call_later(replay.seconds, stop.set)
    before = time.process_time()
    async with asyncio.TaskGroup() as group:
        group.create_task(run_beside(published, publisher.run, name="publisher"))
        sparing = group.create_task(spare_regularly())
        await daemon.run(stop)
        sparing.cancel()
        published.set()
    await asyncio.to_thread(publisher.drain, DRAIN_S)
    done = {
        "cpu_s": time.process_time() - before,
        "messages": outbox.last_seq("busway.readings"),
        "breached": [name for name, source in sources.items() if source.has_breached],
    }
    print(json.dumps(done), flush=True)


if __name__ == "__main__":
    main()
