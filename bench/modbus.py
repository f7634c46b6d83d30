"""What the Modbus driver costs beside a bare pymodbus loop.

The devices are served by a process of their own, and several are read at the same time, as a
collector does. Figures are values per second of this process's own CPU time.
"""

from __future__ import annotations

import asyncio
import json
import struct
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator

from pymodbus.client import AsyncModbusTcpClient

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
from collectors.modbus.opening import open_modbus
from collectors.modbus.source import ModbusSource
from collectors.profile import Profile
from collectors.profile_library import load_profile
from facility.site import Device, Site
from simulator.modbus_device import ModbusDevice
from simulator.modbus_server import ModbusServer

REGISTERS = 100
AT_ONCE = 16
DEVICES = 1000
GOAL = Goal(0.7)
UNIT, BARE = "values/s/core", "bare pymodbus, 100 registers"
METER = load_profile("schneider-pm5000")
BLOCK = Profile.model_validate(
    {
        "name": "block",
        "maker": "bench",
        "model": "bench",
        "kind": "meter",
        "source": {"document": "100 registers in a row"},
        "modbus": {
            "points": [
                {"quantity": "voltage_v", "component": str(n), "address": n, "type": "uint16"}
                for n in range(REGISTERS)
            ]
        },
    }
)
Endpoint = tuple[str, int]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Once = Callable[[], Awaitable[float]]


async def serve() -> None:
    """Serve a block of registers and the meters, print where, and end when stdin does."""
    devices = [
        ModbusDevice(f"block-{n}", BLOCK, lambda *_: 230.0, f"127.1.255.{n + 1}")
        for n in range(AT_ONCE)
    ]
    devices += [
        ModbusDevice(f"meter-{n}", METER, shown, f"127.1.{n // 250}.{n % 250 + 1}")
        for n in range(DEVICES)
    ]
    async with ModbusServer(devices) as server:
        print(json.dumps([server.address(device.id) for device in devices]), flush=True)
        await asyncio.to_thread(sys.stdin.read)


def shown(_component: str, quantity: str) -> float:
    """What a meter has: within every quantity's range."""
    return 0.5 if quantity.endswith("_ratio") else 50.0


def source(address: Endpoint, profile: Profile) -> ModbusSource:
    """The driver of one device."""
    host, port = address
    url = f"modbus://{host}:{port}"
    device = Device(id="d", profile=profile.name, address=url, role="feeder_meter")
    return open_modbus(device, profile, Site(name="bench", devices=(device,)))


def polls_of(driver: ModbusSource) -> Once:
    """Whole polls: requests, decoding, quality."""

    async def once() -> float:
        poll = await driver.read()
        assert not poll.failures
        return len(poll.points)

    return once


def bare_reads(client: AsyncModbusTcpClient) -> Once:
    """The same block through pymodbus alone, registers left as they come."""

    async def once() -> float:
        answer = await client.read_holding_registers(0, count=REGISTERS, device_id=1)
        return len(answer.registers)

    return once


def stream_reads(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Once:
    """The same block over asyncio's streams, as lean as a framer of our own could be."""
    request = struct.pack(">HHHBBHH", 1, 0, 6, 1, 3, 0, REGISTERS)

    async def once() -> float:
        writer.write(request)
        header = await reader.readexactly(7)
        await reader.readexactly(struct.unpack_from(">H", header, 4)[0] - 1)
        return REGISTERS

    return once


def figures(scale: Scale) -> Iterator[Figure]:
    """Blocks of 100 registers, whole meters, and a thousand of them."""
    command = [sys.executable, "-m", "bench.modbus"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as devices:
        assert devices.stdin is not None
        assert devices.stdout is not None
        try:
            places = [tuple(place) for place in json.loads(devices.stdout.readline())]
            yield from _rates(places[:AT_ONCE], places[AT_ONCE:], scale)
            yield from _many(places[AT_ONCE:])
        finally:
            devices.stdin.close()


def _rates(blocks: list[Endpoint], meters: list[Endpoint], scale: Scale) -> Iterator[Figure]:
    seconds, rounds = scale.pick(4, 2) / 10, scale.pick(15, 9)
    clients = run_async(_connected(blocks))
    streams = run_async(_opened(blocks))
    drivers = [source(block, BLOCK) for block in blocks]
    metering = [source(meter, METER) for meter in meters[:AT_ONCE]]

    def beside(loops: list[Once]) -> Pair:
        return paired(
            per_cpu_second(together(loops, seconds=seconds)),
            per_cpu_second(together([bare_reads(c) for c in clients], seconds=seconds)),
            rounds=rounds,
        )

    driven = beside([polls_of(driver) for driver in drivers])
    yield driven.figure("driver, 100 registers", UNIT, BARE, GOAL)
    whole = beside([polls_of(driver) for driver in metering])
    yield whole.figure(f"driver, meter of {len(METER.points)} points", UNIT, BARE)
    lean = beside([stream_reads(*stream) for stream in streams])
    yield lean.figure("asyncio streams, not decoded", UNIT, BARE)
    for client in clients:
        client.close()
    for _, writer in streams:
        writer.close()
    run_async(_close([*drivers, *metering]))


def _many(meters: list[Endpoint]) -> Iterator[Figure]:
    """What a thousand connected meters take in memory, and each poll in CPU time."""
    before = resident_mb()
    drivers = [source(meter, METER) for meter in meters]
    run_async(_read_each(drivers))
    added, began = resident_mb() - before, time.process_time()
    run_async(_read_each(drivers))
    milliseconds = 1000 * (time.process_time() - began) / len(drivers)
    yield Figure(f"memory of {len(drivers)} meters' drivers", added, "MB")
    yield Figure(f"poll of a meter of {len(METER.points)} points", milliseconds, "ms of CPU")
    run_async(_close(drivers))


async def _connected(blocks: list[Endpoint]) -> list[AsyncModbusTcpClient]:
    clients = [AsyncModbusTcpClient(host, port=port) for host, port in blocks]
    for client in clients:
        await client.connect()
    return clients


async def _opened(
    blocks: list[Endpoint],
) -> list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    return [await asyncio.open_connection(*block) for block in blocks]


async def _read_each(drivers: list[ModbusSource]) -> None:
    for driver in drivers:
        await driver.read()


async def _close(drivers: list[ModbusSource]) -> None:
    for driver in drivers:
        await driver.close()


if __name__ == "__main__":
    asyncio.run(serve())
