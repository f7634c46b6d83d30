"""Against agents that are none of ours, net-snmp's and snmpsim's, and net-snmp's client."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import time
from getpass import getuser
from grp import getgrgid
from pathlib import Path

import pytest
from installable import is_missing
from snmp_rig import APC, Plant, by_name, source_at

from collectors.profile_library import load_profile
from facility.errors import DeviceRefused, DeviceTimeout
from facility.secret import Secret
from facility.site import SnmpCredential
from simulator.snmp_agent import SnmpAgents
from simulator.snmp_device import SnmpDevice

UPS = load_profile("ups-rfc1628")
SNMPD = shutil.which("snmpd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
CLIENT = shutil.which("snmpbulkwalk")
SNMPSIM = shutil.which(
    "snmpsim-command-responder",
    path=f"{Path(__file__).parents[2] / '.venv-snmpsim/bin'}:{os.environ.get('PATH', '')}",
)
RECORDED = SnmpCredential(community=Secret(env="SNMP_COMMUNITY"))
RECORDING = Path(__file__).with_name("foreign") / "ups.snmprec"

KEY = "correct horse"
CONFIGURATION = """
agentaddress udp:127.0.0.1:{port}
rocommunity public
createUser monitor SHA-512 "correct horse" AES "correct horse"
rouser monitor priv
override 1.3.6.1.2.1.33.1.2.3.0 integer 12
override 1.3.6.1.2.1.33.1.2.4.0 integer 87
override 1.3.6.1.2.1.33.1.2.5.0 integer 5431
override 1.3.6.1.2.1.33.1.4.1.0 integer 3
override 1.3.6.1.2.1.33.1.4.4.1.4.1 integer 40000
override 1.3.6.1.2.1.33.1.4.4.1.4.2 integer 41000
override 1.3.6.1.2.1.33.1.4.4.1.4.3 integer 42000
"""
EXPECTED = {
    ("", "battery_runtime_s"): 720,
    ("", "battery_charge_ratio"): 0.87,
    ("", "battery_voltage_v"): 543.1,
    ("", "input_source_code"): 3,
    ("output/phase.1", "active_power_w"): 40_000,
    ("output/phase.2", "active_power_w"): 41_000,
    ("output/phase.3", "active_power_w"): 42_000,
}


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("SNMP_KEY", KEY)
    monkeypatch.setenv("SNMP_COMMUNITY", "recorded")
    monkeypatch.setenv("WRONG_KEY", "incorrect horse")


def v3(key="SNMP_KEY"):
    return SnmpCredential(
        version="3",
        user="monitor",
        auth_protocol="sha512",
        auth_key=Secret(env=key),
        privacy_protocol="aes128",
        privacy_key=Secret(env="SNMP_KEY"),
    )


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_agent(folder: Path, port: int) -> subprocess.Popen[bytes]:
    if SNMPD is None:
        is_missing("net-snmp's agent (snmpd)")
    folder.mkdir(exist_ok=True)
    configuration = folder / "snmpd.conf"
    configuration.write_text(CONFIGURATION.format(port=port), "utf-8")
    return subprocess.Popen(
        [SNMPD, "-f", "-Lo", "-C", "-c", configuration, "-I", "-smux", "-p", folder / "pid"],
        env={**os.environ, "SNMP_PERSISTENT_DIR": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def agent_port(tmp_path_factory):
    port = free_port()
    with start_agent(tmp_path_factory.mktemp("snmpd"), port) as process:
        yield port
        process.terminate()


@pytest.fixture(scope="module")
def simulator_port(tmp_path_factory):
    """A recording that snmpsim serves under its file's name: community and SNMPv3 context."""
    if SNMPSIM is None:
        is_missing("snmpsim (in .venv-snmpsim)")
    folder, port = tmp_path_factory.mktemp("snmpsim"), free_port()
    shutil.copy(RECORDING, folder / "recorded.snmprec")
    user = ("--v3-user=monitor", f"--v3-auth-key={KEY}", f"--v3-priv-key={KEY}")
    protocols = ("--v3-auth-proto=SHA512", "--v3-priv-proto=AES")
    identity = (f"--process-user={getuser()}", f"--process-group={getgrgid(os.getgid()).gr_name}")
    command = [
        SNMPSIM,
        *(f"--data-dir={folder}", f"--cache-dir={folder}", "--variation-modules-dir=/nonexistent"),
        *(f"--agent-udpv4-endpoint=127.0.0.1:{port}", *user, *protocols, *identity),
    ]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, **quiet) as process:
        yield port
        process.terminate()


