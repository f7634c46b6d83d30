"""Simulated meters that number what they serve: a point's values are 1, 2, 3 ...

So each value in the lake says which answer it came from, and when that was given.
"""

from __future__ import annotations

import time
from array import array
from collections import defaultdict
from collections.abc import Callable

from collectors.profile_library import load_profile
from simulator.modbus_device import ModbusDevice

PROFILE = "janitza-umg96rm"
"""All its values are FLOAT32, which counts exactly to 16,777,216, and one request reads them."""

Point = tuple[str, str, str]
"""Device, component, quantity."""


class NumberedMeters:
    """What has been served, and the devices that serve it.

    Args:
        count: of meters, each at a loopback address of its own.
        port: that all of them listen on.
    """

    def __init__(self, count: int, port: int) -> None:
        self.served: defaultdict[Point, array[float]] = defaultdict(lambda: array("d"))
        """When each number was served, Unix seconds; number n stands at n - 1."""
        profile = load_profile(PROFILE)
        self.devices = [
            ModbusDevice(
                id=f"meter-{number}",
                profile=profile,
                value=self._counting(f"meter-{number}"),
                host=f"127.60.0.{number}",
                port=port,
            )
            for number in range(1, count + 1)
        ]

    def _counting(self, device: str) -> Callable[[str, str], float]:
        def value(component: str, quantity: str) -> float:
            times = self.served[device, component, quantity]
            times.append(time.time())
            return float(len(times))

        return value
