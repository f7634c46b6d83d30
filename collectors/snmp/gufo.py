"""SNMP v2c and v3 through gufo-snmp, written in Rust: the fast engine, where it is installed.

It gives the same readings as the reference engine, as `test_snmp_engines` shows, but says less of
what went wrong: an error-status of the agent's comes out as an answer without varbinds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from gufo.snmp import (
    Aes128Key,
    Aes192Key,
    Aes256Key,
    BaseAuthKey,
    BasePrivKey,
    DesKey,
    KeyExpansion,
    Md5Key,
    Sha1Key,
    Sha224Key,
    Sha256Key,
    Sha384Key,
    Sha512Key,
    SnmpAuthError,
    SnmpDecodeError,
    SnmpError,
    SnmpVersion,
    User,
    ValueType,
)
from gufo.snmp.aio import SnmpSession

from collectors.snmp.endpoint import resolve
from collectors.snmp.login import Login
from collectors.snmp.oid import Oid, format_oid, parse_oid
from collectors.snmp.session import AgentError, Missing, Request, Value, Varbind
from facility.address import Address
from facility.errors import DeviceGarbled, DeviceRefused, DeviceUnreachable
from facility.site import SnmpCredential

GIVE_UP_AFTER_S = 100.0
"""When the engine itself gives up; the caller's deadline comes first."""

AUTH: dict[str, type[BaseAuthKey]] = {
    "md5": Md5Key,
    "sha1": Sha1Key,
    "sha224": Sha224Key,
    "sha256": Sha256Key,
    "sha384": Sha384Key,
    "sha512": Sha512Key,
}
PRIVACY: dict[str, type[BasePrivKey]] = {
    "des": DesKey,
    "aes128": Aes128Key,
    "aes192": Aes192Key,
    "aes256": Aes256Key,
    "aes192c": Aes192Key,
    "aes256c": Aes256Key,
}

Rows = AsyncIterator[tuple[str, ValueType]]


def speaks(credential: SnmpCredential) -> bool:
    """Whether this engine can log in so: it knows neither SNMPv1's errors nor v3's contexts."""
    return credential.version != "1" and not credential.context


class GufoSession:
    """One agent over gufo-snmp, through a socket of its own."""

    can_bulk = False
    """It walks whole columns only, so that known rows are read by GET."""

    def __init__(self, address: Address, credential: SnmpCredential) -> None:
        """Reveal the credential.

        Raises:
            ConfigError: it is incomplete.
        """
        self._address = address
        self._login = Login.of(credential)
        self._session: SnmpSession | None = None
        self._walk: tuple[Oid, Rows] | None = None

    async def ask(self, request: Request) -> list[Varbind]:
        """See `collectors.snmp.session.Session`."""
        session = self._session or await self._open()
        with _our_errors():
            try:
                return await self._answer(session, request)
            except SnmpAuthError:  # it may have rebooted: learn its boots and time, ask once more
                await session.refresh()
                return await self._answer(session, request)
            except BaseException as error:
                # Another agent may stand there now, or more broken datagrams wait in the socket.
                lost = isinstance(error, (TimeoutError, asyncio.CancelledError, SnmpDecodeError))
                if lost or _is_panic(error):
                    await self.close()
                raise

    async def close(self) -> None:
        """See `collectors.snmp.session.Session`."""
        self._session = self._walk = None

    async def _open(self) -> SnmpSession:
        _, (host, port) = await resolve(self._address)
        login = self._login
        session = SnmpSession(
            host,
            port,
            community=login.community,
            user=_user(login) if login.version == "3" else None,
            version=SnmpVersion.v3 if login.version == "3" else SnmpVersion.v2c,
            timeout=GIVE_UP_AFTER_S,
        )
        with _our_errors():
            await session.refresh()
        self._session = session
        return session

    async def _answer(self, session: SnmpSession, request: Request) -> list[Varbind]:
        if request.repetitions:
            return await self._next_rows(session, request.oids[0], request.repetitions)
        answers = await session.get_many(map(format_oid, request.oids))
        if not answers and len(request.oids) > 1:
            raise AgentError("nothing", 0)
        return [(oid, _value(answers.get(format_oid(oid)))) for oid in request.oids]

    async def _next_rows(self, session: SnmpSession, after: Oid, most: int) -> list[Varbind]:
        """The rows that follow: of a new walk, or further in the one that has come this far."""
        if self._walk is not None and self._walk[0] == after:
            return await self._take(after, self._walk[1], most)
        rows = await self._take(after, session.getbulk(format_oid(after), most), most)
        return rows or await self._take(after, session.getnext(format_oid(after)), most)

    async def _take(self, after: Oid, walk: Rows, most: int) -> list[Varbind]:
        varbinds: list[Varbind] = []
        async for oid, value in walk:
            varbinds.append((parse_oid(oid), _value(value)))
            if len(varbinds) == most:
                break
        self._walk = (varbinds[-1][0] if varbinds else after, walk)
        return varbinds


def _user(login: Login) -> User:
    auth, privacy = AUTH.get(login.auth_protocol), PRIVACY.get(login.privacy_protocol)
    cisco = login.privacy_protocol.endswith("c")
    return User(
        login.user,
        auth_key=auth(login.auth_key.encode()) if auth else None,
        priv_key=privacy(login.privacy_key.encode()) if privacy else None,
        key_expansion=KeyExpansion.Cisco if cisco else KeyExpansion.Blumenthal,
    )


def _value(value: ValueType) -> Value:
    if isinstance(value, (int, bytes)):
        return value
    if value is None:
        return Missing.NO_SUCH_INSTANCE
    if isinstance(value, float):
        return str(value).encode()
    try:
        return parse_oid(value)
    except ValueError:
        return value.encode()


def _is_panic(error: BaseException) -> bool:
    """Whether the engine's own code gave up, as it does on some malformed datagrams.

    Rust's panics reach Python as a class that cannot be imported, and that is no Exception: let
    through, one broken answer would end the daemon.
    """
    return type(error).__module__ == "pyo3_runtime"


@contextmanager
def _our_errors() -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise
    except SnmpAuthError as error:
        raise DeviceRefused(f"SNMP security: {error}; check the device's credential") from error
    except SnmpDecodeError as error:
        raise DeviceGarbled(f"its datagram is not SNMP: {error}") from error
    except SnmpError as error:
        raise DeviceRefused(f"the agent answers {error}") from error
    except OSError as error:
        raise DeviceUnreachable(str(error)) from error
    except BaseException as error:
        if not _is_panic(error):
            raise
        raise DeviceGarbled(f"its datagram is not SNMP: {error}") from error
