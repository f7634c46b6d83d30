"""Posting over HTTP or HTTPS; the only module here that knows aiohttp."""

from __future__ import annotations

import base64
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from facility.errors import ConfigError, HookRefused, HookUnavailable
from facility.secret import Secret

MOST_ANSWER_BYTES = 65_536
MOST_RETRY_AFTER_S = 3600.0
_CONTENT_REFUSED = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
"""Answers to what is sent; all others may change when the receiver, or its settings, are mended."""


@dataclass(frozen=True, slots=True)
class Login:
    """How to log in, and who vouches for the server."""

    user: str = ""
    password: Secret | None = None
    bearer_token: Secret | None = None
    ca_file: Path | None = None

    def headers(self) -> dict[str, str]:
        """Read the secrets.

        Raises:
            ConfigError: there are none where they should be.
        """
        if self.bearer_token is not None:
            return {"Authorization": f"Bearer {self.bearer_token.reveal()}"}
        if self.password is not None:
            login = f"{self.user}:{self.password.reveal()}".encode()
            return {"Authorization": f"Basic {base64.b64encode(login).decode()}"}
        return {}

    def tls(self) -> ssl.SSLContext:
        """Give the context.

        Raises:
            ConfigError: the authority's certificate cannot be read.
        """
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:
            raise ConfigError(f"ca_file {self.ca_file}: {error}") from error


class HttpPost:
    """Posts JSON to one receiver. Follows no redirects; says of its address no more than the host.

    Raises:
        ConfigError: a secret or a certificate cannot be read.
    """

    def __init__(self, url: str, timeout_s: float, login: Login) -> None:
        self._url = url
        parts = urlsplit(url)
        self._shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._headers = {"Content-Type": "application/json", "User-Agent": "busway"}
        self._headers |= login.headers()
        self._tls = login.tls()
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def post(self, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Post once, and read the whole answer.

        Raises:
            HookUnavailable, HookRefused: as `Sender.send` says.
        """
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=2, ssl=self._tls)
            self._session = aiohttp.ClientSession(
                connector=connector, headers=self._headers, timeout=self._timeout
            )
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, allow_redirects=False
            ) as response:
                answer = await _read(response)
        except TimeoutError:
            raise HookUnavailable(
                f"{self._shown} gives no whole answer within {self._timeout.total:g} s"
            ) from None
        except aiohttp.ClientConnectorError as error:
            raise HookUnavailable(f"{self._shown}: {_reason(error)}") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise HookUnavailable(f"{self._shown}: {type(error).__name__}") from error
        self._judge(response, answer)

    async def close(self) -> None:
        """Let go of the connections. Safe twice."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _judge(self, response: aiohttp.ClientResponse, answer: str) -> None:
        status = response.status
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return
        said = f"{self._shown} answers {status} {answer}".rstrip()
        if status in _CONTENT_REFUSED:
            raise HookRefused(said)
        raise HookUnavailable(
            said, retry_after_s=retry_after_s(response.headers.get("Retry-After", ""))
        )


def retry_after_s(text: str, now: datetime | None = None) -> float:
    """Read a Retry-After, seconds or a date (RFC 9110, 10.2.3), bounded; 0 where there is none."""
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(text) - (now or datetime.now(UTC))).total_seconds()
        except (ValueError, TypeError):
            return 0.0
    return min(MOST_RETRY_AFTER_S, seconds) if seconds > 0 else 0.0


async def _read(response: aiohttp.ClientResponse) -> str:
    """Give the beginning of an answer, on one line; it is read whole, if it is not endless."""
    size, beginning = 0, b""
    async for chunk in response.content.iter_any():
        beginning = (beginning + chunk)[:200]
        if (size := size + len(chunk)) > MOST_ANSWER_BYTES:
            response.close()
            break
    return " ".join(beginning.decode("utf-8", "replace").split())


def _reason(error: aiohttp.ClientConnectorError) -> str:
    """The system's word for it; asyncio's own text hides it, a resolver's has no number."""
    if (number := error.os_error.errno) is not None and number > 0:
        return os.strerror(number)
    return str(error.os_error.strerror or error.os_error)
