"""`/metrics`, `/healthz` and `/readyz` of every daemon, what else one answers, and asking it."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_address
from typing import Any

import aiohttp
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from facility.errors import BuswayError, ConfigError, DaemonUnreachable, QueryError

Health = Callable[[], Mapping[str, Any]]
"""Facts about a daemon; `ready` among them says whether it does its work now."""

Answer = Callable[[Mapping[str, str], Mapping[str, Any]], Awaitable[object]]
"""Of the names in a path and the JSON object that was sent, what is answered, as JSON."""

ASK_SECONDS = 2.0
TELL_SECONDS = 30.0
JSON = "application/json"
WHO_MAY = (
    "this needs the engine's token: give --token-file, or BUSWAY_ALERTS_TOKEN. The site file names"
    " it under alerts.token; without one, commands are taken on a loopback --health address alone"
)


@asynccontextmanager
async def serve_health(
    address: str,
    health: Health,
    answers: Mapping[tuple[str, str], Answer] | None = None,
    *,
    token: str = "",
) -> AsyncIterator[None]:
    """Serve a daemon's health at `host:port` while the block runs, and what else it answers.

    `answers` are by method and path (`GET /alerts`, `POST /alerts/{alert}/ack`). An error of ours
    is answered with status 400 and `{"error": ...}`. What is posted must be declared as JSON, which
    no page in somebody's browser can do without being asked first. Where there is a `token`, these
    answers are only for who bears it; without one, only for this machine: on an address that others
    reach, all of them are refused (401). Health and metrics are for everybody.

    Raises:
        ConfigError: the address is not `host:port`, or is taken.
    """
    host, port = parse_host_port(address)
    is_open = not token and _is_loopback(host)

    def may_ask(request: web.Request) -> bool:
        return is_open or _bears(token, request.headers.get("Authorization", ""))

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
    for (method, path), answer in (answers or {}).items():
        application.router.add_route(method, path, _handler(answer, may_ask))
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


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


def _bears(token: str, header: str) -> bool:
    """Compare in a time that tells nothing of how much is right; an empty token lets nobody in."""
    scheme, _, given = header.partition(" ")
    fits = hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), token.encode())
    return bool(token) and scheme.lower() == "bearer" and fits


def _handler(
    answer: Answer, may_ask: Callable[[web.Request], bool]
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        if not may_ask(request):
            return _error(WHO_MAY, web.HTTPUnauthorized.status_code)
        said: object = {}
        if request.method == "POST":
            if request.content_type != JSON:
                return _error("send JSON, and say so", web.HTTPUnsupportedMediaType.status_code)
            try:
                said = await request.json()
            except ValueError as error:
                return _error(f"what was sent is no JSON: {error}")
        if not isinstance(said, dict):
            return _error("expected a JSON object")
        try:
            return web.json_response(await answer(request.match_info, said))
        except BuswayError as error:
            return _error(str(error))

    return handle


def _error(text: str, status: int = web.HTTPBadRequest.status_code) -> web.Response:
    is_refused = status == web.HTTPUnauthorized.status_code
    headers = {"WWW-Authenticate": "Bearer"} if is_refused else None
    return web.json_response({"error": text}, status=status, headers=headers)


async def tell(
    address: str,
    method: str,
    path: str,
    said: Mapping[str, Any] | None = None,
    *,
    token: str = "",
) -> Any:
    """Ask a daemon, or tell it something, and give what it answers.

    Raises:
        DaemonUnreachable: it does not answer.
        QueryError: it answers that it cannot do that; in its words.
        ConfigError: the address is not `host:port`.
    """
    parse_host_port(address)
    timeout = aiohttp.ClientTimeout(total=TELL_SECONDS)
    headers = {"Authorization": f"Bearer {token}"} if token else None
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
            session.request(method, f"http://{address}{path}", json=said) as response,
        ):
            answer = await response.json()
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise DaemonUnreachable(
            f"nobody answers at {address} as expected ({error or type(error).__name__}); start "
            "busway alert run, or name its --health address"
        ) from error
    if response.status != web.HTTPOk.status_code:
        raise QueryError(str(answer.get("error", answer)))
    return answer
