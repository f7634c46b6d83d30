"""What the SNMP driver costs beside a bare pysnmp loop: `python -m bench.snmp`.

The agents run in a process of their own. Figures are varbinds per second of this process's own CPU
time, so that they hold on a busy machine, too; memory is this process's resident size.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from pysnmp.hlapi.v3arch import asyncio as hlapi  # type: ignore[import-untyped]  # no types

from collectors.profile_library import load_profile
from collectors.snmp.session import Request, Session, Varbind
from collectors.snmp.source import SnmpSource
from collectors.snmp.transport import PysnmpSession
from facility.address import Address
from facility.site import Device, SnmpCredential
from simulator.snmp_agent import SnmpAgents
from simulator.snmp_device import SnmpDevice

OUTLETS = 48
PARTS = ("", *(f"phase.{n}" for n in (1, 2, 3)), *(f"outlet.{n}" for n in range(1, OUTLETS + 1)))
PROFILE = load_profile("apc-rpdu2")
COLUMN = (1, 3, 6, 1, 4, 1, 318, 1, 1, 26, 9, 4, 3, 1, 6)
REPETITIONS = 20
SECONDS = 3.0
DEVICES = 1000
LOGIN = SnmpCredential()
Endpoint = tuple[str, int]
Engine = Callable[[Address, SnmpCredential], Session]
assert PROFILE.snmp is not None
SECTION = PROFILE.snmp


async def serve(agents: int) -> None:
    """Serve so many agents, print their addresses, and end when stdin does."""
    async with SnmpAgents(LOGIN) as served:
        device = SnmpDevice(PROFILE, PARTS, lambda _component, _quantity: 1.0)
        addresses = [
            await served.serve(device, f"127.1.{n // 250}.{n % 250 + 1}") for n in range(agents)
        ]
        print(json.dumps(addresses), flush=True)
        await asyncio.to_thread(sys.stdin.read)


def source(address: Endpoint, engine: Engine = PysnmpSession) -> SnmpSource:
    """The driver of one agent."""
    device = device_at(address)
    return SnmpSource(device, SECTION, engine(device.address, LOGIN))


def device_at(address: Endpoint) -> Device:
    """A device of the bench."""
    host, port = address
    return Device(id="pdu", profile=PROFILE.name, address=f"snmp://{host}:{port}", role="rack_pdu")


class RecordingSession(PysnmpSession):
    """Remembers what it was asked."""

    asked: list[Request]

    async def ask(self, request: Request) -> list[Varbind]:
        """Note the request and pass it on."""
        self.asked.append(request)
        return await super().ask(request)


async def requests_of_a_poll(address: Endpoint) -> list[Request]:
    """What the driver asks once the survey is done."""
    device = device_at(address)
    session = RecordingSession(device.address, LOGIN)
    session.asked = []
    driver = SnmpSource(device, SECTION, session)
    await driver.read()
    session.asked.clear()
    await driver.read()
    await driver.close()
    return list(session.asked)


async def rate(once: Callable[[], Awaitable[int]]) -> float:
    """Varbinds per second of CPU time."""
    await once()
    varbinds, started = 0, time.process_time()
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        varbinds += await once()
    return varbinds / (time.process_time() - started)


async def bare_loop(address: Endpoint, requests: list[Request]) -> float:
    """These requests through pysnmp's own high-level calls, values left as they come."""
    engine = hlapi.SnmpEngine()
    target = await hlapi.UdpTransportTarget.create(address)
    whom = (engine, hlapi.CommunityData("public", mpModel=1), target, hlapi.ContextData())

    async def once() -> int:
        count = 0
        for request in requests:
            names = [hlapi.ObjectType(hlapi.ObjectIdentity(oid)) for oid in request.oids]
            if request.repetitions:
                reply = hlapi.bulk_cmd(*whom, 0, request.repetitions, *names, lookupMib=False)
            else:
                reply = hlapi.get_cmd(*whom, *names, lookupMib=False)
            indication, status, _, varbinds = await reply
            assert not indication
            assert not status
            count += len(varbinds)
        return count

    try:
        return await rate(once)
    finally:
        engine.close_dispatcher()


async def driver_loop(address: Endpoint, engine: Engine) -> float:
    """Whole polls: requests, decoding, quality."""
    driver = source(address, engine)

    async def once() -> int:
        poll = await driver.read()
        assert not poll.failures
        return len(poll.points)

    try:
        return await rate(once)
    finally:
        await driver.close()


async def megabytes_of(addresses: list[Endpoint]) -> float:
    """Resident memory that so many surveyed and polled devices add."""
    before = resident_mb()
    drivers = [source(address) for address in addresses]
    for driver in drivers:
        await driver.read()
    added = resident_mb() - before
    for driver in drivers:
        await driver.close()
    return added


def resident_mb() -> float:
    """This process's resident memory."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * 4096 / 1e6


async def measure(addresses: list[Endpoint]) -> None:
    """Print the table."""
    requests = await requests_of_a_poll(addresses[0])
    bulk = await bare_loop(addresses[0], [Request((COLUMN,), REPETITIONS)])
    same = await bare_loop(addresses[0], requests)
    driver = await driver_loop(addresses[0], PysnmpSession)
    print(f"bare pysnmp, GETBULK of {REPETITIONS}       {bulk:>8,.0f} varbinds/s/core")
    print(f"bare pysnmp, the poll's requests {same:>8,.0f} varbinds/s/core")
    print(f"driver, whole polls              {driver:>8,.0f} varbinds/s/core", end="")
    print(f"   {driver / bulk:.2f} and {driver / same:.2f} of these")
    if importlib.util.find_spec("gufo"):
        engine: Engine = importlib.import_module("collectors.snmp.gufo").GufoSession
        fast = await driver_loop(addresses[0], engine)
        print(f"driver over gufo-snmp            {fast:>8,.0f} varbinds/s/core   {fast / bulk:.2f}")
    added = await megabytes_of(addresses)
    points = sum(request.varbinds for request in requests)
    print(
        f"{len(addresses)} devices of {points} points add {added:.0f} MB to {resident_mb():.0f} MB"
    )


def main() -> None:
    """Run agents and measurement."""
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(serve(int(sys.argv[2])))
        return
    command = [sys.executable, "-m", "bench.snmp", "serve", str(DEVICES)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as agents:
        assert agents.stdin is not None
        assert agents.stdout is not None
        try:
            asyncio.run(measure([tuple(a) for a in json.loads(agents.stdout.readline())]))
        finally:
            agents.stdin.close()


if __name__ == "__main__":
    main()
