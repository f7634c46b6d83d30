"""The simulated agents, asked by hand: what they serve, their faults, and that they keep up."""

from __future__ import annotations

import asyncio
import time

import pytest

from collectors.profile_library import load_profile
from collectors.snmp.session import AgentError, Missing, Request
from collectors.snmp.transport import PysnmpSession
from facility.address import Address
from facility.site import SnmpCredential
from simulator.snmp_agent import SnmpAgents
from simulator.snmp_device import SnmpDevice

APC = load_profile("apc-rpdu2")
RARITAN = load_profile("raritan-px3")
CRAC = load_profile("vertiv-liebert-crac")
GEIST = load_profile("vertiv-geist-v5")
POWER = (1, 3, 6, 1, 4, 1, 318, 1, 1, 26, 4, 3, 1, 5, 1)
ENERGY = (1, 3, 6, 1, 4, 1, 318, 1, 1, 26, 4, 3, 1, 9, 1)
SYS_DESCR, SYS_OBJECT_ID, UP_TIME = ((1, 3, 6, 1, 2, 1, 1, n, 0) for n in (1, 2, 3))


def steady(values=None, base=10.0):
    found = {} if values is None else values
    return lambda component, quantity: found.get((component, quantity), base)


@pytest.fixture
async def ask():
    """Ask a device for OIDs, or for what follows them."""
    async with SnmpAgents(SnmpCredential()) as agents:
        sessions = []

        async def asking(device):
            host, port = await agents.serve(device, "127.1.2.3")
            address = Address(scheme="snmp", host=host, port=port)
            sessions.append(PysnmpSession(address, SnmpCredential()))

            async def one(*oids, repetitions=0):
                async with asyncio.timeout(5):
                    return await sessions[-1].ask(Request(oids, repetitions))

            return one

        yield asking
        for session in sessions:
            await session.close()


async def test_a_device_says_what_it_is(ask):
    one = await ask(SnmpDevice(APC, [""], steady()))
    descr, identity, up_time = [value for _, value in await one(SYS_DESCR, SYS_OBJECT_ID, UP_TIME)]
    assert b"Rack PDU 2G" in descr
    assert identity == (1, 3, 6, 1, 4, 1, 318, 1, 3, 4, 6)
    assert 0 <= up_time < 6000


async def test_values_are_live_and_in_the_device_s_own_counts(ask):
    values = {("", "active_power_w"): 1234.0, ("", "energy_imported_wh"): 199.9}
    one = await ask(SnmpDevice(APC, [""], steady(values)))
    assert await one(POWER, ENERGY) == [(POWER, 123), (ENERGY, 1)]
    values["", "active_power_w"] = 1238.0
    values["", "energy_imported_wh"] = 200.0
    assert await one(POWER, ENERGY) == [(POWER, 124), (ENERGY, 2)]
    values["", "active_power_w"] = None
    assert await one(POWER) == [(POWER, -1)]


async def test_a_walk_gives_every_object_once_and_in_order(ask):
    device = SnmpDevice(RARITAN, ["inlet.1", "outlet.1", "outlet.2", "sensor.1"], steady())
    one = await ask(device)
    seen, at = [], (1, 3)
    while True:
        varbinds = await one(at, repetitions=25)
        new = [oid for oid, value in varbinds if value is not Missing.END_OF_MIB]
        seen += new
        if len(new) < len(varbinds):
            break
        at = new[-1]
    assert seen == sorted(set(seen))
    assert len(seen) == 3 + 10 * 3 + 2 * (6 * 3 + 2) + 4 + 0


async def test_what_is_not_there_says_so(ask):
    one = await ask(SnmpDevice(APC, ["", "phase.1"], steady()))
    row = (1, 3, 6, 1, 4, 1, 318, 1, 1, 26, 6, 3, 1, 5, 9)
    answers = await one(row, (1, 3, 6, 1, 9, 9, 0))
    assert [value for _, value in answers] == [Missing.NO_SUCH_INSTANCE, Missing.NO_SUCH_OBJECT]


