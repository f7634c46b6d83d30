"""Broken responses before the true one: never a crash, never a hang, and the next read is well."""

from __future__ import annotations

import asyncio
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from snmp_rig import APC, Plant

from collectors.snmp.session import Request
from collectors.snmp.transport import PysnmpSession
from facility.address import Address
from facility.errors import DeviceError
from facility.secret import Secret
from facility.site import SnmpCredential
from simulator.snmp_agent import SnmpAgents
from simulator.snmp_device import SnmpDevice

EXAMPLES = int(os.environ.get("BUSWAY_FUZZ_EXAMPLES", "60"))
V3 = SnmpCredential(
    version="3",
    user="monitor",
    auth_protocol="sha256",
    auth_key=Secret(env="AUTH_KEY"),
    privacy_protocol="aes128",
    privacy_key=Secret(env="AUTH_KEY"),
)
POWER = (1, 3, 6, 1, 4, 1, 318, 1, 1, 26, 4, 3, 1, 5, 1)
PHASES = (1, 3, 6, 1, 4, 1, 318, 1, 1, 26, 6, 3, 1, 5)

truncated = st.integers(0, 200).map(lambda length: lambda frame: frame[:length])
flipped = st.tuples(st.integers(0, 200), st.integers(1, 255)).map(
    lambda at: lambda frame: flip(frame, *at)
)
stuffed = st.tuples(st.integers(0, 200), st.binary(min_size=1, max_size=20)).map(
    lambda at: lambda frame: frame[: at[0]] + at[1] + frame[at[0] :]
)
lengthened = st.tuples(st.integers(0, 200), st.integers(0x80, 0xFF)).map(
    lambda at: lambda frame: frame[: at[0]] + bytes([at[1]]) + b"\xff" * 8 + frame[at[0] :]
)
noise = st.binary(max_size=300).map(lambda junk: lambda _frame: junk)
twice = st.just(lambda frame: frame + frame)
mutations = st.one_of(truncated, flipped, stuffed, lengthened, noise, twice)


def flip(frame, at, mask):
    if at >= len(frame):
        return frame
    return frame[:at] + bytes([frame[at] ^ mask]) + frame[at + 1 :]


class Meddler(asyncio.DatagramProtocol):
    """Stands between the driver and the agent: sends broken copies of each response before it."""

    def __init__(self):
        self.mutations = ()
        self.frames = 0
        self.client = None

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, source):
        if source != self.agent:
            self.client = source
            self.transport.sendto(data, self.agent)
            return
        for mutate in self.mutations:
            self.transport.sendto(mutate(data), self.client)
            self.frames += 1
        self.transport.sendto(data, self.client)


class Scene:
    """An agent, the meddler before it, and a session; all in one event loop that is kept."""

    async def set_up(self, credential):
        self.unhandled = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: self.unhandled.append(context))
        self.agents = SnmpAgents(credential)
        device = SnmpDevice(APC, ("", "phase.1", "phase.2"), Plant())
        self.transport, self.meddler = await loop.create_datagram_endpoint(
            Meddler, local_addr=("127.0.0.1", 0)
        )
        self.meddler.agent = await self.agents.serve(device, "127.0.0.1")
        host, port = self.transport.get_extra_info("sockname")
        self.session = PysnmpSession(Address(scheme="snmp", host=host, port=port), credential)

    async def tear_down(self):
        await self.session.close()
        self.transport.close()
        await self.agents.close()

    async def ask(self, mutations):
        """One request; all that is sent back is taken in before the next."""
        self.meddler.mutations = mutations
        request = Request((POWER,)) if len(mutations) % 2 else Request((PHASES,), 2)
        try:
            async with asyncio.timeout(0.2):
                varbinds = await self.session.ask(request)
                assert all(isinstance(oid, tuple) for oid, _ in varbinds)
        except (TimeoutError, DeviceError):
            pass
        await asyncio.sleep(0.002 * len(mutations))

    async def ask_well(self):
        """The true answer, once what is still under way has come in; after at most a few tries."""
        self.meddler.mutations = ()
        await asyncio.sleep(0.2)
        for _ in range(4):
            try:
                async with asyncio.timeout(1):
                    return await self.session.ask(Request((POWER,)))
            except (TimeoutError, DeviceError):
                continue
        raise AssertionError("the agent is not read any more")


@pytest.fixture(params=[SnmpCredential(), V3], ids=["v2c", "v3"])
def scene(request, monkeypatch):
    monkeypatch.setenv("AUTH_KEY", "correct horse")
    with asyncio.Runner() as runner:
        found = Scene()
        runner.run(found.set_up(request.param))
        yield runner, found
        runner.run(found.tear_down())


def test_broken_responses_never_crash_or_hang(scene):
    runner, found = scene

    @given(st.lists(mutations, min_size=1, max_size=8))
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def meddle(broken):
        runner.run(found.ask(broken))

    meddle()
    assert runner.run(found.ask_well()) == [(POWER, 1)]
    assert found.unhandled == []
    assert found.meddler.frames >= EXAMPLES
