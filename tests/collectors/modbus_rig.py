"""Sources in front of simulated Modbus devices, for the contract tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from collectors.modbus.opening import open_modbus
from collectors.modbus.source import ModbusSource
from collectors.profile import Profile
from collectors.profile_library import load_profile
from facility.site import Device, Site
from simulator.modbus_device import ModbusDevice
from simulator.modbus_server import ModbusServer

HOST = "127.0.0.1"


def meter_value(component: str, quantity: str) -> float | None:
    """What every simulated meter of these tests shows."""
    values = {
        "active_power_w": 1000.0,
        "voltage_v": 230.0,
        "frequency_hz": 50.0,
        "energy_imported_wh": 5.0e9,
    }
    return values.get(quantity, 0.5)


def profile(*points: dict[str, object], **section: object) -> Profile:
    """A profile of registers named by their address."""
    return Profile.model_validate(
        {
            "name": "test",
            "maker": "test",
            "model": "test",
            "kind": "meter",
            "source": {"document": "none"},
            "modbus": {"points": points} | section,
        }
    )


def registers(*addresses: int, **section: object) -> Profile:
    """A profile of uint16 registers, each a component named by its address."""
    points = [
        {"quantity": "voltage_v", "component": str(a), "address": a, "type": "uint16"}
        for a in addresses
    ]
    return profile(*points, **section)


def address_value(component: str, quantity: str) -> float | None:
    """Each register of `registers` holds its own address."""
    return float(component)


def source_at(
    host: str,
    port: int,
    of: Profile,
    *,
    unit: int = 1,
    timeout_s: float = 1.0,
    device: str = "meter",
    scheme: str = "modbus",
    site: Site | None = None,
    credential: str | None = None,
    clock: Callable[[], float] | None = None,
) -> ModbusSource:
    """A source as the collector opens it."""
    entry = Device.model_validate(
        {
            "id": device,
            "profile": of.name,
            "address": f"{scheme}://{host}:{port}?unit={unit}",
            "role": "feeder_meter",
            "timeout_seconds": timeout_s,
            "interval_seconds": 10,
            "credential": credential,
        }
    )
    source = open_modbus(entry, of, site or Site(name="test", devices=(entry,)))
    if clock is not None:
        source._reading._clock = clock
    return source


@asynccontextmanager
async def one_device(
    of: Profile | None = None, value: Callable[[str, str], float | None] = meter_value
) -> AsyncIterator[tuple[ModbusServer, Callable[..., ModbusSource]]]:
    """A server with the device `meter`, and a way to make sources for it."""
    of = of or load_profile("schneider-pm5000")
    async with ModbusServer([ModbusDevice("meter", of, value, HOST)]) as server:
        host, port = server.address("meter")
        sources: list[ModbusSource] = []

        def make(**options: object) -> ModbusSource:
            sources.append(source_at(host, port, of, **options))  # type: ignore[arg-type]
            return sources[-1]

        yield server, make
        for source in sources:
            await source.close()


Answer = Callable[[bytes], bytes | None]
"""From a request to what is sent back; None closes the connection."""


@asynccontextmanager
async def raw_server(
    answer: Answer | Callable[[bytes], Awaitable[bytes | None]],
) -> AsyncIterator[int]:
    """A TCP server that answers every request with any bytes at all; gives its port."""
    conversations: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversations.add(asyncio.current_task())  # type: ignore[arg-type]
        try:
            while head := await reader.readexactly(6):
                request = head + await reader.readexactly(int.from_bytes(head[4:]))
                reply = answer(request)
                if asyncio.iscoroutine(reply):
                    reply = await reply
                if reply is None:
                    break
                writer.write(reply)  # type: ignore[arg-type]
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except asyncio.CancelledError:
            writer.transport.abort()  # with what the other end never read
        finally:
            writer.close()

    server = await asyncio.start_server(serve, HOST, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.sleep(0.01)  # conversations that were just accepted begin
        for conversation in conversations:
            conversation.cancel()
        await asyncio.gather(*conversations, return_exceptions=True)
        await server.wait_closed()
