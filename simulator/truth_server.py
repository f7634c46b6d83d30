"""The plant's true energies over HTTP: `GET /truth?from=ISO&to=ISO`, `GET /healthz`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from facility.errors import ConfigError
from simulator.plant import Plant
from simulator.truth import Truth

Now = Callable[[], Plant]
"""Gives the plant, advanced to the present."""

Address = tuple[str, int]
"""Host and port."""

CATEGORIES = (1, 2, 3)


@asynccontextmanager
async def serve_truth(address: Address, now: Now) -> AsyncIterator[Address]:
    """Serve while the block runs; gives host and port, the port picked where it was 0.

    Raises:
        ConfigError: the address cannot be bound.
    """
    application = web.Application()
    application.router.add_get("/truth", _truth_handler(now))
    application.router.add_get("/healthz", _health_handler(now))
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, *address).start()
        except OSError as error:
            raise ConfigError(f"--truth {address[0]}:{address[1]}: {error.strerror}") from error
        yield runner.addresses[0][:2]
    finally:
        await runner.cleanup()


def _truth_handler(now: Now) -> Callable[[web.Request], Any]:
    async def truth(request: web.Request) -> web.Response:
        try:
            begin, end = (_moment(request.query.get(name), name) for name in ("from", "to"))
            if end <= begin:
                raise ValueError("to= must be later than from=")  # noqa: TRY301 - answered alike
            plant = now()
            window = plant.truth(end) - plant.truth(begin)
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response(_report(window, begin, end, plant.gpu_count))

    return truth


def _health_handler(now: Now) -> Callable[[web.Request], Any]:
    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"ready": True, "plant_at": _iso(now().clock.now)})

    return healthz


def _report(window: Truth, begin: float, end: float, gpus: int) -> dict[str, Any]:
    return {
        "from": _iso(begin),
        "to": _iso(end),
        "e_dc_wh": window.utility_wh,
        "e_it_wh": {str(category): window.it_wh(category) for category in CATEGORIES},
        "pue": {str(category): window.pue(category) for category in CATEGORIES},
        "cooling_wh": window.cooling_wh,
        "gpu_count": gpus,
        "tensor_active_energy_share": window.tensor_share,
        "parts": asdict(window),
    }


def _moment(text: str | None, name: str) -> float:
    """Read an ISO 8601 time with its offset, as Unix time."""
    if not text:
        raise ValueError(f"{name}= is missing; give a time such as 2026-01-31T08:00:00Z")
    try:  # an unescaped "+" of an offset arrives as a space
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise ValueError(
            f"{name}={text} is no ISO 8601 time such as 2026-01-31T08:00:00Z"
        ) from None
    if moment.tzinfo is None:
        raise ValueError(f"{name}={text} lacks its offset; write Z for UTC")
    return moment.timestamp()


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")
