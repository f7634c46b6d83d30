"""A scripted device: what each of its reads does is written down beforehand."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterable

import numpy as np

from collectors.source import PointFailure, Poll
from facility.errors import DeviceGarbled, DeviceRefused, DeviceTimeout, DeviceUnreachable
from facility.point import PointTable
from facility.quality import Quality
from facility.site import Device, Site

ERRORS = {
    "unreachable": DeviceUnreachable("no route to 10.0.0.1"),
    "timeout": DeviceTimeout("silent"),
    "refused": DeviceRefused("exception 2"),
    "garbled": DeviceGarbled("wrong transaction id"),
    "bug": RuntimeError("a bug of ours"),
}


class FakeSource:
    """Each read takes the next step of the script; the last one is repeated for ever.

    Steps: `ok`, `half` (every other point missing), `none` (all points missing), a number (seconds
    the read takes before it is ok), `hang`, or a name of ERRORS.
    """

    def __init__(
        self, device: str, script: Iterable[str | float] = ("ok",), points: int = 4
    ) -> None:
        self.device = device
        self.reads = 0
        self.closed = 0
        self.running = 0
        steps = list(script)
        self._script = itertools.chain(steps, itertools.repeat(steps[-1]))
        self._table = PointTable(
            device,
            tuple(f"outlet.{i}" for i in range(points)),
            ("active_power_w",) * points,
            ("",) * points,
        )

    async def read(self) -> Poll:
        self.reads += 1
        self.running += 1
        assert self.running == 1, "polls of one device must not overlap"
        try:
            return await self._step(next(self._script))
        finally:
            self.running -= 1

    async def close(self) -> None:
        self.closed += 1

    async def _step(self, step: str | float) -> Poll:
        if isinstance(step, str) and step in ERRORS:
            raise ERRORS[step]
        if step == "hang":
            await asyncio.Event().wait()
        if isinstance(step, (int, float)):
            await asyncio.sleep(step)
        return self._answer(every={"half": 2, "none": 1}.get(str(step), 0))

    def _answer(self, every: int) -> Poll:
        value = np.arange(len(self._table), dtype=np.float64)
        quality = np.full(len(value), Quality.GOOD, np.uint8)
        if every:
            quality[::every], value[::every] = Quality.BAD, np.nan
        rows = np.flatnonzero(quality).tolist()
        failures = tuple(PointFailure(row, "exception 2") for row in rows)
        return Poll(self._table, time.time_ns() // 1000, value, quality, failures)


def fake_device(device: str, *, interval_s: float = 0.1, timeout_s: float = 0.5) -> Device:
    """A device that may be polled faster than a site file would allow, to keep tests short."""
    slow = Device(id=device, profile="any", address=f"modbus://{device}", role="ups")
    return slow.model_copy(update={"interval_seconds": interval_s, "timeout_seconds": timeout_s})


def fake_site(*devices: Device) -> Site:
    return Site(name="test", devices=devices)


def opener(sources: dict[str, FakeSource]) -> Callable[[Device, Site], FakeSource]:
    """An `open_device` that gives the sources by id, and plain ones where none is given."""

    def open_device(device: Device, _: Site) -> FakeSource:
        return sources.setdefault(device.id, FakeSource(device.id))

    return open_device
