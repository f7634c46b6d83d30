"""A Modbus TCP server that answers every read of registers with zeros, and counts connections."""

from __future__ import annotations

import asyncio
import struct
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def meters(*hosts: str, port: int) -> AsyncIterator[Counter[str]]:
    """Serve at each host; gives how many connections each has been asked for."""
    connections: Counter[str] = Counter()
    talks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.current_task())
        connections[writer.get_extra_info("sockname")[0]] += 1
        try:
            while True:
                request = await reader.readexactly(12)
                count = struct.unpack(">H", request[10:])[0]
                head = struct.pack(">HBBB", 3 + 2 * count, request[6], request[7], 2 * count)
                writer.write(request[:4] + head + bytes(2 * count))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    servers = [await asyncio.start_server(talk, host, port) for host in hosts]
    try:
        yield connections
    finally:
        for server in servers:
            server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
