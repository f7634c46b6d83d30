"""The driver over real sockets, against each thing that plant does wrong.

Numbers in brackets are the complaints of other tools' users that a test answers.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import numpy as np
import pytest
from counted import faults_of
from modbus_rig import (
    HOST,
    address_value,
    meter_value,
    one_device,
    raw_server,
    registers,
    source_at,
)

from collectors.profile_library import load_profile
from collectors.source import Source
from facility.errors import (
    DeviceError,
    DeviceGarbled,
    DeviceRefused,
    DeviceTimeout,
    DeviceUnreachable,
)
from facility.quality import Quality
from simulator.modbus_device import ModbusDevice
from simulator.modbus_faults import Fault, FaultKind
from simulator.modbus_server import ModbusServer


async def test_a_healthy_device_gives_every_point_good() -> None:
    async with one_device() as (_, make):
        source: Source = make()
        poll = await source.read()
        assert (poll.quality == Quality.GOOD).all()
        assert poll.failures == ()
        row = poll.points.quantities.index("energy_imported_wh")
        assert poll.value[row] == 5.0e9
        assert poll.points.sources[row] == "holding 3203-3206 int64"
        assert abs(poll.sampled_at_us / 1e6 - time.time()) < 5
        assert (await source.read()).points is poll.points


async def test_nothing_listens_there() -> None:
    source = source_at(HOST, 1, load_profile("schneider-pm5000"))
    with pytest.raises(DeviceUnreachable, match=r"127\.0\.0\.1:1: Connect"):
        await source.read()
    await source.close()
    await source.close()


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("silent"), DeviceTimeout),
        (Fault("slow", seconds=5), DeviceTimeout),
        (Fault("wrong_id"), DeviceGarbled),
        (Fault("garbage"), DeviceGarbled),
        (Fault("cut"), DeviceGarbled),
        (Fault("refuse", code=2), DeviceRefused),
        (Fault("refuse", code=4), DeviceRefused),
        (Fault("refuse", code=6), DeviceRefused),
        (Fault("refuse", code=11), DeviceRefused),
    ],
    ids=lambda value: f"{value.kind}-{value.code}" if isinstance(value, Fault) else value.kind,
)
async def test_each_fault_is_named_and_the_next_read_is_well(
    fault: Fault, error: type[DeviceError]
) -> None:
    async with one_device() as (server, make):
        source = make(timeout_s=0.4)
        server.set_fault("meter", fault)
        began = time.monotonic()
        with pytest.raises(error):
            await source.read()
        assert time.monotonic() - began < 2
        server.set_fault("meter", None)
        assert (await source.read()).failures == ()


async def test_a_late_answer_never_reaches_the_next_request() -> None:
    """[3] One transaction behind until restart."""
    async with one_device(registers(0), lambda *_: counter["now"]) as (server, make):
        counter = {"now": 1.0}
        source = make(timeout_s=0.2)
        server.set_fault("meter", Fault("slow", seconds=0.3))
        with pytest.raises(DeviceTimeout):
            await source.read()
        server.set_fault("meter", None)
        counter["now"] = 2.0
        await asyncio.sleep(0.2)  # the answer with 1 is on its way now
        assert (await source.read()).value.tolist() == [2.0]
        assert faults_of("meter") == {"timeout": 1}
    assert faults_of("meter") == {}, "a device that is let go leaves the page"


async def test_a_bad_register_is_left_out_and_the_rest_flows() -> None:
    """[4] A bad address crashes the agent."""

    def value(component: str, quantity: str) -> float | None:
        return None if component == "57" else float(component)

    async with one_device(registers(*range(100)), value) as (_, make):
        source = make()
        for _ in range(2):
            poll = await source.read()
            assert np.flatnonzero(poll.quality == Quality.BAD).tolist() == [57]
            assert np.isnan(poll.value[57])
            assert poll.value[58] == 58
            [failure] = poll.failures
            assert failure.row == 57
            assert failure.reason == "refused: exception 2 (illegal data address) for holding 57"


async def test_half_the_points_missing_leaves_the_other_half_good() -> None:
    async with one_device() as (server, make):
        server.set_fault("meter", Fault("half_missing"))
        poll = await make().read()
        assert (poll.quality[1::2] == Quality.BAD).all()
        assert (poll.quality[0::2] == Quality.GOOD).all()


async def test_a_device_that_breaks_down_between_two_blocks_gives_the_first() -> None:
    answered: list[bytes] = []

    def answer(request: bytes) -> bytes:
        answered.append(request)
        if len(answered) > 1:
            return b""
        return request[:4] + bytes((0, 5)) + request[6:8] + bytes((2, 0, 7))

    async with raw_server(answer) as port:
        source = source_at(HOST, port, registers(0, 50), timeout_s=0.3)
        poll = await source.read()
        assert poll.value[0] == 7
        assert poll.quality.tolist() == [Quality.GOOD, Quality.BAD]
        assert poll.failures[0].reason.startswith("timeout: ")
        await source.close()


async def test_cancellation_in_the_middle_of_a_read_leaves_the_source_usable() -> None:
    async with one_device() as (server, make):
        source = make()
        server.set_fault("meter", Fault("slow", seconds=0.2))
        reading = asyncio.create_task(source.read())
        await asyncio.sleep(0.05)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        server.set_fault("meter", None)
        assert (await source.read()).failures == ()


async def test_an_idle_connection_that_the_device_closed_is_opened_anew() -> None:
    connections = 0

    async def answer(request: bytes) -> bytes | None:
        nonlocal connections
        if request[1] > 1:  # the second request of a connection finds it closed
            return None
        connections += 1
        return request[:4] + bytes((0, 5)) + request[6:8] + bytes((2, 0, 7))

    async with raw_server(answer) as port:
        source = source_at(HOST, port, registers(0))
        for _ in range(3):
            assert (await source.read()).value.tolist() == [7]
        assert connections == 3
        await source.close()


async def test_a_dead_unit_behind_a_gateway_harms_no_other() -> None:
    """[1] One dead slave discarded every slave's data."""
    units = range(1, 9)
    of = load_profile("schneider-pm5000")
    devices = [ModbusDevice(f"unit-{u}", of, meter_value, HOST, unit=u) for u in units]
    async with ModbusServer(devices) as server:
        host, port = server.address("unit-1")
        sources = [
            source_at(host, port, of, unit=u, device=f"unit-{u}", timeout_s=0.5) for u in units
        ]
        server.set_fault("unit-3", Fault("silent"))
        outcomes = []
        for _ in range(3):
            polls = await asyncio.gather(
                *(asyncio.wait_for(s.read(), 0.5) for s in sources), return_exceptions=True
            )
            outcomes.append([not isinstance(poll, BaseException) for poll in polls])
        assert outcomes == [[unit != 3 for unit in units]] * 3
        server.set_fault("unit-3", None)
        with pytest.raises(DeviceTimeout, match="unit 3 stays silent; asked again in"):
            await sources[2].read()
        async with asyncio.timeout(10):
            while True:
                with suppress(DeviceTimeout):
                    await sources[2].read()
                    break
                await asyncio.sleep(0.1)
        for source in sources:
            await source.close()


