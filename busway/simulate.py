"""`busway simulate`: the plant and its devices as a process."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from busway.health import parse_host_port, serve_health
from busway.lifecycle import run_process
from busway.site import load_checked_site
from simulator.plant.meter_faults import read_meter_faults
from simulator.run import run


def run_simulator(
    site_file: Path,
    *,
    seed: int,
    health: str,
    truth: str,
    stop_on_eof: bool,
    meter_faults: Path | None = None,
) -> None:
    """Answer for every device of the site until told to stop.

    Raises:
        ConfigError: the site file or the list of meter faults is wrong, or an address cannot be
            bound here.
    """
    site = load_checked_site(site_file)
    faults = () if meter_faults is None else read_meter_faults(meter_faults)
    truth_address = parse_host_port(truth)
    ready: list[object] = []

    def facts() -> Mapping[str, object]:
        return {"ready": bool(ready), "devices": len(site.devices)}

    async def main(stop: asyncio.Event) -> None:
        async with serve_health(health, facts):
            await run(
                site,
                seed=seed,
                stop=stop,
                truth_address=truth_address,
                on_ready=ready.append,
                meter_faults=faults,
            )

    run_process(main, stop_on_eof=stop_on_eof)
