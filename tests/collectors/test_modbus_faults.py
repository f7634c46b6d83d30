"""The driver over real sockets, against each thing that plant does wrong.

Numbers in brackets are the complaints of other tools' users that a test answers.
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest
from counted import faults_of
from modbus_rig import (
    HOST,
    address_value,
    meter_value,
    one_device,
    profile,
    raw_server,
    registers,
    source_at,
)

from collectors.modbus.refusals import FIRST_RETRY_S
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


async def test_an_answer_to_another_request_ends_the_connection_and_the_next_one_is_read() -> None:
    """[3] Transaction ids that do not match leave the client out of step for good."""
    connections: set[int] = set()

    async with one_device(registers(0), lambda *_: 7.0) as (server, make):
        source = make()
        for wrong in (False, True, False, True, True, False):
            server.set_fault("meter", Fault("wrong_id") if wrong else None)
            if wrong:
                with pytest.raises(DeviceGarbled, match="answer to request"):
                    await source.read()
            else:
                assert (await source.read()).value.tolist() == [7.0]
                connections.add(id(source._gateway._transport._link))
        assert faults_of("meter") == {"garbled": 3}
    assert len(connections) == 3


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


async def test_a_register_that_recovers_is_asked_again_and_flows_again() -> None:
    """[4] A bad address must not be lost for ever, either: firmware starts up, modules come."""
    now, broken = 0.0, {"57"}

    def value(component: str, quantity: str) -> float | None:
        return None if component in broken else float(component)

    async with one_device(registers(*range(100)), value) as (_, make):
        source = make(clock=lambda: now)
        assert (await source.read()).quality[57] == Quality.BAD
        asked = faults_of("meter")["exception 2"]
        assert (await source.read()).quality[57] == Quality.BAD
        assert faults_of("meter")["exception 2"] == asked, "not asked again at once"
        broken.clear()
        now += FIRST_RETRY_S
        poll = await source.read()
        assert (poll.quality == Quality.GOOD).all()
        assert poll.failures == ()


async def test_a_device_that_refuses_long_reads_is_read_in_shorter_ones() -> None:
    """[4] Devices that refuse 125 registers in one read."""
    asked: list[int] = []

    def answer(request: bytes) -> bytes:
        address, count = struct.unpack(">HH", request[8:12])
        asked.append(count)
        if count > 50:
            return request[:4] + bytes((0, 3)) + request[6:7] + bytes((0x83, 3))
        head = struct.pack(">HBBB", 3 + 2 * count, request[6], 3, 2 * count)
        return request[:4] + head + struct.pack(f">{count}H", *range(address, address + count))

    async with raw_server(answer) as port:
        source = source_at(HOST, port, registers(*range(125)))
        for _ in range(6):
            assert (await source.read()).value.tolist() == list(range(125))
        asked.clear()
        await source.read()
        assert max(asked) <= 50
        assert len(asked) <= 4
        await source.close()


async def test_34_floats_cost_one_request_and_not_34() -> None:
    """[5] One register per request is unusable on slow buses."""
    requests = 0

    def answer(request: bytes) -> bytes:
        nonlocal requests
        requests += 1
        count = struct.unpack(">H", request[10:12])[0]
        head = struct.pack(">HBBB", 3 + 2 * count, request[6], 3, 2 * count)
        return request[:4] + head + bytes(2 * count)

    of = profile(
        *(
            {"quantity": "current_a", "component": str(n), "address": 2 * n, "type": "float32"}
            for n in range(34)
        )
    )
    async with raw_server(answer) as port:
        source = source_at(HOST, port, of)
        assert (await source.read()).quality.tolist() == [Quality.GOOD] * 34
        assert requests == 1
        await source.close()


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


async def test_a_busy_unit_is_asked_again_alone() -> None:
    """[1] One busy slave re-read all. [6] Exception 6 is a matter of that unit."""
    of = registers(0)
    units = (1, 2, 3)
    asked = dict.fromkeys(map(str, units), 0)

    def counting(unit: int) -> Callable[[str, str], float]:
        def value(component: str, quantity: str) -> float:
            asked[str(unit)] += 1
            return 7.0

        return value

    devices = [ModbusDevice(f"unit-{u}", of, counting(u), HOST, unit=u) for u in units]
    async with ModbusServer(devices) as server:
        host, port = server.address("unit-1")
        sources = [source_at(host, port, of, unit=u, device=f"unit-{u}") for u in units]
        server.set_fault("unit-2", Fault("refuse", code=6))
        for _ in range(4):
            polls = await asyncio.gather(*(s.read() for s in sources), return_exceptions=True)
            assert [isinstance(poll, DeviceRefused) for poll in polls] == [False, True, False]
        assert asked == {"1": 4, "2": 0, "3": 4}
        assert faults_of("unit-2") == {"exception 6": 4}
        server.set_fault("unit-2", None)
        assert (await sources[1].read()).value.tolist() == [7.0]
        for source in sources:
            await source.close()


@pytest.mark.parametrize(("gap_ms", "all_read"), [(25, True), (0, False)])
async def test_a_gateway_that_cannot_be_hurried_is_given_the_gap_of_the_profile(
    gap_ms: float, all_read: bool
) -> None:
    """[6] Gateways answer exception 11 when polled too fast."""
    ended = 0.0

    async def answer(request: bytes) -> bytes:
        nonlocal ended
        hurried = time.monotonic() - ended < 0.02
        await asyncio.sleep(0.002)
        ended = time.monotonic()
        if hurried:
            return request[:4] + bytes((0, 3)) + request[6:7] + bytes((0x83, 11))
        return request[:4] + bytes((0, 5)) + request[6:8] + bytes((2, 0, 7))

    of = registers(0, 50, limits={"gap_milliseconds": gap_ms})
    async with raw_server(answer) as port:
        sources = [source_at(HOST, port, of, unit=u, device=f"unit-{u}") for u in (1, 2, 3)]
        polls = await asyncio.gather(*(s.read() for s in sources), return_exceptions=True)
        whole = [not isinstance(poll, BaseException) and not poll.failures for poll in polls]
        assert all(whole) is all_read
        for source in sources:
            await source.close()


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
