"""kill -9 between an alert and its delivery: it is delivered once more, with the same id."""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from pathlib import Path

from hook_rig import HANG, receiver, until

COUNT = 40


async def start(path: Path, url: str) -> asyncio.subprocess.Process:
    child = Path(__file__).with_name("hook_child.py")
    environment = {"PYTHONPATH": f"{Path(__file__).parents[2]}", "PATH": "/usr/bin:/bin"}
    return await asyncio.create_subprocess_exec(
        sys.executable, child, path, url, str(COUNT), env=environment
    )


async def test_killed_while_the_receiver_has_not_answered(tmp_path: Path) -> None:
    async with receiver(HANG) as got:
        child = await start(tmp_path / "q", got.url)
        await until(lambda: got.requests)
        child.kill()
        await child.wait()
        child = await start(tmp_path / "q", got.url)
        await until(lambda: len(got.requests) == COUNT + 1)
        await asyncio.sleep(0.3)
        child.kill()
        await child.wait()
    ids = Counter(request.delivery for request in got.requests)
    assert len(ids) == COUNT
    assert ids[got.requests[0].delivery] == 2
    first, again = (r for r in got.requests if r.delivery == got.requests[0].delivery)
    assert first.body == again.body


async def test_killed_at_random_moments(tmp_path: Path) -> None:
    dice = random.Random(3)
    async with receiver() as got:
        for _ in range(3):
            had = len(got.requests)
            child = await start(tmp_path / "q", got.url)
            if had < COUNT:
                await until(lambda h=had: len(got.requests) > h)
            await asyncio.sleep(dice.uniform(0, 0.05))
            child.kill()
            await child.wait()
        child = await start(tmp_path / "q", got.url)
        await until(lambda: len({request.delivery for request in got.requests}) == COUNT)
        await asyncio.sleep(0.3)
        child.kill()
        await child.wait()
    devices = Counter(request.data["alerts"][0]["labels"]["device"] for request in got.requests)
    assert len(devices) == COUNT
    assert len(got.requests) <= COUNT + 3  # a kill takes at most one answer with it
    bodies = {request.delivery: request.body for request in got.requests}
    assert all(bodies[request.delivery] == request.body for request in got.requests)
