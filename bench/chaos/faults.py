"""What is done to the stage. Each fault leaves it for `Stage.heal` to bring back what is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

from bench.chaos.stage import SESSION_TIMEOUT_S, Stage, full_disk
from stream.kafka_settings import REQUEST_TIMEOUT_S

Fault = Callable[[Stage, Random], Awaitable[None]]

LONGEST_DOWN_S = 1.5
PAST_THE_SESSION_S = SESSION_TIMEOUT_S + 2.0
PAST_THE_PRODUCER_S = REQUEST_TIMEOUT_S + 3.0
FULL_S = 2.0
STEP_S = 30.0
FAKETIME = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


async def kill_collector(stage: Stage, random: Random) -> None:
    """Kill -9 of a collector, down for a moment."""
    stage.kill(random.choice(stage.collectors()))
    await _a_moment(random)


async def kill_sink(stage: Stage, random: Random) -> None:
    """Kill -9 of the sink, down for a moment."""
    stage.kill("sink-1")
    await _a_moment(random)


async def kill_maintainer(stage: Stage, random: Random) -> None:
    """Kill -9 of the lake's upkeep while it looks for work, merges or rolls up."""
    stage.kill("maintainer")
    stage.start_maintainer()
    await _a_moment(random)
    stage.kill("maintainer")


async def kill_broker(stage: Stage, random: Random) -> None:
    """Kill -9 of Kafka, which starts again on its own log."""
    stage.kafka.stop()
    await _a_moment(random)


async def kill_everything(stage: Stage, random: Random) -> None:
    """A power cut: all processes at once, the broker too."""
    stage.kafka.stop()
    stage.kill(*stage.collectors(), "sink-1", "maintainer")
    await _a_moment(random)


async def broker_hangs(stage: Stage, random: Random) -> None:
    """A broker that answers nothing for longer than the producer's timeouts."""
    stage.kafka.pause()
    await asyncio.sleep(PAST_THE_PRODUCER_S)
    stage.kafka.resume()
    await _a_moment(random)


async def rebalance(stage: Stage, random: Random) -> None:
    """A second sink joins the group, works, and leaves in order or is killed."""
    stage.start_sink("sink-2")
    await stage.until_ready("sink-2")
    await _a_moment(random)
    if random.random() < 0.5:
        stage.kill("sink-2")
    else:
        await stage.stop("sink-2")


async def zombie_sink(stage: Stage, random: Random) -> None:
    """A sink is stopped past its session timeout, another takes over, the first wakes up."""
    stage.start_sink("sink-2")
    await stage.until_ready("sink-2")
    stage.pause("sink-1")
    await asyncio.sleep(PAST_THE_SESSION_S)
    stage.resume("sink-1")
    await _a_moment(random)
    stage.kill("sink-2")


async def outbox_disk_full(stage: Stage, random: Random) -> None:
    """No space where the outboxes lie, and a broker that does not empty them."""
    for name in stage.collectors():  # a new start leaves no space of old messages to use again
        await stage.stop(name)
        stage.start_collector(name)
    for name in stage.collectors():
        await stage.until_ready(name)
    stage.kafka.pause()
    async with full_disk(stage.directory / "outbox"):
        await asyncio.sleep(2 * FULL_S)
    stage.kafka.resume()
    await _a_moment(random)


async def lake_disk_full(stage: Stage, random: Random) -> None:
    """No space where the lake lies."""
    async with full_disk(stage.lake):
        await asyncio.sleep(FULL_S)
    await _a_moment(random)


async def clock_steps(stage: Stage, random: Random) -> None:
    """A collector's wall clock is set forward or back, and later right again."""
    name = random.choice(stage.collectors())
    setting = stage.directory / "clock"
    setting.write_text("+0")
    fake = {
        "LD_PRELOAD": str(FAKETIME[-1]),
        "FAKETIME_TIMESTAMP_FILE": str(setting),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    await stage.stop(name)
    stage.start_collector(name, fake)
    await stage.until_ready(name)
    await asyncio.sleep(1.0)
    setting.write_text(f"{random.choice((STEP_S, -STEP_S)):+.0f}")
    await asyncio.sleep(3.0)
    await stage.stop(name)


FAULTS: tuple[Fault, ...] = (
    kill_collector,
    kill_sink,
    kill_maintainer,
    kill_broker,
    kill_everything,
    broker_hangs,
    rebalance,
    zombie_sink,
    outbox_disk_full,
    lake_disk_full,
    clock_steps,
)
NEEDS_SMALL_DISKS = frozenset((outbox_disk_full, lake_disk_full))
STEPS_CLOCK = frozenset((clock_steps,))


async def _a_moment(random: Random) -> None:
    await asyncio.sleep(random.uniform(0, LONGEST_DOWN_S))
