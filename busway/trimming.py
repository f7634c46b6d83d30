"""Letting go of what the lake has, where the broker keeps its log in memory."""

from __future__ import annotations

import asyncio

from busway.health import ask
from stream.outbox import Outbox

TRIM_SECONDS = 1.0


async def keep_trimming(outbox: Outbox, sink_health: str) -> None:
    """Trim the outbox to what the sink at this health address has committed, again and again."""
    while True:
        facts = await ask(f"http://{sink_health}/healthz") or {}
        for standing in facts.get("committed", ()):
            if standing["outbox"] == outbox.id:
                await asyncio.to_thread(outbox.trim, standing["topic"], standing["last_seq"])
        await asyncio.sleep(TRIM_SECONDS)
