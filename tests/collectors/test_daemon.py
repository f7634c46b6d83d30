"""The whole collector over a real outbox: what is stored, what is booked, how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from collector_child import DEVICES
from daemon_rig import (
    POLLS,
    READINGS,
    Place,
    assert_dense,
    assert_kinds,
    running,
    slots,
    until,
    whats,
)
from fake_source import FakeSource, fake_device, fake_site, opener
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from collectors.clock import Clock
from collectors.shard import Shard
from facility.errors import ConfigError, OutboxCorrupt
from facility.site import Device, Site
from facility.site import Place as Rack
from stream.codec import decode


@pytest.fixture
def place(tmp_path: Path) -> AsyncIterator[Place]:
    place = Place(tmp_path)
    yield place
    place.outbox.close()


async def test_each_devices_slots_are_all_booked_and_the_read_ones_have_their_readings(
    place: Place,
) -> None:
    scripts = {
        "ok": ["ok"],
        "slow": [0.12],
        "half": ["half"],
        "dead": ["unreachable"],
        "silent": ["hang"],
    }
    devices = [fake_device(name, interval_s=0.05, timeout_s=0.2) for name in scripts]
    place.sources = {name: FakeSource(name, script) for name, script in scripts.items()}
    async with running(place.daemon(*devices)):
        await asyncio.sleep(1.0)
    ledger = place.ledger()
    for device in devices:
        assert_dense(ledger[device.id], device)
        assert len(ledger[device.id]) >= 18
    assert_kinds(ledger["ok"], "read")
    assert_kinds(ledger["slow"], "read", "overrun")
    assert_kinds(ledger["half"], "missing")
    assert_kinds(ledger["dead"], "unreachable", "backoff")
    assert (
        {"timeout", "overrun"}
        <= whats(ledger["silent"]).keys()
        <= {"timeout", "overrun", "backoff", "shutdown"}
    )
    readings = Counter(row["device"] for row in place.stored(READINGS))
    answered = {
        d: sum(row["outcome"] in ("read", "partial") for row in rows) for d, rows in ledger.items()
    }
    assert readings == Counter({d: 4 * n for d, n in answered.items() if n})


async def test_one_slow_device_delays_no_other(place: Place) -> None:
    devices = [fake_device(f"pdu-{i}", interval_s=0.1, timeout_s=2) for i in range(50)]
    place.sources["pdu-0"] = FakeSource("pdu-0", ["hang"])
    async with running(place.daemon(*devices)):
        await asyncio.sleep(1.0)
    ledger = place.ledger()
    for device in devices[1:]:
        assert_kinds(ledger[device.id], "read")


async def test_readings_are_in_the_outbox_before_the_ledger_vouches_for_them(place: Place) -> None:
    async with running(place.daemon(fake_device("pdu", interval_s=0.03))):
        await asyncio.sleep(0.5)
    seen = 0
    for entry in place.outbox.pending(10**9):
        batch = decode(entry.message.value, entry.message.headers).batch
        if entry.message.topic == READINGS:
            seen += len(batch) // 4
        else:
            seen -= batch["outcome"].to_pylist().count("read")
        assert seen >= 0
    assert seen == 0


async def test_stopping_lets_a_poll_end_and_books_everything(place: Place) -> None:
    devices = [fake_device("slow", timeout_s=3), fake_device("silent", timeout_s=60)]
    place.sources = {"slow": FakeSource("slow", [0.6]), "silent": FakeSource("silent", ["hang"])}
    daemon = place.daemon(*devices)
    async with running(daemon):
        await until(lambda: all(s.running for s in place.sources.values()))
        stopped = time.monotonic()
    assert time.monotonic() - stopped < 6
    assert daemon.health()["devices"] == 0
    ledger = place.ledger()
    assert whats(ledger["slow"])["read"] == 1
    assert whats(ledger["silent"]).keys() == {"shutdown"}
    assert all(s.closed == 1 for s in place.sources.values())


async def test_the_next_start_books_the_time_between(place: Place) -> None:
    device = fake_device("pdu", interval_s=0.05)
    for _ in range(2):
        async with running(place.daemon(device)):
            await asyncio.sleep(0.3)
        await asyncio.sleep(0.3)
    rows = place.ledger()["pdu"]
    assert_dense(rows, device)
    assert_kinds(rows, "read", "collector_down")
    assert whats(rows)["collector_down"] >= 5


async def test_the_clock_set_back_between_two_runs_gives_no_name_twice(place: Place) -> None:
    device = fake_device("pdu", interval_s=0.05)
    async with running(place.daemon(device)):
        await asyncio.sleep(0.3)
    behind = Clock(wall_ns=lambda: time.time_ns() - 300_000_000)
    async with running(place.daemon(device, clock=behind)):
        await asyncio.sleep(0.3)
    found = slots(place.ledger()["pdu"])
    assert len(set(found)) == len(found) >= 10
    assert {slot % 50_000 for slot in found} == {found[0] % 50_000, found[0] % 50_000 + 1}


async def test_shards_poll_disjoint_devices(place: Place) -> None:
    devices = [fake_device(f"pdu-{i}") for i in range(20)]
    shares = []
    for number in range(3):
        daemon = place.daemon(*devices, shard=Shard(number, 3), open_device=opener({}))
        async with running(daemon):
            await asyncio.sleep(0.1)
            shares.append(daemon.health()["devices"])
    assert sum(shares) == 20
    assert all(shares)


async def test_a_reload_touches_only_what_changed(place: Place) -> None:
    kept, changed, gone = (fake_device(n, interval_s=0.05) for n in ("kept", "changed", "gone"))
    daemon = place.daemon(kept, changed, gone)
    async with running(daemon):
        await until(
            lambda: len(place.sources) == 3 and all(s.reads for s in place.sources.values())
        )
        first = dict(place.sources)
        place.sources.pop("changed")
        faster = fake_device("changed", interval_s=0.02)
        moved = kept.model_copy(update={"place": Rack(rack="7")})
        daemon.reload(fake_site(moved, faster, fake_device("added", interval_s=0.05)))
        await until(lambda: "added" in place.sources and place.sources["added"].reads > 3)
        assert daemon.health()["devices"] == 3
        assert place.sources["changed"].reads > 3
        assert (first["changed"].closed, first["gone"].closed, first["kept"].closed) == (1, 1, 0)
        reads_when_gone = first["gone"].reads
        up = [
            REGISTRY.get_sample_value("busway_device_up", {"device": d}) for d in ("kept", "gone")
        ]
        assert up == [1, None]
    assert first["gone"].reads == reads_when_gone
    assert place.sources["kept"] is first["kept"]
    ledger = place.ledger()
    assert_dense(ledger["kept"], kept)
    assert {"changed", "added", "gone"} <= ledger.keys()


async def test_a_reload_that_cannot_be_changes_nothing(place: Place) -> None:
    def open_device(device: Device, _: Site) -> FakeSource:
        if device.id == "wrong":
            raise ConfigError("no profile is named 'any'")
        return place.sources.setdefault(device.id, FakeSource(device.id))

    daemon = place.daemon(fake_device("pdu"), open_device=open_device)
    async with running(daemon):
        with pytest.raises(ConfigError):
            daemon.reload(fake_site(fake_device("wrong")))
        await until(lambda: place.sources["pdu"].reads > 2)
    assert place.ledger().keys() == {"pdu"}


def test_a_device_that_cannot_be_opened_stops_the_start(place: Place) -> None:
    def open_device(_: Device, __: Site) -> FakeSource:
        raise ConfigError("no profile is named 'any'")

    with pytest.raises(ConfigError):
        place.daemon(fake_device("pdu"), open_device=open_device)


async def test_a_full_outbox_stops_polling_and_every_slot_says_so(tmp_path: Path) -> None:
    place = Place(tmp_path, max_bytes=20_000)
    device = fake_device("pdu", interval_s=0.02)
    daemon = place.daemon(device)
    with capture_logs() as lines:
        async with running(daemon):
            await until(lambda: daemon.health()["blocked"] == "outbox_full")
            assert not daemon.health()["ready"]
            reads = place.sources["pdu"].reads
            await asyncio.sleep(0.3)
            assert place.sources["pdu"].reads <= reads + 1
            taken = place.outbox.pending(10**9)
            place.outbox.acknowledge(taken[-1])
            await until(lambda: daemon.health()["ready"])
            await until(lambda: place.sources["pdu"].reads > reads + 3)
    rows = [
        row
        for entry in [*taken, *place.outbox.pending(10**9)]
        if entry.message.topic == POLLS
        for row in decode(entry.message.value, entry.message.headers).batch.to_pylist()
    ]
    assert_dense(sorted(rows, key=lambda row: row["scheduled_at"]), device)
    assert whats(rows)["outbox_full"] >= 10
    assert_kinds(rows, "read", "outbox_full")
    events = [line["event"] for line in lines if line["log_level"] in ("error", "warning")]
    assert events == [
        "Nothing can be stored; polling stops.",
        "Storing works again; polling goes on.",
    ]
    place.outbox.close()


async def test_messages_that_a_full_outbox_dropped_are_in_the_ledger(tmp_path: Path) -> None:
    place = Place(tmp_path, max_bytes=20_000, when_full="drop_oldest")
    with capture_logs() as lines:
        async with running(place.daemon(fake_device("pdu", interval_s=0.01))):
            await until(lambda: any(line["log_level"] == "error" for line in lines))
    booked = place.ledger()["c"]
    assert booked[0]["error"].startswith("outbox_full: message 1 of busway.")
    assert booked[0]["outcome"] == "dropped"
    assert all(lost.seq > 1 for lost in place.outbox.dropped())
    place.outbox.close()


async def test_an_outbox_that_breaks_stops_polling_and_is_tried_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = fake_device("pdu", interval_s=0.02)
    daemon = place.daemon(device)

    def broken(*_: object) -> None:
        raise OutboxCorrupt("the file is damaged")

    async with running(daemon):
        await until(lambda: place.sources["pdu"].reads > 2)
        with monkeypatch.context() as patch:
            patch.setattr(place.outbox, "append", broken)
            await until(lambda: daemon.health()["blocked"] == "outbox_failed")
            await asyncio.sleep(0.2)
        await until(lambda: daemon.health()["ready"])
    rows = place.ledger()["pdu"]
    assert_dense(rows, device)
    assert_kinds(rows, "read", "outbox_failed")


async def test_the_facts_for_health(place: Place) -> None:
    place.sources["dead"] = FakeSource("dead", ["unreachable"])
    daemon = place.daemon(fake_device("pdu", interval_s=0.05), fake_device("dead", interval_s=0.05))
    assert not daemon.health()["ready"]
    async with running(daemon):
        await until(lambda: place.sources["pdu"].reads > 2)
        facts = daemon.health()
    age = facts.pop("flush_age_s")
    assert facts == {
        "ready": True,
        "collector": "c",
        "devices": 2,
        "devices_up": 1,
        "blocked": None,
    }
    assert age < 2


def kill_after(directory: Path, seconds: float) -> None:
    """Run a collector process and kill it without warning."""
    child = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("collector_child.py"), directory],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"started\n"
        time.sleep(seconds)
        child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL


async def test_after_kill_9_every_slot_has_exactly_one_row(tmp_path: Path) -> None:
    for seconds in (0.0, 0.31, 0.47):
        await asyncio.to_thread(kill_after, tmp_path, seconds)
    place = Place(tmp_path)
    async with running(place.daemon(*DEVICES)):
        await asyncio.sleep(0.3)
    ledger = place.ledger()
    for device in DEVICES:
        assert_dense(ledger[device.id], device)
        assert whats(ledger[device.id]).keys() <= {"read", "crash", "collector_down", "overrun"}
        assert {"read", "collector_down"} <= whats(ledger[device.id]).keys()
    assert any("crash" in whats(rows) for rows in ledger.values())
    read = Counter(row["device"] for row in place.stored(READINGS))
    for device in DEVICES:
        rows = ledger[device.id]
        assert read[device.id] >= 4 * whats(rows)["read"]
        assert len(rows) == sum(Counter(row["outcome"] for row in rows).values())
    place.outbox.close()
