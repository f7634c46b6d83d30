"""The simulator as one task: a plant that lives by the clock, its devices, its truth."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from facility.site import Site
from simulator.devices import serve_devices
from simulator.plant import Plant
from simulator.plant.meter_faults import MeterFault
from simulator.truth_server import Address, serve_truth

STEP_S = 0.25
REMEMBERED_S = 7_200.0
"""How far back the truth can be asked."""


async def run(
    site: Site,
    *,
    seed: int,
    stop: asyncio.Event,
    truth_address: Address,
    on_ready: Callable[[Address], None] | None = None,
    step_s: float = STEP_S,
    meter_faults: Sequence[MeterFault] = (),
    now: Callable[[], float] = time.time,
) -> None:
    """Simulate a site, answering at every device's address, until `stop` is set.

    Args:
        site: with addresses that can be bound here.
        seed: of the plant's load and weather.
        stop: ends it.
        truth_address: host and port of `GET /truth`; port 0 picks a free one.
        on_ready: called with the truth's address once every device answers.
        step_s: the plant's step.
        meter_faults: which meters are wired or set up wrongly.
        now: the plant's time, Unix seconds; a clock that can be made to run faster in tests.

    Raises:
        ConfigError: an address cannot be bound or simulated, or the power path is unsound.
        ProfileError: a device's profile is not in the library.
    """
    start_at = math.floor(now())
    plant = Plant(
        site,
        seed=seed,
        start_at=start_at,
        step_s=step_s,
        remembered_steps=math.ceil(REMEMBERED_S / step_s),
        meter_faults=meter_faults,
    )

    def living() -> Plant:
        plant.advance(now())
        return plant

    async with (
        serve_devices(site, plant, now, meter_faults),
        serve_truth(truth_address, living) as address,
    ):
        if on_ready is not None:
            on_ready(address)
        while not stop.is_set():
            living()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), step_s)
