"""Broken responses before the true one: never a crash, never a hang, and the next read is well."""

from __future__ import annotations

import asyncio

import pytest
from fuzzing import PATIENCE, examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from installable import is_missing
from snmp_rig import APC, Plant

from collectors.profile import SnmpLimits
from collectors.snmp.exchange import Exchange
from collectors.snmp.session import Request
from collectors.snmp.sizes import Sizes
from collectors.snmp.transport import PysnmpSession
from facility.address import Address
from facility.errors import DeviceError
from facility.secret import Secret
from facility.site import SnmpCredential
from simulator.snmp_agent import SnmpAgents
from simulator.snmp_device import SnmpDevice

try:
    from collectors.snmp.gufo import GufoSession
except ImportError:  # the extra `fast` is not installed
    GufoSession = None

pytestmark = PATIENCE
FRAMES = examples(500)
AT_ONCE = (4, 8)
V1, V2C = SnmpCredential(version="1"), SnmpCredential()
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

    async def set_up(self, engine, credential):
        self.unhandled, self.faults = [], []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: self.unhandled.append(context))
        self.agents = SnmpAgents(credential)
        device = SnmpDevice(APC, ("", "phase.1", "phase.2"), Plant())
        self.transport, self.meddler = await loop.create_datagram_endpoint(
            Meddler, local_addr=("127.0.0.1", 0)
        )
        self.meddler.agent = await self.agents.serve(device, "127.0.0.1")
        host, port = self.transport.get_extra_info("sockname")
        self.session = engine(Address(scheme="snmp", host=host, port=port), credential)

    async def tear_down(self):
        await self.session.close()
        self.transport.close()
        await self.agents.close()

    async def ask(self, request, within_s):
        """What an exchange makes of it, as in a poll."""
        deadline = asyncio.get_running_loop().time() + within_s
        sizes = Sizes.of(SnmpLimits())
        exchange = Exchange(self.session, sizes, deadline, on_fault=self.faults.append)
        await exchange.run([request])
        return exchange.answers

    async def meddle(self, mutations):
        """One request; all that is sent back is taken in before the next."""
        self.meddler.mutations = mutations
        bulk = len(mutations) % 2 and self.session.can_bulk
        request = Request((PHASES,), 2) if bulk else Request((POWER,))
        counted = len(self.faults)
        try:
            answers = await self.ask(request, 0.6)
        except DeviceError:
            assert len(self.faults) > counted, "a fault is counted on the device"
        else:
            assert all(isinstance(oid, tuple) for oid in answers)
        await asyncio.sleep(0.002 * len(mutations))

    async def ask_well(self):
        """The true answer, once what is still under way has come in: on a busy machine, a while."""
        self.meddler.mutations = ()
        for _ in range(40):
            await asyncio.sleep(0.5)
            try:
                return await self.ask(Request((POWER,)), 3.0)
            except DeviceError:
                continue
        raise AssertionError("the agent is not read any more")


SCENES = {
    "v1": (PysnmpSession, V1),
    "v2c": (PysnmpSession, V2C),
    "v3": (PysnmpSession, V3),
    "v2c-fast": (GufoSession, V2C),
    "v3-fast": (GufoSession, V3),
}


@pytest.fixture(params=SCENES)
def scene(request, monkeypatch):
    engine, credential = SCENES[request.param]
    if engine is None:
        is_missing("gufo-snmp, the fast engine")
    monkeypatch.setenv("AUTH_KEY", "correct horse")
    with asyncio.Runner() as runner:
        found = Scene()
        runner.run(found.set_up(engine, credential))
        yield runner, found
        runner.run(found.tear_down())


def test_broken_responses_never_crash_or_hang_and_the_next_read_is_well(scene):
    runner, found = scene

    @given(st.lists(mutations, min_size=AT_ONCE[0], max_size=AT_ONCE[1]))
    @settings(
        max_examples=-(-FRAMES // AT_ONCE[0]),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    def meddle(broken):
        runner.run(found.meddle(broken))

    meddle()
    assert runner.run(found.ask_well()) == {POWER: 1}
    assert found.unhandled == []
    assert found.meddler.frames >= FRAMES
