"""`busway maintain`: the lake's upkeep, as a daemon beside the sinks or once."""

from __future__ import annotations

import asyncio
from pathlib import Path

from busway.health import serve_health
from busway.lifecycle import run_beside, run_process
from busway.site import load_checked_site
from facility.errors import LakeUnavailable
from warehouse.connection import EngineSettings
from warehouse.lake import Lake
from warehouse.location import LakeLocation
from warehouse.maintenance.jobs import Maintainer
from warehouse.maintenance.schedule import jobs_of
from warehouse.maintenance.verification import forget_damaged

ENGINE = EngineSettings(memory_megabytes=2000, threads=2)


def run_maintainer(
    site_file: Path, *, once: bool, forget: bool, health: str, stop_on_eof: bool
) -> None:
    """Run the lake's jobs until told to stop, or each until it has nothing more to do.

    Raises:
        ConfigError: the site file or the address is wrong.
        LakeError: the lake cannot be used; with `once`, a job failed or found damage.
    """
    site = load_checked_site(site_file)
    with Lake.create_or_open(LakeLocation.of(site.lake), settings=ENGINE) as lake:
        if forget:
            print(f"{forget_damaged(lake).files_in} damaged files are out of the lake.")
        maintainer = Maintainer(lake, jobs_of(site.lake))
        if once:
            _run_once(maintainer)
            return

        async def main(stop: asyncio.Event) -> None:
            async with serve_health(health, maintainer.health):
                await run_beside(stop, maintainer.run, name="maintainer")

        run_process(main, stop_on_eof=stop_on_eof)


def _run_once(maintainer: Maintainer) -> None:
    if not maintainer.run_once():
        raise LakeUnavailable(f"the lake needs a hand: {maintainer.health()['trouble']}")
