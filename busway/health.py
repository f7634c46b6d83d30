"""`/metrics`, `/healthz` and `/readyz` of every daemon, and asking them of another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from facility.errors import ConfigError

Health = Callable[[], Mapping[str, Any]]
"""Facts about a daemon; `ready` among them says whether it does its work now."""

ASK_SECONDS = 2.0


@asynccontextmanager
async def serve_health(address: str, health: Health) -> AsyncIterator[None]:
    """Serve a daemon's health at `host:port` while the block runs.

    Raises:
        ConfigError: the address is not `host:port`, or is taken.
    """
    host, port = parse_host_port(address)
    application = web.Application()

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response(dict(health()))

    async def readyz(_: web.Request) -> web.Response:
        facts = dict(health())
        return web.json_response(facts, status=200 if facts.get("ready") else 503)

    application.router.add_get("/metrics", metrics)
    application.router.add_get("/healthz", healthz)
    application.router.add_get("/readyz", readyz)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise ConfigError(
                f"--health {address}: {error.strerror}; choose a free address such as 127.0.0.1:0"
            ) from error
        yield
    finally:
        await runner.cleanup()


def parse_host_port(address: str) -> tuple[str, int]:
    """Split `host:port`.

    Raises:
        ConfigError: it is something else.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise ConfigError(f"expected HOST:PORT such as 127.0.0.1:9101, found {address!r}")
    return host.strip("[]"), int(port)


async def ask(url: str) -> dict[str, Any] | None:
    """The JSON that a health or truth endpoint answers; None while there is no usable answer."""
    timeout = aiohttp.ClientTimeout(total=ASK_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(url) as response,
        ):
            if response.status != web.HTTPOk.status_code:
                return None
            answer: dict[str, Any] = await response.json()
            return answer
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return None