async def test_a_silent_unit_gets_a_tenth_of_the_line() -> None:
    of = registers(0)
    devices = [ModbusDevice(f"unit-{u}", of, address_value, HOST, unit=u) for u in (1, 2)]
    async with ModbusServer(devices) as server:
        host, port = server.address("unit-1")
        alive, dead = (
            source_at(host, port, of, unit=u, device=f"unit-{u}", timeout_s=0.2) for u in (1, 2)
        )
        server.set_fault("unit-2", Fault("silent"))
        await alive.read()
        began, waited = time.monotonic(), 0.0
        while time.monotonic() - began < 1.5:
            before = time.monotonic()
            with pytest.raises(DeviceTimeout):
                await dead.read()
            waited += time.monotonic() - before
            await alive.read()
            await asyncio.sleep(0.01)
        assert waited < 0.35
        await alive.close()
        await dead.close()


async def test_a_unit_that_is_not_there_is_the_gateway_s_word() -> None:
    async with one_device() as (_, make):
        with pytest.raises(DeviceRefused, match="exception 11"):
            await make(unit=9).read()


async def test_requests_keep_the_gap_and_take_turns() -> None:
    """[6] Gateways answer exception 11 when polled too fast; devices need idle gaps."""
    asked: list[float] = []
    busy = 0

    async def answer(request: bytes) -> bytes:
        nonlocal busy
        busy += 1
        asked.append(time.monotonic())
        assert busy == 1, "two requests at once"
        await asyncio.sleep(0.01)
        busy -= 1
        return request[:4] + bytes((0, 5)) + request[6:8] + bytes((2, 0, 7))

    of = registers(0, 50, limits={"gap_milliseconds": 20})
    async with raw_server(answer) as port:
        sources = [source_at(HOST, port, of, unit=u, device=f"unit-{u}") for u in (1, 2, 3)]
        await asyncio.gather(*(source.read() for source in sources))
        gaps = np.diff(asked)
        assert len(asked) == 6
        assert (gaps >= 0.029).all(), gaps
        for source in sources:
            await source.close()


async def test_closing_one_device_leaves_the_line_to_the_others() -> None:
    of = registers(0)
    devices = [ModbusDevice(f"unit-{u}", of, address_value, HOST, unit=u) for u in (1, 2)]
    async with ModbusServer(devices) as server:
        host, port = server.address("unit-1")
        first, second = (source_at(host, port, of, unit=u, device=f"unit-{u}") for u in (1, 2))
        await first.read()
        await second.read()
        await first.close()
        await first.close()
        await second.read()
        await second.close()


@pytest.mark.parametrize("kind", ["frozen", "word_swapped"])
async def test_faults_of_the_values_reach_the_reader(kind: FaultKind) -> None:
    ticks = iter(range(1000, 2000))

    def value(component: str, quantity: str) -> float:
        return float(next(ticks))

    async with one_device(value=value) as (server, make):
        source = make()
        healthy = await source.read()
        server.set_fault("meter", Fault(kind))
        first, second = await source.read(), await source.read()
        if kind == "frozen":
            np.testing.assert_array_equal(first.value, second.value)
        else:
            assert not np.isclose(first.value, healthy.value, rtol=0.5).any()
