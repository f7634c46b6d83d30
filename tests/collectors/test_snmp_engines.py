"""One conformance test over both engines: whatever the reference reads, the fast one reads."""

from __future__ import annotations

import asyncio
import math
import os

import pytest
from snmp_rig import APC, PDU_PARTS, RARITAN, Plant, by_name, device_at

from collectors.snmp.session import Missing, Request
from collectors.snmp.source import SnmpSource
from collectors.snmp.transport import PysnmpSession
from facility.errors import DeviceGarbled, DeviceRefused, DeviceTimeout, DeviceUnreachable
from facility.secret import Secret
from facility.site import SnmpCredential
from simulator.snmp_agent import SnmpAgents
from simulator.snmp_device import SnmpDevice

try:
    from collectors.snmp import gufo
except ImportError:
    gufo = None

ENGINES = {"reference": PysnmpSession} | ({"fast": gufo.GufoSession} if gufo else {})
needs_fast = pytest.mark.skipif(
    gufo is None and os.environ.get("CI") != "true",
    reason="the fast engine, gufo-snmp, is not installed",
)
APC_PARTS = ("", "phase.1", "phase.2", "phase.3", *(f"outlet.{n}" for n in range(1, 31)))
POWER = (1, 3, 6, 1, 4, 1, 318, 1, 1, 26, 4, 3, 1, 5, 1)
NO_ROW = (1, 3, 6, 1, 4, 1, 318, 1, 1, 26, 6, 3, 1, 5, 9)


@pytest.fixture(autouse=True)
def secrets(monkeypatch):
    monkeypatch.setenv("AUTH_KEY", "correct horse")
    monkeypatch.setenv("PRIVACY_KEY", "battery staple")
    monkeypatch.setenv("WRONG_KEY", "incorrect horse")


def v3(auth, privacy, key="AUTH_KEY"):
    return SnmpCredential(
        version="3",
        user="monitor",
        auth_protocol=auth,
        auth_key=Secret(env=key) if auth != "none" else None,
        privacy_protocol=privacy,
        privacy_key=Secret(env="PRIVACY_KEY") if privacy != "none" else None,
    )


LOGINS = [
    SnmpCredential(),
    v3("none", "none"),
    v3("md5", "none"),
    v3("sha1", "des"),
    v3("sha224", "aes128"),
    v3("sha256", "aes128"),
    v3("sha384", "aes192"),
    v3("sha512", "aes256"),
    v3("sha1", "aes256"),
    v3("sha1", "aes192c"),
    v3("sha1", "aes256c"),
]


def source_of(engine, address, profile, credential, timeout_s=3.0):
    device = device_at(*address, profile, timeout_s)
    return SnmpSource(device, profile.snmp, ENGINES[engine](device.address, credential))


@needs_fast
@pytest.mark.parametrize(
    "credential", LOGINS, ids=lambda c: f"{c.version}-{c.auth_protocol}-{c.privacy_protocol}"
)
async def test_both_engines_give_the_same_readings(credential):
    plant = Plant(values={("", "energy_imported_wh"): None, ("phase.2", "current_a"): 12.3})
    polls = {}
    async with SnmpAgents(credential) as agents:
        address = await agents.serve(SnmpDevice(APC, APC_PARTS, plant), "127.0.0.1")
        for engine in ENGINES:
            source = source_of(engine, address, APC, credential)
            await source.read()
            polls[engine] = await source.read()
            await source.close()
    reference, fast = polls["reference"], polls["fast"]
    assert fast.points.sources == reference.points.sources
    assert fast.points.components == reference.points.components
    assert by_name(fast) == pytest.approx(by_name(reference), nan_ok=True, abs=0)
    assert fast.quality.tolist() == reference.quality.tolist()
    assert fast.failures == reference.failures
    assert len(fast.points) == 5 + 3 * 5 + 30 * 3
    assert math.isnan(by_name(fast)["", "energy_imported_wh"])


