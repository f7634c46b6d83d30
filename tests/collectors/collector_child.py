"""A collector as a process of its own, to be killed: DIRECTORY; prints a line when it polls."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from fake_source import fake_device, fake_site, opener

from collectors.daemon import Daemon
from stream.outbox import Outbox

DEVICES = [fake_device(f"pdu-{i}", interval_s=0.02 * (i + 1)) for i in range(5)]


async def main(directory: Path) -> None:
    outbox = Outbox(directory / "outbox", collector="c", max_bytes=10**8, when_full="stop_polling")
    daemon = Daemon(
        fake_site(*DEVICES),
        outbox,
        journal=directory / "journal",
        open_device=opener({}),
        flush_seconds=0.05,
    )
    sys.stdout.write("started\n")
    sys.stdout.flush()
    await daemon.run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
