"""Simulated meters that number what they serve: a point's values are 1, 2, 3 ...

So each value in the lake says which answer it came from.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from collectors.profile_library import load_profile
from simulator.modbus_device import ModbusDevice
from simulator.modbus_server import ModbusServer

PROFILE = "janitza-umg96rm"
"""All its values are FLOAT32, which counts exactly to 16,777,216, and one request reads them."""

Point = tuple[str, str, str]
"""Device, component, quantity."""


class NumberedMeters:
    """The meters, and how far each point has counted.

    Args:
        count: of meters, each at a loopback address of its own.
        port: that all of them listen on.
    """

    def __init__(self, count: int, port: int) -> None:
        self.served: Counter[Point] = Counter()
        """The last number that each point gave."""
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

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Answer while the block runs, in a thread of its own: nothing else may hold them up."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="meters")
        server = ModbusServer(self.devices)
        thread.start()
        try:
            asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result()
            yield
            asyncio.run_coroutine_threadsafe(server.stop(), loop).result()
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    def _counting(self, device: str) -> Callable[[str, str], float]:
        def value(component: str, quantity: str) -> float:
            self.served[device, component, quantity] += 1
            return float(self.served[device, component, quantity])

        return value