@pytest.mark.parametrize("engine", ENGINES)
async def test_digits_availability_and_row_labels_are_read_alike(engine):
    plant = Plant(values={("sensor.1", "relative_humidity_ratio"): None})
    device = SnmpDevice(RARITAN, [*PDU_PARTS, "sensor.1"], plant)
    async with SnmpAgents(SnmpCredential()) as agents:
        source = source_of(
            engine, await agents.serve(device, "127.0.0.1"), RARITAN, SnmpCredential()
        )
        values = by_name(await source.read())
        await source.close()
    assert values["inlet.1", "current_a"] == 10
    assert values["inlet.1", "power_factor_ratio"] == 1
    assert values["sensor.1", "temperature_c"] == 10


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("most", [1, 5])
async def test_an_agent_with_small_answers_is_read_whole(engine, most):
    device = SnmpDevice(APC, APC_PARTS, Plant())
    device.faults.largest_answer = most
    async with SnmpAgents(SnmpCredential()) as agents:
        address = await agents.serve(device, "127.0.0.1")
        source = source_of(engine, address, APC, SnmpCredential(), timeout_s=10)
        poll = await source.read()
        await source.close()
    assert len(poll.points) == 5 + 3 * 5 + 30 * 3
    assert poll.failures == ()


@pytest.mark.parametrize("engine", ENGINES)
async def test_what_is_not_there_is_missing(engine):
    async with SnmpAgents(SnmpCredential()) as agents:
        address = await agents.serve(SnmpDevice(APC, APC_PARTS, Plant()), "127.0.0.1")
        session = ENGINES[engine](device_at(*address, APC).address, SnmpCredential())
        answers = await session.ask(Request((POWER, NO_ROW)))
        await session.close()
    assert answers == [(POWER, 1), (NO_ROW, Missing.NO_SUCH_INSTANCE)]


@pytest.mark.parametrize("engine", ENGINES)
async def test_failures_are_told_apart_alike(engine):
    device = SnmpDevice(APC, APC_PARTS, Plant())
    async with SnmpAgents(SnmpCredential()) as agents:
        address = await agents.serve(device, "127.0.0.1")
        source = source_of(engine, address, APC, SnmpCredential(), timeout_s=1.0)
        device.faults.silent = True
        with pytest.raises(DeviceTimeout):
            await source.read()
        device.faults.silent, device.faults.garbage = False, b"\x30\x82\xff\xff not SNMP"
        with pytest.raises(DeviceGarbled):
            await source.read()
        device.faults.garbage = None
        assert (await source.read()).failures == ()
        await source.close()
    source = source_of(engine, ("no-such-host.invalid", 161), APC, SnmpCredential())
    with pytest.raises(DeviceUnreachable):
        await source.read()
    await source.close()


@pytest.mark.parametrize("engine", ENGINES)
async def test_cancellation_leaves_the_session_usable(engine):
    device = SnmpDevice(APC, ("",), Plant())
    async with SnmpAgents(SnmpCredential()) as agents:
        address = await agents.serve(device, "127.0.0.1")
        session = ENGINES[engine](device_at(*address, APC).address, SnmpCredential())
        device.faults.delay_s = 0.2
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await session.ask(Request((POWER,)))
        device.faults.delay_s = 0.0
        assert await session.ask(Request((POWER,))) == [(POWER, 1)]
        await session.close()


@pytest.mark.parametrize("engine", ENGINES)
async def test_v3_agents_may_reboot_be_replaced_or_refuse(engine):
    login = v3("sha256", "aes128")
    device = SnmpDevice(APC, ("", "phase.1"), Plant())
    async with SnmpAgents(login) as agents:
        address = await agents.serve(device, "127.0.0.1")
        source = source_of(engine, address, APC, login)
        wrong = source_of(engine, address, APC, v3("sha256", "aes128", "WRONG_KEY"))
        await source.read()
        agents.reboot()
        assert (await source.read()).failures == ()
        agents.set_clock(90_000)
        assert (await source.read()).failures == ()
        with pytest.raises(DeviceRefused, match="credential"):
            await wrong.read()
        await wrong.close()
    async with SnmpAgents(login) as replacement:
        await replacement.serve(device, *address)
        assert (await source.read()).failures == ()
    await source.close()


@needs_fast
def test_the_fast_engine_leaves_alone_what_it_does_not_know():
    assert not gufo.speaks(SnmpCredential(version="1"))
    assert not gufo.speaks(v3("sha256", "none").model_copy(update={"context": "bank-2"}))
    assert gufo.speaks(SnmpCredential())
