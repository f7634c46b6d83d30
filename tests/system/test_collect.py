"""`busway collect` as a process: killed, reloaded, drained; what it says, and never says."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from apache_kafka import free_ports
from meter_server import meters
from processes_rig import Process, run_busway, running

from collectors.profile_library import load_profile
from collectors.schedule import grid_for
from facility.reading import TOPICS
from facility.secret import Secret
from facility.site import SnmpCredential
from simulator.snmp_agent import SnmpAgents
from simulator.snmp_device import SnmpDevice
from stream.codec import decode
from stream.outbox import Outbox

KEPT, CHANGED, ADDED = "127.7.0.1", "127.7.0.2", "127.7.0.3"
CANARIES = {
    "PDU_COMMUNITY": "canary-community",
    "PDU_AUTH": "canary-auth-key",
    "PDU_PRIVACY": "canary-privacy-key",
    "NODE_PASSWORD": "canary-password",
    "NODE_TOKEN": "canary-token",
    "KAFKA_PASSWORD": "canary-sasl",
}
SITE = """\
site: {{name: test}}
defaults: {{interval_seconds: 0.5, timeout_seconds: 0.4}}
snmp_credentials:
  old: {{community: {{env: PDU_COMMUNITY}}}}
  new:
    {{version: 3, user: monitor, auth_protocol: sha256, auth_key: {{env: PDU_AUTH}},
     privacy_protocol: aes128, privacy_key: {{env: PDU_PRIVACY}}}}
http_credentials:
  basic: {{user: busway, password: {{env: NODE_PASSWORD}}}}
  token: {{bearer_token: {{file: token}}}}
kafka:
  bootstrap_servers: ['127.0.0.1:1']
  sasl: {{user: busway, password: {{env: KAFKA_PASSWORD}}}}
outbox: {{directory: outbox}}
devices:
  - id: kept
    address: modbus://{kept}:{modbus}
    profile: schneider-pm5000
    role: feeder_meter
  - id: changed
    address: modbus://{changed}:{modbus}
    profile: schneider-pm5000
    role: feeder_meter
    interval_seconds: {interval}
  - id: old-pdu
    address: snmp://127.0.0.1:{silent}
    profile: apc-rpdu2
    role: rack_pdu
    credential: old
  - id: new-pdu
    address: snmp://127.0.0.1:{snmp}
    profile: apc-rpdu2
    role: rack_pdu
    credential: new
  - id: basic-node
    address: http://127.0.0.1:{http}
    profile: nvidia-dcgm-exporter
    role: gpu_node
    credential: basic
  - id: token-node
    address: http://127.0.0.2:{http}
    profile: nvidia-dcgm-exporter
    role: gpu_node
    credential: token
"""
MORE = """\
  - id: added
    address: modbus://{added}:{modbus}
    profile: schneider-pm5000
    role: feeder_meter
"""


@dataclass
class Story:
    """What one collector's two lives left behind."""

    output: str = ""
    metrics: str = ""
    health: dict[str, Any] = field(default_factory=dict)
    ready: int = 0
    connections: Counter[str] = field(default_factory=Counter)
    at_reload: Counter[str] = field(default_factory=Counter)
    drained_s: float = 0.0
    status: int | None = None
    files: bytes = b""
    ledger: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    readings: Counter[str] = field(default_factory=Counter)


@asynccontextmanager
async def plant(ports: dict[str, int]) -> AsyncIterator[Counter[str]]:
    """Meters that answer, an agent with other keys, an exporter that lets nobody in."""

    async def refuse(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=401, text=str(request.headers.get("Authorization")))

    theirs = SnmpCredential(
        version="3",
        user="monitor",
        auth_protocol="sha256",
        auth_key=Secret(env="THEIR_KEY"),
        privacy_protocol="aes128",
        privacy_key=Secret(env="THEIR_KEY"),
    )
    async with AsyncExitStack() as stack:
        connections = await stack.enter_async_context(
            meters(KEPT, CHANGED, ADDED, port=ports["modbus"])
        )
        agents = await stack.enter_async_context(SnmpAgents(theirs))
        device = SnmpDevice(load_profile("apc-rpdu2"), ("",), lambda *_: 1.0)
        _, ports["snmp"] = await agents.serve(device, "127.0.0.1")
        runner = web.ServerRunner(web.Server(refuse, access_log=None))
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        for host in ("127.0.0.1", "127.0.0.2"):
            await web.TCPSite(runner, host, ports["http"]).start()
        yield connections


