"""The GPUs of the collector's own machine, through NVML, as a source of polls."""

from __future__ import annotations

import time
from contextlib import suppress

import numpy as np

from collectors.dcgm.nvml_node import NodeReading, NvmlNode
from collectors.dcgm.side_thread import SideThread, StillBusy
from collectors.dcgm.source import gpu_polls
from collectors.exporter.series import Key, Series
from collectors.faults import Faults
from collectors.profile import DcgmSection
from collectors.source import SHARE_OF_DEADLINE, Poll
from facility.errors import DeviceRefused, DeviceTimeout
from facility.site import Device

CLOSE_S = 1.0


class SeriesNumbers:
    """Numbers for series, as `collectors.exporter.inventory.Numbering` asks."""

    def __init__(self) -> None:
        self.restarts = -1
        self.restart()

    def restart(self) -> None:
        """Forget all series."""
        self.series: list[Series | None] = [None]
        self.restarts += 1
        self._numbers: dict[Key, int] = {}

    def number(self, key: Key, source: str) -> int:
        """The series' number; a new one gets the next."""
        number = self._numbers.setdefault(key, len(self.series))
        if number == len(self.series):
            self.series.append(Series(key, source))
        return number


class NvmlSource:
    """Rows are those that an exporter on the machine would give; they come with their first number.

    A read is made in a thread of its own. While one hangs in the driver no other is begun.

    Args:
        device: whom to read, how often, how long to wait for it, and the GPUs it must have.
        section: the fields.
    """

    def __init__(self, device: Device, section: DcgmSection) -> None:
        self.device = device.id
        self._timeout_s = device.timeout_seconds * SHARE_OF_DEADLINE
        self._node = NvmlNode(section.points)
        self._thread = SideThread(f"nvml of {device.id}")
        self._faults = Faults(device.id)
        self._numbers = SeriesNumbers()
        self._polls = gpu_polls(device, section, self._numbers)
        self.points_expected = self._polls.points_expected

    async def read(self) -> Poll:
        """Read once. See `collectors.source.Source`."""
        reading = await self._in_time()
        sampled_at_us = time.time_ns() // 1000
        self._faults.count("gpu not opened", len(reading.unknown))
        if not reading.numbers:
            raise DeviceRefused(_why_nothing(reading))
        numbered = {
            self._numbers.number(key, reading.sources[key]): number
            for key, number in reading.numbers.items()
        }
        numbers = np.full(len(self._numbers.series), np.nan)
        numbers[list(numbered)] = list(numbered.values())
        return self._polls.poll(numbers, sampled_at_us, why_none=reading.why_not)

    async def close(self) -> None:
        """Let go of NVML, unless a call hangs in it."""
        with suppress(StillBusy, TimeoutError):
            await self._thread.call(self._node.stop, CLOSE_S)
        self._faults.forget()

    async def _in_time(self) -> NodeReading:
        nvml = self._node.nvml
        try:
            return await self._thread.call(self._node.read, self._timeout_s)
        except StillBusy as error:
            self._faults.count("hung")
            raise DeviceTimeout(f"{nvml.doing} has hung {error}; no other is begun") from None
        except TimeoutError:
            raise DeviceTimeout(f"no answer within {self._timeout_s:g} s: {nvml.doing}") from None


def _why_nothing(reading: NodeReading) -> str:
    reasons = [*reading.gone.values(), *reading.unknown, *reading.reasons.values()]
    return f"NVML gives no field of the profile: {reasons[0] if reasons else 'it has no GPU'}"
