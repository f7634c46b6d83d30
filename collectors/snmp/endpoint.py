"""Where an agent is on the network, and the socket to reach it through."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from facility.address import Address
from facility.errors import DeviceUnreachable

Endpoint = tuple[str, int]
"""Numeric address and port."""

RECEIVE_BUFFER_BYTES = 4 << 20
"""Many agents answer at once, into one socket."""


async def resolve(address: Address) -> tuple[socket.AddressFamily, Endpoint]:
    """Name to address; finds out, too, whether there is a route at all.

    Raises:
        DeviceUnreachable: the name is unknown, or no route leads there.
    """
    try:
        found = await _found(address)
        family, _, _, _, place = found[0]
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(place)
    except OSError as error:
        raise DeviceUnreachable(f"{address}: {error.strerror or error}") from error
    return family, (str(place[0]), int(place[1]))


async def _found(address: Address) -> list[tuple[Any, ...]]:
    """What stands in the name service; a numeric address needs none, and no thread to wait for."""
    try:
        return socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
        )
    except socket.gaierror:
        loop = asyncio.get_running_loop()
        return await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_DGRAM)


def bound_socket(family: socket.AddressFamily) -> socket.socket:
    """A UDP socket on a port of the system's choice, roomy enough for many agents' answers."""
    bound = socket.socket(family, socket.SOCK_DGRAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    bound.setblocking(False)
    bound.bind(("", 0))
    return bound
