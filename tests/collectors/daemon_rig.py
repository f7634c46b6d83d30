"""A collector over a real outbox, run for a while, and what its ledger says."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
from fake_source import FakeSource, fake_site, opener

from collectors.daemon import Daemon
from collectors.schedule import grid_for
from facility.reading import TOPICS
from facility.site import Device
from stream.codec import decode
from stream.outbox import Outbox

READINGS, POLLS = TOPICS["readings"], TOPICS["polls"]


class Place:
    """A directory with an outbox and a journal, and collectors run over them."""

    def __init__(self, directory: Path, **outbox: Any) -> None:
        self.journal = directory / "journal"
        settings = {"max_bytes": 10**8, "when_full": "stop_polling", **outbox}
        self.outbox = Outbox(directory / "outbox", collector="c", **settings)
        self.sources: dict[str, FakeSource] = {}

    def daemon(self, *devices: Device, **options: Any) -> Daemon:
        settings = {"flush_seconds": 0.05, "open_device": opener(self.sources), **options}
        return Daemon(fake_site(*devices), self.outbox, journal=self.journal, **settings)

    def stored(self, topic: str) -> list[dict[str, Any]]:
        batches = [
            decode(entry.message.value, entry.message.headers).batch
            for entry in self.outbox.pending(10**9)
            if entry.message.topic == topic
        ]
        return pa.Table.from_batches(batches).to_pylist() if batches else []

    def ledger(self) -> dict[str, list[dict[str, Any]]]:
        """Rows by device, in the order of their slots."""
        rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in self.stored(POLLS):
            rows[row["device"]].append(row)
        return {d: sorted(r, key=lambda row: row["scheduled_at"]) for d, r in rows.items()}


@asynccontextmanager
async def running(daemon: Daemon) -> AsyncIterator[asyncio.Event]:
    """A daemon that runs in the block and is stopped in order after it, in time."""
    stop = asyncio.Event()
    task = asyncio.create_task(daemon.run(stop))
    try:
        yield stop
    finally:
        stop.set()
        async with asyncio.timeout(10):
            await task


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


def slots(rows: list[dict[str, Any]]) -> list[int]:
    return [round(row["scheduled_at"].timestamp() * 1e6) for row in rows]


def assert_dense(rows: list[dict[str, Any]], device: Device, *, setbacks: int = 0) -> None:
    """Every slot of the device between the first and the last has exactly one row."""
    grid, found = grid_for(device.id, device.interval_seconds, clock_setbacks=setbacks), slots(rows)
    assert found == list(grid.slots(found[0] - 1, found[-1]))


def assert_kinds(rows: list[dict[str, Any]], *kinds: str) -> None:
    """All the kinds and no other; on a busy machine a few slots are overrun as well."""
    counts = whats(rows)
    assert set(kinds) <= counts.keys() <= {*kinds, "overrun"}
    if "overrun" not in kinds:
        assert counts["overrun"] <= len(rows) / 3


def whats(rows: list[dict[str, Any]]) -> Counter[str]:
    return Counter((row["error"] or row["outcome"]).partition(":")[0] for row in rows)
