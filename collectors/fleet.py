"""The devices that are polled now: tasks started, ended, and waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import structlog

from collectors.poller import DevicePoller
from collectors.source import Source

log = structlog.get_logger()

CLOSE_S = 1.0
"""A source may take so long to let go of its connection."""


@dataclass(frozen=True, slots=True)
class Member:
    """A device that is polled."""

    poller: DevicePoller
    source: Source
    task: asyncio.Task[None]


class Fleet:
    """Pollers by device id, each a task of the group."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._members: dict[str, Member] = {}

    def start(self, poller: DevicePoller, source: Source, *, after_us: int) -> None:
        """Poll a device from its first slot later than `after_us`."""
        task = self._group.create_task(poller.run(after_us), name=f"poll {source.device}")
        self._members[source.device] = Member(poller, source, task)

    async def stop(self, devices: Collection[str], *, finish_s: float) -> None:
        """End the polling of devices; all their slots are booked.

        Polls that are under way may finish within `finish_s`, then they are cut off; then the
        sources are closed.
        """
        members = [self._members.pop(device) for device in devices]
        for member in members:
            member.poller.stop()
            if not member.poller.reading:
                member.task.cancel()
        await _finish(members, finish_s)
        for member in members:
            member.poller.metrics.forget()
        async with asyncio.TaskGroup() as closing:
            for member in members:
                closing.create_task(_close(member.source))

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    @property
    def up(self) -> int:
        """How many devices gave something at their last poll."""
        return sum(member.poller.up is True for member in self._members.values())

    def __len__(self) -> int:
        return len(self._members)


async def _finish(members: Collection[Member], finish_s: float) -> None:
    tasks = [member.task for member in members]
    if not tasks:
        return
    _, late = await asyncio.wait(tasks, timeout=finish_s)
    for task in late:
        task.cancel()
    if late:
        await asyncio.wait(late, timeout=CLOSE_S)


async def _close(source: Source) -> None:
    try:
        async with asyncio.timeout(CLOSE_S):
            await source.close()
    except Exception as error:  # noqa: BLE001 - the others are to be closed as well
        log.warning("A source did not close.", device=source.device, error=repr(error))
