"""Hooks in small, to be killed: takes one story from a file of rows, tells it, and never ends."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import structlog
from hook_rig import Story, change, route, site, webhook

from alerts.telling import Telling
from facility.site import Kafka


async def main(path: str, url: str, count: str) -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    made = site({"a": webhook(url, timeout_seconds=30)}, routes=[route("a", group_by=["device"])])
    telling = Telling(made, Kafka(), Path(path))
    story = Story().tell(*(change(f"d-{n}") for n in range(int(count))))
    telling.listen(story)
    await telling.run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
