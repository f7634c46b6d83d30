"""HTTP at the rim: logins, TLS, and servers that speak no HTTP at all."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from collectors.dcgm.opening import open_dcgm
from collectors.exporter import http as http_module
from collectors.exporter.http import HttpText
from collectors.profile_library import load_profile
from facility.address import Address, parse_address
from facility.errors import (
    ConfigError,
    DeviceError,
    DeviceGarbled,
    DeviceRefused,
    DeviceTimeout,
    DeviceUnreachable,
)
from facility.site import Device, HttpCredential, Site
from simulator.dcgm_exporter import DcgmExporters
from simulator.dcgm_node import DcgmNode

PROFILE = load_profile("nvidia-dcgm-exporter")
TLS = Path(__file__).with_name("tls")
OK = b"HTTP/1.1 200 OK\r\n"


def address(place: tuple[str, int], scheme: str = "http") -> Address:
    return Address.model_validate(parse_address(f"{scheme}://{place[0]}:{place[1]}/metrics"))


@asynccontextmanager
async def raw_server(
    answer: Callable[[asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[tuple[str, int]]:
    """A server that answers each request with whatever `answer` writes, then hangs up."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await answer(writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()


async def get(
    place: tuple[str, int], *, scheme: str = "http", timeout_s: float = 2.0, **login: Any
) -> bytes:
    text = HttpText(address(place, scheme), HttpCredential(**login), timeout_s)
    try:
        return await text.get()
    finally:
        await text.close()


def says(data: bytes) -> Callable[[asyncio.StreamWriter], Awaitable[None]]:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    return answer


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", DeviceGarbled),
        (b"\x00\xff" * 100, DeviceGarbled),
        (b"SSH-2.0-OpenSSH_9.2\r\n", DeviceGarbled),
        (OK + b"Content-Length: abc\r\n\r\n", DeviceGarbled),
        (OK + b"Content-Length: 100\r\n\r\nshort", DeviceGarbled),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", DeviceGarbled),
        (OK + b"X: " + b"y" * 100_000 + b"\r\n\r\n", DeviceGarbled),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n", DeviceRefused),
        (b"HTTP/1.1 799 Odd\r\nContent-Length: 0\r\n\r\n", DeviceRefused),
        (OK + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nab", DeviceGarbled),
    ],
)
async def test_an_answer_that_is_none_is_named(data: bytes, error: type[DeviceError]) -> None:
    async with raw_server(says(data)) as place:
        with pytest.raises(error, match=str(place[1])):
            await get(place)


async def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    async with raw_server(says(OK + b"\r\nall\n")) as place:
        assert await get(place) == b"all\n"


async def test_an_answer_without_end_is_cut_at_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_module, "MOST_BYTES", 200_000)

    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"\r\n")
        for _ in range(1000):
            writer.write(b"x" * 10_000)
            await writer.drain()

    async with raw_server(endless) as place:
        with pytest.raises(DeviceGarbled, match="more than 200000 bytes"):
            await get(place)


async def test_a_trickle_is_given_up_at_the_deadline() -> None:
    async def trickle(writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"Content-Length: 100000\r\n\r\n")
        for _ in range(40):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with raw_server(trickle) as place:
        with pytest.raises(DeviceTimeout, match=r"no whole answer within 0\.3 s"):
            await get(place, timeout_s=0.3)


async def test_nobody_there() -> None:
    async with raw_server(says(b"")) as place:
        pass
    with pytest.raises(DeviceUnreachable, match=r"127\.0\.0\.1.*: Connection refused"):
        await get(place)


@asynccontextmanager
async def exporter(**options: Any) -> AsyncIterator[tuple[str, int]]:
    async with DcgmExporters(**options) as exporters:
        node = DcgmNode(PROFILE, ["gpu.GPU-1"], lambda _component, _quantity: 1.0)
        yield await exporters.serve(node, "127.0.0.1")


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("EXPORTER_SECRET", "open sesame")
    return {"env": "EXPORTER_SECRET"}


async def test_basic_and_bearer_logins(secret: dict[str, str]) -> None:
    async with exporter(authorization="Basic dXNlcjpvcGVuIHNlc2FtZQ==") as place:
        assert b"GPU-1" in await get(place, user="user", password=secret)
        with pytest.raises(DeviceRefused, match="401 Unauthorized; check the device's credential"):
            await get(place)
    async with exporter(authorization="Bearer open sesame") as place:
        assert b"GPU-1" in await get(place, bearer_token=secret)


async def test_tls_with_the_sites_own_authority_and_without() -> None:
    certificate, key = TLS / "modbus-certificate.pem", TLS / "modbus-key.pem"
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    async with exporter(tls=context) as place:
        assert b"GPU-1" in await get(place, scheme="https", ca_file=certificate)
        with pytest.raises(DeviceUnreachable, match="TLS with https://"):
            await get(place, scheme="https")
        with pytest.raises(DeviceGarbled):
            await get(place)


def test_a_credential_that_cannot_be_used_stops_the_start(tmp_path: Path) -> None:
    def opened(credential: HttpCredential, url: str = "https://node") -> None:
        device = Device(id="n1", profile="any", address=url, role="gpu_node", credential="gpu")
        site = Site(name="test", devices=(device,), http_credentials={"gpu": credential})
        open_dcgm(device, PROFILE, site)

    with pytest.raises(ConfigError, match=r"n1: credential 'gpu': ca_file .*nowhere\.pem"):
        opened(HttpCredential(ca_file=tmp_path / "nowhere.pem"))
    with pytest.raises(ConfigError, match="n1: credential 'gpu': environment variable NOT_SET"):
        opened(HttpCredential(bearer_token={"env": "NOT_SET"}))
