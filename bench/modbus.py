"""What the Modbus driver costs beside a bare pymodbus loop: `python -m bench.modbus`.

The devices are served by a process of their own, and several are read at the same time, as a
collector does. Figures are values per second of this process's own CPU time, medians of rounds in
turn, so that they hold on a busy machine, too.
"""

from __future__ import annotations

import asyncio
import json
import struct
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

from pymodbus.client import AsyncModbusTcpClient

from collectors.modbus.opening import open_modbus
from collectors.modbus.source import ModbusSource
from collectors.profile import Profile
from collectors.profile_library import load_profile
from facility.site import Device, Site
from simulator.modbus_device import ModbusDevice
from simulator.modbus_server import ModbusServer

REGISTERS = 100
ROUNDS, ROUND_SECONDS = 5, 1.0
AT_ONCE = 16
DEVICES = 1000
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
Once = Callable[[], Awaitable[int]]


async def serve() -> None:
    """Serve a block of registers and the meters, print where, and end when stdin does."""
    devices = [
        ModbusDevice(f"block-{n}", BLOCK, lambda *_: 230.0, f"127.1.255.{n + 1}")
        for n in range(AT_ONCE)
    ]
    devices += [
        ModbusDevice(f"meter-{n}", METER, lambda *_: 50.0, f"127.1.{n // 250}.{n % 250 + 1}")
        for n in range(DEVICES)
    ]
    async with ModbusServer(devices) as server:
        print(json.dumps([server.address(device.id) for device in devices]), flush=True)
        await asyncio.to_thread(sys.stdin.read)


def source(address: Endpoint, profile: Profile) -> ModbusSource:
    """The driver of one device."""
    host, port = address
    url = f"modbus://{host}:{port}"
    device = Device(id="d", profile=profile.name, address=url, role="feeder_meter")
    return open_modbus(device, profile, Site(name="bench", devices=(device,)))


def polls_of(driver: ModbusSource) -> Once:
    """Whole polls: requests, decoding, quality."""

    async def once() -> int:
        poll = await driver.read()
        assert not poll.failures
        return len(poll.points)

    return once


def bare_reads(client: AsyncModbusTcpClient) -> Once:
    """The same block through pymodbus alone, registers left as they come."""

    async def once() -> int:
        answer = await client.read_holding_registers(0, count=REGISTERS, device_id=1)
        return len(answer.registers)

    return once


def stream_reads(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Once:
    """The same block over asyncio's streams, as lean as a framer of our own could be."""
    request = struct.pack(">HHHBBHH", 1, 0, 6, 1, 3, 0, REGISTERS)

    async def once() -> int:
        writer.write(request)
        header = await reader.readexactly(7)
        await reader.readexactly(struct.unpack_from(">H", header, 4)[0] - 1)
        return REGISTERS

    return once


async def rates(candidates: dict[str, list[Once]]) -> dict[str, float]:
    """Median values per second of CPU time; candidates in turn, a candidate's loops together."""
    found: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(ROUNDS):
        for name, loops in candidates.items():
            began = time.process_time()
            until = time.monotonic() + ROUND_SECONDS
            values = await asyncio.gather(*(repeat(once, until) for once in loops))
            found[name].append(sum(values) / (time.process_time() - began))
    return {name: median(figures) for name, figures in found.items()}


async def repeat(once: Once, until: float) -> int:
    """Values read until then."""
    values = 0
    while time.monotonic() < until:
        values += await once()
    return values


async def measure(blocks: list[Endpoint], meters: list[Endpoint]) -> None:
    """Print the table."""
    clients = [AsyncModbusTcpClient(host, port=port) for host, port in blocks]
    for client in clients:
        await client.connect()
    streams = [await asyncio.open_connection(*block) for block in blocks]
    block_drivers = [source(block, BLOCK) for block in blocks]
    meter_drivers = [source(meter, METER) for meter in meters[:AT_ONCE]]
    found = await rates(
        {
            "bare pymodbus, 100 registers": [bare_reads(client) for client in clients],
            "driver, 100 registers": [polls_of(driver) for driver in block_drivers],
            "driver, meter of 36 points": [polls_of(driver) for driver in meter_drivers],
            "asyncio streams, not decoded": [stream_reads(*stream) for stream in streams],
        }
    )
    bare = found["bare pymodbus, 100 registers"]
    for name, figure in found.items():
        print(f"{name:<32}{figure:>10,.0f} values/s/core   {figure / bare:5.2f} of bare pymodbus")
    for client in clients:
        client.close()
    for _, writer in streams:
        writer.close()
    for driver in (*block_drivers, *meter_drivers):
        await driver.close()
    await measure_many(meters)


async def measure_many(meters: list[Endpoint]) -> None:
    """What a thousand connected meters take in memory, and each poll in CPU time."""
    before = resident_mb()
    drivers = [source(meter, METER) for meter in meters]
    for driver in drivers:
        await driver.read()
    added, began = resident_mb() - before, time.process_time()
    for driver in drivers:
        await driver.read()
    milliseconds = 1000 * (time.process_time() - began) / len(drivers)
    print(f"{len(drivers)} meters of {len(METER.points)} points add {added:.0f} MB; ", end="")
    print(f"a poll takes {milliseconds:.2f} ms of CPU")
    for driver in drivers:
        await driver.close()


def resident_mb() -> float:
    """This process's resident memory."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * 4096 / 1e6


def main() -> None:
    """Run the devices and the measurement."""
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(serve())
        return
    command = [sys.executable, "-m", "bench.modbus", "serve"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as devices:
        assert devices.stdin is not None
        assert devices.stdout is not None
        try:
            places = [tuple(place) for place in json.loads(devices.stdout.readline())]
            asyncio.run(measure(places[:AT_ONCE], places[AT_ONCE:]))
        finally:
            devices.stdin.close()


if __name__ == "__main__":
    main()
