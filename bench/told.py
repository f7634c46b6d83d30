"""From a device's answer to the receiver of a hook: one figure through all that runs at a site.

One collector's share of the full-size site, about 100,000 points at 1 Hz, is polled by the daemon
with its default flush; Kafka carries it; `busway alert run`, with the default pack and two rules
more, judges it and posts to a webhook. Each of some devices shows a high value once, at a second of
its own. The receiver compares its clock with `startsAt`, which is the sample's own time. Collector,
engine and receiver share one core; the broker has the other.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from aiohttp import ClientSession, web

from bench.brokers import Running, best_kind, running
from bench.harness import Figure, Goal, Scale
from bench.load import COLLECTORS, SITE, Load
from bench.loads import few_collectors
from bench.pack import keys_of
from bench.pipeline import answer, cpu_seconds, start
from bench.replayed import FAR_ABOVE, Replay
from busway.health import ask
from busway.processes import Child, free_port, start_child
from collectors.profile_library import load_profile, profile_names
from facility.garbage import spare_what_stands
from facility.site import Device
from facility.site_file import load_site

QUANTITY = "active_power_w"
CREDENTIALS = "snmp_credentials"
ORDINARY, URGENT = "breach", "breach-urgent"
WARM_UP_S, SETTLE_S = 25, 4
"""Until then the engine has learnt, and watches, the parts that devices have shown."""
READY_S, LONGEST_S, LOOK_S = 60.0, 20.0, 0.1
GOALS = {ORDINARY: Goal(2.0, "value", "most"), URGENT: Goal(0.5, "value", "most")}
NONE_LOST = Goal(0.0, of="value", at="most")
Delays = dict[str, dict[str, float]]
"""By rule and device: seconds from the sample to the receiver."""


def figures(scale: Scale) -> Iterator[Figure]:
    """Seconds from sample to receiver, by rule."""
    load = few_collectors(scale)
    seconds, each = scale.pick(40, 20), scale.pick(300, 100)
    kind = best_kind()
    with running(kind) as broker:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        delays, facts = asyncio.run(_run(scale.scratch, broker, load, seconds, each))
    rate = f"{load.points[0]:,} readings/s, one core, {kind}"
    for rule, goal in GOALS.items():
        found = list(delays[rule].values())
        p50, p99 = np.percentile(found, [50, 99])
        what = f"sample to webhook, {rule}, {rate}"
        yield Figure(f"{what}, p50", float(p50), "s")
        yield Figure(f"{what}, p99", float(p99), "s", goal=goal)
    for name, value, unit in facts:
        yield Figure(name, value, unit, goal=NONE_LOST if name == "lost" else None)


async def _run(
    directory: Path, broker: Running, load: Load, seconds: int, each: int
) -> tuple[Delays, list[tuple[str, float, str]]]:
    delays: Delays = {ORDINARY: {}, URGENT: {}}
    async with _receiver(delays) as url:
        site, chosen = _write_site(directory, broker, load, url, each)
        moments = random.Random(1)
        breaches = {device: moments.randint(WARM_UP_S, WARM_UP_S + seconds) for device in chosen}
        spare_what_stands()  # the receiver is none of ours, and must not be late
        health = f"127.0.0.1:{free_port()}"
        command = ["alert", "run", "--site", str(site), "--health", health]
        engine = start_child("alerts", command, directory / "log")
        try:
            await _until_ready(health, engine)
            before = cpu_seconds(engine.process.pid)
            run_s = seconds + WARM_UP_S + SETTLE_S
            replay = Replay(
                site=str(site),
                load=str(load.directory),
                outbox=str(directory / "bench.sqlite"),
                seconds=run_s,
                breaches=breaches,
                quantity=QUANTITY,
            )
            said = await asyncio.to_thread(_collect, replay)
            engine_s = cpu_seconds(engine.process.pid) - before
            await _until_told(delays, len(said["breached"]))
            untimely = await _untimely(health)
        finally:
            await engine.stop()
    told = sum(map(len, delays.values()))
    return delays, [
        ("lost", float(len(said["breached"]) - told), f"of {len(said['breached'])}"),
        ("samples that came too late to count", untimely, "samples"),
        ("collector's share of the core", said["cpu_s"] / run_s, "cores"),
        ("engine's share of the core", engine_s / run_s, "cores"),
        ("messages of readings a second", said["messages"] / run_s, "messages/s"),
    ]


def _collect(replay: Replay) -> dict[str, Any]:
    with subprocess.Popen(
        replay.command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as collector:
        try:
            answer(collector)
            start([collector])
            return answer(collector)
        finally:
            collector.terminate()


@asynccontextmanager
async def _receiver(delays: Delays) -> Any:
    """Serve a webhook that notes how long after its sample each alert comes."""

    async def take(request: web.Request) -> web.Response:
        now = time.time()
        told = json.loads(await request.read())
        for alert in told["alerts"]:
            labels, began_at = alert["labels"], datetime.fromisoformat(alert["startsAt"])
            delays[labels["rule"]].setdefault(labels["device"], now - began_at.timestamp())
        return web.Response()

    application = web.Application(client_max_size=100_000_000)
    application.router.add_post("/", take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}/"
    finally:
        await runner.cleanup()


def _write_site(
    directory: Path, broker: Running, load: Load, url: str, each: int
) -> tuple[Path, list[str]]:
    """Write the share of one collector as a site; give it, and the devices that are to breach."""
    devices = _share()
    able = _that_can_breach(devices, load)
    chosen = random.Random(2).sample(able, 2 * each)
    rules = [_rule(ORDINARY, chosen[:each]), _rule(URGENT, chosen[each:])]
    (directory / "rules.yaml").write_text(yaml.safe_dump({"rules": rules}), "utf-8")
    match = {"match": {"rule": [ORDINARY, URGENT]}, "hooks": ["receiver"], "group_by": ["device"]}
    text = {
        "site": {"name": "bench"},
        CREDENTIALS: yaml.safe_load(SITE.read_text("utf-8"))[CREDENTIALS],
        "devices": [
            {
                "id": device.id,
                "profile": device.profile,
                "address": str(device.address),
                "role": device.role.value,
                "interval_seconds": 1.0,
                "credential": device.credential,
                "place": device.place.model_dump(exclude_defaults=True),
            }
            for device in devices
        ],
        "kafka": broker.kafka.model_dump(mode="json", exclude_none=True),
        "outbox": {"directory": "outbox"},
        "lake": {"directory": "lake"},
        "alerts": {
            "rules": ["rules.yaml"],
            "hooks": {"receiver": {"kind": "webhook", "url": url}},
            "routes": [match, {"hooks": []}],
        },
    }
    site = directory / "site.yaml"
    site.write_text(yaml.dump(text, Dumper=yaml.CSafeDumper), "utf-8")
    return site, chosen


def _share() -> list[Device]:
    """The devices of one collector; the engine takes only those whose profiles there are."""
    return [d for d in load_site(SITE).devices[::COLLECTORS] if d.profile in profile_names()]


def _that_can_breach(devices: list[Device], load: Load) -> list[str]:
    """Give the devices whose first part with the quantity is one that the profile promises."""
    first: dict[str, str] = {}
    for device, component, quantity in keys_of(load.series(0).batch(0)):
        if quantity == QUANTITY:
            first.setdefault(device, component)
    offered = {
        device.id: [
            p.component for p in load_profile(device.profile).points if p.quantity == QUANTITY
        ]
        for device in devices
    }
    return [
        device
        for device, components in offered.items()
        if device in first and (first[device] in components or any("{" in c for c in components))
    ]


def _rule(name: str, devices: list[str]) -> dict[str, Any]:
    return {
        "name": name,
        "select": {"device": devices, "quantity": QUANTITY},
        "above": {"fire": FAR_ABOVE / 2, "clear": FAR_ABOVE / 2},
        "priority": 2,
        "class": "bench",
        "message": "{device}: {value}",
        "urgent": name == URGENT,
    }


async def _until_told(delays: Delays, expected: int) -> None:
    deadline = time.monotonic() + LONGEST_S
    while sum(map(len, delays.values())) < expected and time.monotonic() < deadline:  # noqa: ASYNC110 - a short look
        await asyncio.sleep(LOOK_S)


async def _untimely(health: str) -> float:
    """How many samples the engine took for old news, as it does where the machine is too busy."""
    async with ClientSession() as session, session.get(f"http://{health}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    name = "busway_alert_untimely_samples_total "
    return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))


async def _until_ready(health: str, engine: Child) -> None:
    deadline = time.monotonic() + READY_S
    while not ((facts := await ask(f"http://{health}/healthz")) and facts.get("ready")):
        if not engine.is_running or time.monotonic() > deadline:
            raise engine.failure()
        await asyncio.sleep(LOOK_S)