def write(site: Path, text: str) -> None:
    site.write_text(text, "utf-8")


async def live(process: Process, story: Story, site: Path, ports: dict[str, int]) -> None:
    """The second life: looked at, reloaded rightly and wrongly, and ended in order."""
    await asyncio.to_thread(process.wait_for, "Devices are polled")
    await asyncio.sleep(2.5)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{ports['health']}") as asking:
        async with asking.get("/metrics") as answer:
            story.metrics = await answer.text()
        async with asking.get("/healthz") as answer:
            story.health = await answer.json()
        async with asking.get("/readyz") as answer:
            story.ready = answer.status
    story.at_reload = story.connections.copy()
    places = {"kept": KEPT, "changed": CHANGED, "added": ADDED, **ports}
    write(site, (SITE + MORE).format(interval=0.6, **places))
    process.popen.send_signal(signal.SIGHUP)
    await asyncio.to_thread(process.wait_for, "started=2")
    await asyncio.sleep(1.5)
    story.connections = story.connections.copy()
    write(site, "site: {name: wrong\n")
    process.popen.send_signal(signal.SIGHUP)
    await asyncio.to_thread(process.wait_for, "going on with the one before")
    await asyncio.sleep(0.5)
    began = time.monotonic()
    story.status = await asyncio.to_thread(process.end, signal.SIGTERM)
    story.drained_s = time.monotonic() - began


async def run(directory: Path) -> Story:
    names = ("modbus", "http", "health", "silent")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    story, site = Story(), directory / "site.yaml"
    logs = [directory / f"life-{n}.txt" for n in (1, 2)]
    (directory / "token").write_text(CANARIES["NODE_TOKEN"], "utf-8")
    command = ("--log-level", "debug", "collect", "--site", str(site))
    command += ("--health", f"127.0.0.1:{ports['health']}", "--collector", "c")
    async with plant(ports) as story.connections:
        places = {"kept": KEPT, "changed": CHANGED, **ports}
        write(site, SITE.format(interval=0.5, **places))
        with running(*command, log=logs[0], **CANARIES) as process:
            await asyncio.to_thread(process.wait_for, "Devices are polled")
            await asyncio.sleep(2.3)
            process.popen.kill()
            await asyncio.to_thread(process.popen.wait, 10)
        await asyncio.sleep(1.0)
        story.connections.clear()
        with running(*command, log=logs[1], **CANARIES) as process:
            await live(process, story, site, ports)
    story.output = "".join(log.read_text("utf-8") for log in logs)
    look_into(directory / "outbox", story)
    return story


def look_into(directory: Path, story: Story) -> None:
    story.files = b"".join(file.read_bytes() for file in sorted(directory.iterdir()))
    outbox = Outbox(directory / "c.sqlite", collector="c", max_bytes=10**9, when_full="drop_oldest")
    for entry in outbox.pending(10**9):
        batch = decode(entry.message.value, entry.message.headers).batch
        if entry.message.topic == TOPICS["readings"]:
            story.readings.update(batch["device"].to_pylist())
        else:
            for row in batch.to_pylist():
                story.ledger[row["device"]].append(row)
    outbox.close()


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THEIR_KEY", "another key than ours")
        yield asyncio.run(run(tmp_path_factory.mktemp("collect")))


def slots(rows: list[dict[str, Any]]) -> list[int]:
    return sorted(round(row["scheduled_at"].timestamp() * 1e6) for row in rows)


@pytest.mark.parametrize("device", ["kept", "old-pdu", "new-pdu", "basic-node", "token-node"])
def test_after_kill_9_and_a_reload_every_slot_of_a_device_has_one_row(
    story: Story, device: str
) -> None:
    """[25] scheduled = stored + failed + dropped, always."""
    found = slots(story.ledger[device])
    assert found == list(grid_for(device, 0.5).slots(found[0] - 1, found[-1]))
    outcomes = Counter(row["outcome"] for row in story.ledger[device])
    assert len(found) == sum(outcomes.values())
    assert outcomes.keys() <= {"read", "partial", "failed", "dropped"}
    errors = Counter((row["error"] or "none").partition(":")[0] for row in story.ledger[device])
    assert errors["collector_down"] >= 1, "the outage is booked as dropped, slot by slot"


