"""Exporters' HTTP for many devices, each on an address of its own."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Protocol, Self

from aiohttp import web

from simulator.exporter_faults import ExporterFaults

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
LONGEST_STALL_S = 3600.0
ENDLESS_BYTES = 256_000_000
"""Even an answer without end stops, should nobody hang up."""
Place = tuple[str, int]


class Printing(Protocol):
    """A device behind an exporter."""

    @property
    def faults(self) -> ExporterFaults:
        """What is wrong with its answers."""

    def text(self) -> bytes:
        """What is printed now."""


class DcgmExporters:
    """Exporters of one process.

    Args:
        authorization: the header every request must carry; empty: any may ask.
        tls: serve HTTPS with this context.
    """

    def __init__(self, *, authorization: str = "", tls: ssl.SSLContext | None = None) -> None:
        self._nodes: dict[Place, Printing] = {}
        self._authorization, self._tls = authorization, tls
        self._runner: web.ServerRunner | None = None

    async def __aenter__(self) -> Self:
        server = web.Server(self._answer, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=1.0)
        await self._runner.setup()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def serve(self, node: Printing, host: str, port: int = 0) -> Place:
        """Answer for a node at this address; port 0 picks a free one. Gives host and port.

        Raises:
            OSError: the address cannot be bound.
        """
        assert self._runner is not None
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((host, port))
        except OSError:
            bound.close()
            raise
        place: Place = bound.getsockname()
        self._nodes[place] = node
        await web.SockSite(self._runner, bound, ssl_context=self._tls).start()
        return place

    async def close(self) -> None:
        """Stop them all. Safe twice."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        node = self._nodes[request.transport.get_extra_info("sockname")[:2]]
        faults = node.faults
        if self._authorization and request.headers.get("Authorization") != self._authorization:
            return web.Response(status=401)
        if request.path != "/metrics":
            return web.Response(status=404)
        if faults.stalled:
            await asyncio.sleep(LONGEST_STALL_S)
        if faults.truncated:
            return await _half(request, node.text())
        if faults.endless:
            return await _endless(request, node.text())
        headers = {"Content-Type": CONTENT_TYPE}
        return web.Response(body=node.text(), status=faults.status, headers=headers)


async def _half(request: web.BaseRequest, text: bytes) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": str(len(text))})
    await response.prepare(request)
    await response.write(text[: len(text) // 2])
    assert request.transport is not None
    request.transport.close()
    return response


async def _endless(request: web.BaseRequest, text: bytes) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(ENDLESS_BYTES // max(len(text), 1)):
        await response.write(text)
    return response