@pytest.mark.parametrize("version", ["1", "2c", "3"])
async def test_a_recording_that_snmpsim_serves_is_read_in_every_version(simulator_port, version):
    credential = RECORDED.model_copy(update={"version": version})
    if version == "3":
        credential = v3().model_copy(update={"context": "recorded"})
    poll = await read(simulator_port, credential)
    assert by_name(poll) == EXPECTED
    assert poll.failures == ()


async def test_snmpsim_refuses_a_wrong_key_by_name(simulator_port):
    await read(simulator_port, RECORDED)
    wrong = v3("WRONG_KEY").model_copy(update={"context": "recorded"})
    source = source_at("127.0.0.1", simulator_port, UPS, wrong)
    with pytest.raises(DeviceRefused, match="credential"):
        await source.read()
    await source.close()


async def read(port, credential=None):
    """One poll, once the agent is up."""
    source = source_at("127.0.0.1", port, UPS, credential or SnmpCredential(), timeout_s=2.0)
    until = time.monotonic() + 20
    try:
        while True:
            try:
                return await source.read()
            except DeviceTimeout:
                assert time.monotonic() < until, "the agent never answered"
    finally:
        await source.close()


@pytest.mark.parametrize("version", ["1", "2c", "3"])
async def test_net_snmp_s_agent_is_read_in_every_version(agent_port, version):
    credential = v3() if version == "3" else SnmpCredential(version=version)
    poll = await read(agent_port, credential)
    assert by_name(poll) == EXPECTED
    assert poll.failures == ()


async def test_net_snmp_s_agent_refuses_a_wrong_key_by_name(agent_port):
    await read(agent_port)
    source = source_at("127.0.0.1", agent_port, UPS, v3("WRONG_KEY"))
    with pytest.raises(DeviceRefused, match="credential"):
        await source.read()
    await source.close()


async def test_net_snmp_s_agent_is_read_again_when_replaced_by_another(tmp_path):
    """Another engine id at the same address, as after a change of the network card."""
    port = free_port()
    source = source_at("127.0.0.1", port, UPS, v3(), timeout_s=3.0)
    for name in ("first", "second"):
        with start_agent(tmp_path / name, port) as process:
            await read(port)
            assert by_name(await source.read()) == EXPECTED
            process.terminate()
    await source.close()


@pytest.mark.parametrize(
    "login",
    [
        ("-v2c", "-c", "public"),
        (
            "-v3",
            "-u",
            "monitor",
            "-l",
            "authPriv",
            "-a",
            "SHA-512",
            "-A",
            KEY,
            "-x",
            "AES",
            "-X",
            KEY,
        ),
    ],
    ids=["2c", "3"],
)
async def test_net_snmp_s_client_walks_our_simulated_agent(login):
    if CLIENT is None:
        is_missing("net-snmp's client (snmp)")
    credential = v3() if "-v3" in login else SnmpCredential()
    async with SnmpAgents(credential) as agents:
        host, port = await agents.serve(SnmpDevice(APC, ("", "phase.1"), Plant()), "127.0.0.1")
        walking = await asyncio.create_subprocess_exec(
            CLIENT, *login, "-On", "-t", "5", f"{host}:{port}", "1.3.6.1.4.1.318",
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(30):
            output, _ = await walking.communicate()
    lines = output.decode().splitlines()
    assert ".1.3.6.1.4.1.318.1.1.26.4.3.1.5.1 = INTEGER: 1" in lines
    assert len([line for line in lines if " = INTEGER: " in line]) == 10