def test_the_polls_that_the_crash_cut_off_are_booked_as_such(story: Story) -> None:
    crashed = [
        row
        for rows in story.ledger.values()
        for row in rows
        if (row["error"] or "").startswith("crash")
    ]
    assert crashed
    assert {row["outcome"] for row in crashed} == {"failed"}


def test_what_was_stored_before_the_crash_is_still_there(story: Story) -> None:
    points = len(load_profile("schneider-pm5000").modbus.points)
    stored = sum(row["outcome"] in ("read", "partial") for row in story.ledger["kept"])
    assert stored >= 10
    assert story.readings["kept"] >= points * stored


def test_a_device_that_never_answered_shows_what_is_lost(story: Story) -> None:
    for device, profile in (("old-pdu", "apc-rpdu2"), ("basic-node", "nvidia-dcgm-exporter")):
        expected = len(load_profile(profile).points)
        rows = story.ledger[device]
        assert {(row["points_expected"], row["points_good"]) for row in rows} == {(expected, 0)}


def test_a_reload_touches_only_what_changed(story: Story) -> None:
    """[25] Config reload drops buffers and sessions."""
    assert story.at_reload == {KEPT: 1, CHANGED: 1}
    assert story.connections == {KEPT: 1, CHANGED: 2, ADDED: 1}
    assert story.ledger["added"]
    assert "stopped=1" in story.output


def test_a_wrong_site_file_changes_nothing(story: Story) -> None:
    assert "The site file is wrong; going on with the one before." in story.output
    assert story.status == 0


def test_sigterm_drains_in_time_though_devices_and_broker_are_silent(story: Story) -> None:
    assert story.status == 0
    assert story.drained_s < 10


def test_the_page_for_prometheus_names_each_device(story: Story) -> None:
    up = {"kept": 1, "changed": 1, "old-pdu": 0, "new-pdu": 0, "basic-node": 0, "token-node": 0}
    for device, is_up in up.items():
        assert f'busway_device_up{{device="{device}"}} {is_up}.0' in story.metrics
        assert f'busway_poll_duration_seconds_count{{device="{device}"}}' in story.metrics
    for device, kind in (
        ("old-pdu", "timeout"),
        ("new-pdu", "refused"),
        ("basic-node", "refused"),
    ):
        assert f'busway_poll_errors_total{{device="{device}",kind="{kind}"}}' in story.metrics


def test_it_is_ready_though_devices_are_down(story: Story) -> None:
    assert story.ready == 200
    assert (story.health["devices"], story.health["devices_up"]) == (6, 2)


def test_each_line_about_a_device_names_it(story: Story) -> None:
    lost = [line for line in story.output.splitlines() if "Device does not answer" in line]
    named = Counter(line.partition("device=")[2].split()[0] for line in lost)
    assert named == dict.fromkeys(("old-pdu", "new-pdu", "basic-node", "token-node"), 2)


def test_no_secret_is_ever_said(story: Story) -> None:
    """Not in a log line, not on the page, not in an error that went into the ledger."""
    said = story.output + story.metrics + str(story.health) + str(dict(story.ledger))
    assert "check the device's credential" in said, "refusals are told"
    for canary in CANARIES.values():
        assert canary not in said
        assert canary.encode() not in story.files


def test_a_key_file_that_is_none_is_named_and_not_quoted(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("-----BEGIN PRIVATE KEY-----\ncanary-tls-key\n", "utf-8")
    site = tmp_path / "site.yaml"
    site.write_text(
        "site: {name: test}\n"
        "modbus_credentials: {plant: {certificate_file: key.pem, key_file: key.pem}}\n"
        "devices:\n"
        "  - {id: meter, profile: schneider-pm5000, role: feeder_meter, credential: plant,"
        ' address: "modbus+tls://127.0.0.1:1"}\n',
        "utf-8",
    )
    ended = run_busway(
        "--log-level", "debug", "collect", "--site", str(site), "--health", "127.0.0.1:0"
    )
    assert ended.returncode == 1
    assert "meter" in ended.stderr
    assert "plant" in ended.stderr
    assert "canary-tls-key" not in ended.stderr + ended.stdout
