"""What the SNMP driver costs beside a bare pysnmp loop, over both engines.

The agents run in a process of their own. Figures are varbinds per second of this process's own CPU
time; the driver's are whole polls: requests, decoding, quality.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator

from pysnmp.hlapi.v3arch import asyncio as hlapi  # type: ignore[import-untyped]  # no types

from bench.harness import (
    Figure,
    Goal,
    Pair,
    Scale,
    paired,
    per_cpu_second,
    resident_mb,
    run_async,
    together,
)
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
DEVICES = 250
GOAL = Goal(0.9)
UNIT, BARE = "varbinds/s/core", f"bare pysnmp, GETBULK of {REPETITIONS}"
LOGIN = SnmpCredential()
Endpoint = tuple[str, int]
Once = Callable[[], Awaitable[float]]
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


def figures(scale: Scale) -> Iterator[Figure]:
    """The driver over each engine, and what a thousand agents take in memory."""
    command = [sys.executable, "-m", "bench.snmp", str(scale.pick(DEVICES, 100))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as agents:
        assert agents.stdin is not None
        assert agents.stdout is not None
        try:
            addresses = [tuple(place) for place in json.loads(agents.stdout.readline())]
            yield from _rates(addresses[0], scale)
            added = run_async(_megabytes_of(addresses))
            yield Figure(f"memory of {len(addresses)} PDUs' drivers", added, "MB")
        finally:
            agents.stdin.close()


def _rates(address: Endpoint, scale: Scale) -> Iterator[Figure]:
    seconds, rounds = scale.pick(10, 5) / 10, scale.pick(7, 5)
    requests = run_async(requests_of_a_poll(address))
    bulk, stop_bulk = run_async(_bare(address, [Request((COLUMN,), REPETITIONS)]))
    same, stop_same = run_async(_bare(address, requests))
    engines: dict[str, Engine] = {"pysnmp": PysnmpSession}
    if importlib.util.find_spec("gufo"):
        engines["gufo-snmp"] = importlib.import_module("collectors.snmp.gufo").GufoSession

    def beside(driver: SnmpSource, bare: Once) -> Pair:
        return paired(
            per_cpu_second(together([_polls_of(driver)], seconds=seconds)),
            per_cpu_second(together([bare], seconds=seconds)),
            rounds=rounds,
        )

    for name, engine in engines.items():
        driver = run_async(_opened(address, engine))
        pair = beside(driver, bulk)
        yield pair.figure(
            f"driver over {name}", UNIT, f"bare pysnmp, GETBULK of {REPETITIONS}", GOAL
        )
        if name == "pysnmp":
            yield beside(driver, same).figure("the same", UNIT, "bare pysnmp, the same requests")
        run_async(driver.close())
    stop_bulk()
    stop_same()


async def _bare(address: Endpoint, requests: list[Request]) -> tuple[Once, Callable[[], None]]:
    """Make these requests through pysnmp's own calls, values left as they come; and how it ends."""
    engine = hlapi.SnmpEngine()
    target = await hlapi.UdpTransportTarget.create(address)
    whom = (engine, hlapi.CommunityData("public", mpModel=1), target, hlapi.ContextData())

    async def once() -> float:
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

    return once, engine.close_dispatcher


async def _opened(address: Endpoint, engine: Engine) -> SnmpSource:
    """A driver that has made its survey."""
    driver = source(address, engine)
    await driver.read()
    return driver


def _polls_of(driver: SnmpSource) -> Once:
    async def once() -> float:
        poll = await driver.read()
        assert not poll.failures
        return len(poll.points)

    return once


async def _megabytes_of(addresses: list[Endpoint]) -> float:
    """Resident memory that so many surveyed and polled devices add."""
    before = resident_mb()
    drivers = [await _opened(address, PysnmpSession) for address in addresses]
    added = resident_mb() - before
    for driver in drivers:
        await driver.close()
    return added


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
