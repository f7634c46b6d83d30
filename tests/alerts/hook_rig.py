"""Transitions, sites with hooks, and a receiver that does as it is told, for tests of hooks."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alerts.history import Told
from alerts.telling import Telling
from facility.alert import State, Transition, alert_id
from facility.alert_settings import Alerts
from facility.site import Device, Kafka, Place, Site

OK, HANG, CUT = "ok", "hang", "cut"
T0 = datetime(2026, 11, 3, 12, tzinfo=UTC)  # a Tuesday


@dataclass
class Request:
    at: float
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)

    @property
    def delivery(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """A web server on a port of its own; `behaviour` gives what to do with each request."""

    behaviour: list[Any] = field(default_factory=list)
    always: Any = OK
    requests: list[Request] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await _head(reader):
                body = await reader.readexactly(int(head.get("content-length", 0)))
                self.requests.append(Request(time.time(), head, body))
                wanted = self.behaviour.pop(0) if self.behaviour else self.always
                if wanted == HANG:
                    await reader.read()  # until the other side gives up
                    return
                if wanted == CUT:
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
                    return
                status, extra = wanted if isinstance(wanted, tuple) else (wanted, "")
                status = 200 if status == OK else status
                writer.write(
                    f"HTTP/1.1 {status} X\r\nContent-Length: 2\r\n{extra}\r\n{{}}".encode()
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def _head(reader: asyncio.StreamReader) -> dict[str, str]:
    text = (await reader.readuntil(b"\r\n\r\n")).decode()
    lines = text.split("\r\n")
    parted = (line.partition(":") for line in lines[1:] if line)
    return {name.lower(): value.strip() for name, _, value in parted} | {"request": lines[0]}


@asynccontextmanager
async def receiver(*behaviour: Any, always: Any = OK) -> AsyncIterator[Receiver]:
    made = Receiver(list(behaviour), always)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await server.wait_closed()


def site(hooks: dict[str, Any], **alerts: Any) -> Site:
    devices = tuple(
        Device(
            id=f"d-{number}",
            profile="p",
            address="modbus://127.0.0.1:5020?unit=1",
            role="rack_pdu",
            place=Place(hall=f"h-{number % 2}", row="r-1"),
        )
        for number in range(4)
    )
    return Site(
        name="s",
        devices=devices,
        alerts=Alerts.model_validate({"hooks": hooks, **alerts}),
    )


def webhook(url: str, **changes: Any) -> dict[str, Any]:
    return {"kind": "webhook", "url": url, "timeout_seconds": 0.5, **changes}


def route(*hooks: str, **changes: Any) -> dict[str, Any]:
    return {"hooks": hooks, "group_wait_seconds": 0, "group_interval_seconds": 0, **changes}


def change(
    device: str = "d-0",
    state: State = State.FIRING,
    *,
    number: int = 1,
    previous: State = State.NORMAL,
    **changes: Any,
) -> Transition:
    rule = changes.get("rule", "hot")
    now = datetime.now(UTC)
    given: dict[str, Any] = {
        "happened_at": now,
        "decided_at": now,
        "alert": alert_id(rule, device, changes.get("component", "")),
        "number": number,
        "rule": rule,
        "device": device,
        "component": "",
        "quantity": "inlet_temperature_c",
        "priority": 2,
        "class_": "cooling",
        "state": state,
        "previous": previous,
        "value": 31.5,
        "threshold": 30.0,
        "message": f"{device} is hot",
        "response": "Look at the fans.",
        "owner": "facilities",
    }
    return Transition(**(given | changes))


class Story:
    """Numbers transitions as the engine's outbox does."""

    def __init__(self, outbox: str = "o") -> None:
        self._outbox = outbox
        self.told: list[Told] = []

    def tell(self, *transitions: Transition) -> list[Told]:
        first = len(self.told) + 1
        new = [Told(self._outbox, first + n, each) for n, each in enumerate(transitions)]
        self.told += new
        return new


@asynccontextmanager
async def telling(
    made: Site, path: Path, *, history: Iterable[Told] = (), urgent: Iterable[str] = ()
) -> AsyncIterator[Telling]:
    told = Telling(made, Kafka(), path, urgent=frozenset(urgent))
    task = asyncio.create_task(told.run())
    told.listen(list(history))
    await asyncio.wait_for(told.has_begun.wait(), 10)
    try:
        yield told
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(holds: Callable[[], Any], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold in time"
        await asyncio.sleep(0.01)
