"""The collector: polls its share of a site's devices, and books every slot in the outbox."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from collectors.clock import Clock
from collectors.fleet import Fleet
from collectors.flush import POLLS_TOPIC, Flusher
from collectors.intake import Intake
from collectors.journal import Journal
from collectors.open_source import open_source
from collectors.plan import Plan, change_between, plan_for
from collectors.poller import DevicePoller
from collectors.profile_library import load_profile
from collectors.recovery import recover
from collectors.shard import WHOLE_SITE, Shard
from collectors.source import Source
from collectors.urgent import IsUrgent
from facility.reading import Outcome
from facility.site import Device, Site
from stream.outbox import Outbox

log = structlog.get_logger()

OpenDevice = Callable[[Device, Site], Source]
UrgentOf = Callable[[Site], IsUrgent | None]

FINISH_S = 3.0
"""At the end, a poll that is under way may take so long."""
CHANGE_FINISH_S = 2.0
"""The same for a device that is taken out or changed."""
LAST_FLUSH_S = 2.0
URGENT_WAIT_S = 0.05
"""So long, urgent readings wait for others: a collector sends at most 20 messages a second more."""
LATE_FLUSHES = 10
"""Not ready when so many flush intervals have passed without everything being stored."""


def open_by_profile(device: Device, site: Site) -> Source:
    """Open a device with the driver of its profile's protocol.

    Raises:
        ConfigError: the profile is wrong or missing, or the device's credential is.
    """
    return open_source(device, load_profile(device.profile), site)


@dataclass(frozen=True, slots=True)
class _Change:
    """A plan that is to hold from now on, and what that takes."""

    plan: Plan
    stop: tuple[str, ...]
    start: Mapping[str, Source]


class Daemon:
    """One collector process's work.

    Args:
        site: whose devices are polled.
        outbox: takes the readings and the ledger under its collector's name; the caller closes it.
        journal: path of the ledger's journal, beside the outbox and as durable.
        shard: which share of the devices is this daemon's.
        open_device: makes the driver of a device.
        urgent_of: says which of a site's readings go to the outbox ahead of their flush.
        flush_seconds: how long readings wait for others to share a batch.
        clock: gives the time; another one only for tests.

    Raises:
        ConfigError: a device cannot be opened as the site file says.
    """

    def __init__(
        self,
        site: Site,
        outbox: Outbox,
        *,
        journal: Path,
        shard: Shard = WHOLE_SITE,
        open_device: OpenDevice = open_by_profile,
        urgent_of: UrgentOf = lambda _: None,
        flush_seconds: float = 1.0,
        clock: Clock | None = None,
    ) -> None:
        self._shard, self._open_device, self._flush_s = shard, open_device, flush_seconds
        self._outbox, self._journal = outbox, Journal(journal)
        self._clock, self._intake = clock or Clock(), Intake()
        self._flusher = Flusher(self._intake, outbox, self._journal, self._clock, flush_seconds)
        self._plan: Plan = {}
        self._change: _Change | None = self._change_to(site)
        self._urgent_of = urgent_of
        self._intake.hurry(urgent_of(site))
        self._changed = asyncio.Event()
        self._fleet: Fleet | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Poll until `stop` is set; then end within ten seconds, every slot booked.

        First the slots that a crash or downtime left open are booked (`collectors.recovery`).

        Raises:
            ConfigError: the journal cannot be read.
            StreamError: the outbox cannot be read.
        """
        started_us = self._clock.now_us()
        await asyncio.to_thread(self._book_left_open, started_us)
        async with asyncio.TaskGroup() as group:
            self._fleet = fleet = Fleet(group)
            await self._apply_change(fleet, started_us)
            done = asyncio.Event()
            flushing = group.create_task(self._flush_regularly(done))
            flushing_urgent = group.create_task(self._flush_urgent())
            group.create_task(self._notice(stop))
            while not stop.is_set():
                await self._changed.wait()
                self._changed.clear()
                await self._apply_change(fleet, self._clock.now_us())
            await fleet.stop(tuple(fleet), finish_s=FINISH_S)
            flushing_urgent.cancel()
            done.set()
            await self._flush_last(flushing)

    def reload(self, site: Site) -> None:
        """Poll as this site says from now on; devices that did not change are left alone.

        Raises:
            ConfigError: a device cannot be opened; then nothing changes.
        """
        self._change = self._change_to(site)
        self._intake.hurry(self._urgent_of(site))
        self._changed.set()

    def health(self) -> Mapping[str, Any]:
        """Facts for `/healthz`; `ready` says whether devices are polled and readings stored."""
        fleet, blocked = self._fleet, self._flusher.blocked
        flush_age_s = (self._clock.now_us() - self._flusher.flushed_us) / 1e6
        stored = blocked is None and flush_age_s < LATE_FLUSHES * max(self._flush_s, 1.0)
        return {
            "ready": fleet is not None and stored,
            "collector": self._outbox.collector,
            "devices": len(fleet) if fleet else 0,
            "devices_up": fleet.up if fleet else 0,
            "blocked": blocked.value if blocked else None,
            "flush_age_s": round(flush_age_s, 3),
        }

    def _change_to(self, site: Site) -> _Change:
        plan = plan_for(site, self._shard)
        differs = change_between(self._plan, plan)
        sources = {d: self._open_device(plan[d].device, site) for d in differs.start}
        return _Change(plan, differs.stop, sources)

    def _book_left_open(self, now_us: int) -> None:
        entry = self._journal.read(self._outbox.last_seq(POLLS_TOPIC))
        if entry is None or self._change is None:
            return
        # If the clock was set back meanwhile, time that has been booked comes again.
        self._clock.setbacks = entry.setbacks + (entry.written_us > now_us)
        devices = self._change.plan.keys()
        bookings = recover(entry, devices, now_us)
        for booking in bookings:
            self._intake.book(booking)
        self._flusher.take_over(entry.devices)
        self._flusher.forget(entry.devices.keys() - devices)
        if bookings:
            failed = sum(len(b.slots) for b in bookings if b.outcome is Outcome.FAILED)
            dropped = sum(len(b.slots) for b in bookings) - failed
            log.warning("Booked the slots left open.", crash=failed, collector_down=dropped)

    async def _apply_change(self, fleet: Fleet, now_us: int) -> None:
        """Stop and start what the newest plan asks for, if there is one."""
        if self._change is None:
            return
        change, self._change = self._change, None
        self._plan = change.plan
        await fleet.stop(change.stop, finish_s=CHANGE_FINISH_S)
        self._flusher.forget(change.stop)
        for device, source in change.start.items():
            self._start(fleet, change.plan[device].device, source, now_us)
        log.info("Devices are polled.", stopped=len(change.stop), started=len(change.start))

    def _start(self, fleet: Fleet, device: Device, source: Source, now_us: int) -> None:
        poller = DevicePoller(
            device,
            source,
            intake=self._intake,
            clock=self._clock,
            blocked=lambda: self._flusher.blocked,
            expected=self._flusher.expected(device.id),
        )
        self._flusher.begin(device.id, poller.progress(now_us))
        fleet.start(poller, source, after_us=now_us)

    async def _notice(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._changed.set()

    async def _flush_regularly(self, done: asyncio.Event) -> None:
        while not done.is_set():
            due = asyncio.get_running_loop().time() + self._flush_s
            await self._flusher.flush()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(due):
                    await done.wait()

    async def _flush_urgent(self) -> None:
        while True:
            await self._intake.has_urgent.wait()
            await asyncio.sleep(URGENT_WAIT_S)
            await self._flusher.flush_urgent()

    async def _flush_last(self, flushing: asyncio.Task[None]) -> None:
        try:
            async with asyncio.timeout(LAST_FLUSH_S):
                await flushing
                await self._flusher.close()
        except TimeoutError:
            log.exception("The last flush did not end; the next start books what it lacks.")