async def test_a_register_starts_again_at_its_modulus_and_when_reset(ask):
    values = {("inlet.1", "energy_imported_wh"): 2.0**32 + 5}
    device = SnmpDevice(RARITAN, ["inlet.1"], steady(values))
    one = await ask(device)
    energy = (1, 3, 6, 1, 4, 1, 13742, 6, 5, 2, 3, 1, 4, 1, 1, 8)
    assert await one(energy) == [(energy, 5)]
    device.reset_counters()
    assert await one(energy) == [(energy, 0)]
    values["inlet.1", "energy_imported_wh"] += 7
    assert await one(energy) == [(energy, 7)]


async def test_a_sensor_without_a_value_says_that_it_is_not_available(ask):
    values = {("outlet.1", "current_a"): None}
    one = await ask(SnmpDevice(RARITAN, ["outlet.1"], steady(values)))
    available = (1, 3, 6, 1, 4, 1, 13742, 6, 5, 4, 3, 1, 2, 1, 1)
    assert await one((*available, 1), (*available, 4)) == [
        ((*available, 1), 2),
        ((*available, 4), 1),
    ]


async def test_rows_are_labelled_as_the_profile_looks_for_them(ask):
    values = {("", "return_temperature_c"): 31.5, ("", "supply_temperature_c"): 18.0}
    one = await ask(SnmpDevice(CRAC, [""], steady(values)))
    table = (1, 3, 6, 1, 4, 1, 476, 1, 42, 3, 4, 1, 3, 3, 1)
    varbinds = dict(await one((*table, 2), (*table, 50), repetitions=2))
    rows = {varbinds[*table, 2, row]: varbinds[*table, 50, row] for row in (1, 2)}
    label = (1, 3, 6, 1, 4, 1, 476, 1, 42, 3, 4, 1, 1)
    assert rows == {(*label, 2): 315, (*label, 3): 180}


async def test_temperatures_are_celsius_and_the_device_says_so(ask):
    one = await ask(SnmpDevice(GEIST, ["sensor.1"], steady(base=21.5)))
    unit, value = (
        (1, 3, 6, 1, 4, 1, 21239, 5, 2, 1, 7, 0),
        (1, 3, 6, 1, 4, 1, 21239, 5, 2, 4, 1, 5, 1),
    )
    assert await one(unit, value) == [(unit, 1), (value, 215)]


async def test_each_fault_does_what_it_says(ask):
    values = {}
    device = SnmpDevice(APC, ["", "phase.1", "phase.2"], steady(values))
    one = await ask(device)
    faults, column = device.faults, (1, 3, 6, 1, 4, 1, 318, 1, 1, 26, 6, 3, 1, 5)
    faults.hidden.add("phase.1")
    assert await one((*column, 1)) == [((*column, 1), Missing.NO_SUCH_INSTANCE)]
    assert (await one(column, repetitions=1))[0][0] == (*column, 2)
    faults.hidden.clear()
    faults.wrong_type.add(POWER)
    assert await one(POWER) == [(POWER, b"error")]
    faults.wrong_type.clear()
    faults.frozen = True
    before = await one(POWER)
    values["", "active_power_w"] = 5000.0
    assert await one(POWER) == before
    faults.frozen = False
    assert await one(POWER) == [(POWER, 500)]
    faults.largest_answer = 2
    with pytest.raises(AgentError, match="tooBig"):
        await one(POWER, ENERGY, UP_TIME)
    assert len(await one(POWER, ENERGY)) == 2
    faults.largest_answer = None
    faults.longest_bulk = 3
    assert len(await one(column, repetitions=8)) == 3
    faults.delay_s = 0.1
    started = time.monotonic()
    await one(POWER)
    assert time.monotonic() - started >= 0.1


async def test_one_engine_serves_many_addresses():
    async with SnmpAgents(SnmpCredential()) as agents:
        for n in range(1, 6):
            power = steady({("", "active_power_w"): n * 100.0})
            host, port = await agents.serve(SnmpDevice(APC, [""], power), f"127.1.3.{n}")
            session = PysnmpSession(Address(scheme="snmp", host=host, port=port), SnmpCredential())
            assert await session.ask(Request((POWER,))) == [(POWER, n * 10)]
            await session.close()


async def test_an_address_in_use_is_told():
    async with SnmpAgents(SnmpCredential()) as agents:
        host, port = await agents.serve(SnmpDevice(APC, [""], steady()), "127.1.2.3")
        with pytest.raises(OSError, match="in use"):
            await agents.serve(SnmpDevice(APC, [""], steady()), host, port)
