"""Getting an exporter's text over HTTP or HTTPS; the only module here that knows aiohttp."""

from __future__ import annotations

import base64
import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus

import aiohttp

from facility.address import Address
from facility.errors import (
    ConfigError,
    DeviceGarbled,
    DeviceRefused,
    DeviceTimeout,
    DeviceUnreachable,
)
from facility.site import HttpCredential

MOST_BYTES = 8_000_000
"""Ten times what the fullest exporter of 72 GPUs prints."""
CHUNK_BYTES = 65_536
NO_CREDENTIAL = HttpCredential()


class HttpText:
    """One URL, asked again and again over one kept connection. Opening does no I/O.

    Args:
        address: where.
        credential: how to log in, and by which authority the server is known.
        timeout_s: for one answer, whole.

    Raises:
        ConfigError: a secret or the authority's certificate cannot be read.
    """

    def __init__(self, address: Address, credential: HttpCredential, timeout_s: float) -> None:
        host = f"[{address.host}]" if ":" in address.host else address.host
        self._url = f"{address.scheme}://{host}:{address.port}{address.path}"
        self._headers = {"Accept": "text/plain", "Accept-Encoding": "identity"}
        self._headers |= _authorization(credential)
        self._tls: ssl.SSLContext | bool = True
        if address.scheme == "https":
            self._tls = _tls_context(credential)
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def get(self) -> bytes:
        """Ask once.

        Raises:
            DeviceError: no answer, not the right one, or one without end.
        """
        session = self._session
        if session is None:
            session = self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=1, ssl=self._tls),
                headers=self._headers,
                timeout=self._timeout,
                auto_decompress=False,
            )
        with self._in_our_words():
            async with session.get(self._url, allow_redirects=False) as response:
                if response.status != HTTPStatus.OK:
                    raise DeviceRefused(_refusal(response.status, self._url))
                return await self._body(response)

    async def close(self) -> None:
        """Let go of the connection. Safe twice."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        if coding := response.headers.get("Content-Encoding"):
            raise DeviceGarbled(f"{self._url} answers in {coding!r}, which was not asked for")
        body = bytearray()
        async for chunk in response.content.iter_chunked(CHUNK_BYTES):
            body += chunk
            if len(body) > MOST_BYTES:
                response.close()
                raise DeviceGarbled(f"{self._url} answers with more than {MOST_BYTES} bytes")
        return bytes(body)

    @contextmanager
    def _in_our_words(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError:
            raise DeviceTimeout(f"no whole answer within {self._timeout.total:g} s") from None
        except aiohttp.ClientSSLError as error:
            raise DeviceUnreachable(f"TLS with {self._url}: {error}") from error
        except aiohttp.ClientConnectorError as error:
            raise DeviceUnreachable(f"{self._url}: {_reason(error.os_error)}") from error
        except (aiohttp.ClientError, ValueError) as error:
            # aiohttp lets some ValueErrors of its parsers through.
            raise DeviceGarbled(f"{self._url}: {type(error).__name__}: {error}") from error


def _reason(error: OSError) -> str:
    """The system's word for it; asyncio's own text hides it, a resolver's has no number."""
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return str(error.strerror or error)


def _refusal(status: int, url: str) -> str:
    named = f"{url} answers {status} {HTTPStatus(status).phrase if _is_known(status) else ''}"
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return f"{named.rstrip()}; check the device's credential"
    return named.rstrip()


def _is_known(status: int) -> bool:
    return status in HTTPStatus.__members__.values()


def _authorization(credential: HttpCredential) -> Mapping[str, str]:
    if credential.bearer_token is not None:
        return {"Authorization": f"Bearer {credential.bearer_token.reveal()}"}
    if credential.password is not None:
        login = f"{credential.user}:{credential.password.reveal()}".encode()
        return {"Authorization": f"Basic {base64.b64encode(login).decode()}"}
    return {}


def _tls_context(credential: HttpCredential) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=credential.ca_file)
    except OSError as error:
        raise ConfigError(f"ca_file {credential.ca_file}: {error}") from error
