"""SNMP v1, v2c and v3 through pysnmp, the reference engine; its errors are mapped to ours here.

One pysnmp engine and one UDP socket serve all devices that share a login: an engine costs 60 ms and
0.8 MB, and its user table knows one key a user name. pysnmp itself keeps each agent's boots and
time, and asks again with the agent's own when it is told that they are wrong.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from pysnmp.carrier.asyncio.dgram import (  # type: ignore[import-untyped]  # no types, nor stubs
    udp,
    udp6,
)
from pysnmp.carrier.error import CarrierError  # type: ignore[import-untyped]  # same
from pysnmp.entity import config  # type: ignore[import-untyped]  # same
from pysnmp.entity.engine import SnmpEngine  # type: ignore[import-untyped]  # same
from pysnmp.entity.rfc3413 import cmdgen  # type: ignore[import-untyped]  # same
from pysnmp.error import PySnmpError  # type: ignore[import-untyped]  # same
from pysnmp.proto import errind, rfc1902, rfc1905  # type: ignore[import-untyped]  # same
from pysnmp.proto.api import v2c  # type: ignore[import-untyped]  # same
from pysnmp.proto.rfc3412 import MsgAndPduDispatcher  # type: ignore[import-untyped]  # same

from collectors.snmp.endpoint import Endpoint, bound_socket, resolve
from collectors.snmp.login import Login
from collectors.snmp.oid import Oid
from collectors.snmp.session import AgentError, Missing, Request, Value, Varbind
from facility.address import Address
from facility.errors import DeviceError, DeviceGarbled, DeviceRefused, DeviceUnreachable
from facility.site import SnmpCredential

FORGET_AFTER_S = 10
"""When pysnmp itself forgets a request; long after its asker has given up."""
KEPT_NAMES = 4096
"""Those of a hundred device models; one takes half a kilobyte."""

AUTH = {
    "none": config.USM_AUTH_NONE,
    "md5": config.USM_AUTH_HMAC96_MD5,
    "sha1": config.USM_AUTH_HMAC96_SHA,
    "sha224": config.USM_AUTH_HMAC128_SHA224,
    "sha256": config.USM_AUTH_HMAC192_SHA256,
    "sha384": config.USM_AUTH_HMAC256_SHA384,
    "sha512": config.USM_AUTH_HMAC384_SHA512,
}
PRIVACY = {
    "none": config.USM_PRIV_NONE,
    "des": config.USM_PRIV_CBC56_DES,
    "aes128": config.USM_PRIV_CFB128_AES,
    "aes192": config.USM_PRIV_CFB192_AES_BLUMENTHAL,
    "aes256": config.USM_PRIV_CFB256_AES_BLUMENTHAL,
    "aes192c": config.USM_PRIV_CFB192_AES,
    "aes256c": config.USM_PRIV_CFB256_AES,
}
MODELS = {"1": 0, "2c": 1, "3": 3}
"""Message processing models, RFC 3411."""
PRIVATE_TO_V3 = "_SnmpV3MessageProcessingModel__"

TRANSPORTS = {
    socket.AF_INET: (config.SNMP_UDP_DOMAIN, udp.UdpAsyncioTransport),
    socket.AF_INET6: (config.SNMP_UDP6_DOMAIN, udp6.Udp6AsyncioTransport),
}

VALUES: dict[type, Callable[[Any], Value]] = {
    **dict.fromkeys(
        (
            rfc1902.Integer,
            rfc1902.Integer32,
            rfc1902.Unsigned32,
            rfc1902.Counter32,
            rfc1902.Gauge32,
            rfc1902.TimeTicks,
            rfc1902.Counter64,
        ),
        int,
    ),
    **dict.fromkeys((rfc1902.OctetString, rfc1902.IpAddress, rfc1902.Opaque), bytes),
    rfc1905.NoSuchObject: lambda _: Missing.NO_SUCH_OBJECT,
    rfc1905.NoSuchInstance: lambda _: Missing.NO_SUCH_INSTANCE,
    rfc1905.EndOfMibView: lambda _: Missing.END_OF_MIB,
    rfc1905.UnSpecified: lambda _: Missing.NO_SUCH_INSTANCE,
}

Reply = tuple[Any, Any, Any, Iterable[tuple[Any, Any]]]
"""pysnmp's error indication, error status, error index and varbinds."""


class PysnmpSession:
    """One agent over pysnmp."""

    def __init__(self, address: Address, credential: SnmpCredential) -> None:
        """Reveal the credential.

        Raises:
            ConfigError: it is incomplete.
        """
        self._address = address
        self._login = Login.of(credential)
        self.can_bulk = self._login.version != "1"
        self._engine: _Engine | None = None
        self._target: _Target | None = None

    async def ask(self, request: Request) -> list[Varbind]:
        """See `collectors.snmp.session.Session`."""
        engine, target = await self._open()
        with _our_errors(self._address):
            try:
                reply = await engine.send(target, request)
            except asyncio.CancelledError:
                self._lost(engine, target)
                raise
        return _varbinds(reply)

    async def close(self) -> None:
        """See `collectors.snmp.session.Session`."""
        if self._engine is not None:
            self._engine.leave(self._target)
            self._engine = self._target = None

    async def _open(self) -> tuple[_Engine, _Target]:
        if self._engine is None:
            self._engine = _Engine.join(self._login)
        if self._target is None:
            family, endpoint = await resolve(self._address)
            self._target = await self._engine.add_target(family, endpoint)
        return self._engine, self._target

    def _lost(self, engine: _Engine, target: _Target) -> None:
        """Nobody answered: another agent may stand there now, or the name for another address."""
        engine.forget_peer(target)
        if target.endpoint[0] != self._address.host:
            engine.remove_target(target)
            self._target = None


@dataclass(frozen=True, slots=True)
class _Target:
    """An agent that an engine knows, under the name it has there."""

    name: str
    endpoint: Endpoint


class _Engine:
    """A pysnmp engine and the sockets, targets and pending requests in it."""

    shared: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Login, _Engine]]] = (
        WeakKeyDictionary()
    )
    """The engines of each event loop."""

    @classmethod
    def join(cls, login: Login) -> _Engine:
        """The running loop's engine for this login; made on first use, closed when all leave."""
        engines = cls.shared.setdefault(asyncio.get_running_loop(), {})
        if login not in engines:
            engines[login] = cls(login, lambda: engines.pop(login, None))
        engines[login]._members += 1  # noqa: SLF001 - its own class
        return engines[login]

    def leave(self, target: _Target | None) -> None:
        """One session less."""
        if target is not None:
            self.remove_target(target)
        self._members -= 1
        if not self._members:
            self._on_close()
            self._snmp.close_dispatcher()

    def __init__(self, login: Login, on_close: Callable[[], object]) -> None:
        self._login = login
        self._on_close = on_close
        self._pending: dict[Endpoint, set[asyncio.Future[Reply]]] = {}
        self._members = 0
        self._targets_made = 0
        self._opening = asyncio.Lock()
        self._snmp = SnmpEngine(msgAndPduDsp=_Receiver(self._garbled))
        self._get = cmdgen.GetCommandGenerator()
        self._next = cmdgen.NextCommandGenerator()
        self._bulk = cmdgen.BulkCommandGenerator()
        self._add_login()

    def _add_login(self) -> None:
        login = self._login
        if login.version == "3":
            config.add_v3_user(
                self._snmp,
                login.user,
                AUTH[login.auth_protocol],
                login.auth_key or None,
                PRIVACY[login.privacy_protocol],
                login.privacy_key or None,
            )
            level = "noAuthNoPriv" if login.auth_protocol == "none" else "authNoPriv"
            level = level if login.privacy_protocol == "none" else "authPriv"
            name = login.user
        else:
            config.add_v1_system(self._snmp, "login", login.community)
            level, name = "noAuthNoPriv", "login"
        config.add_target_parameters(self._snmp, "login", name, level, MODELS[login.version])

    async def add_target(self, family: socket.AddressFamily, endpoint: Endpoint) -> _Target:
        """Make an agent known."""
        domain, transport = TRANSPORTS[family]
        async with self._opening:
            if config.get_transport(self._snmp, domain) is None:
                opened = transport()
                await asyncio.get_running_loop().create_datagram_endpoint(
                    lambda: opened, sock=bound_socket(family)
                )
                config.add_transport(self._snmp, domain, opened)
        self._targets_made += 1
        target = _Target(f"target{self._targets_made}", endpoint)
        config.add_target_address(
            self._snmp, target.name, domain, endpoint, "login", FORGET_AFTER_S * 100, 0
        )
        return target

    def remove_target(self, target: _Target) -> None:
        """Forget an agent."""
        config.delete_target_address(self._snmp, target.name)

    def forget_peer(self, target: _Target) -> None:
        """Find out the agent's SNMPv3 engine id anew: pysnmp itself never notices a new one.

        It offers no way but its private tables; test_snmp_v3 keeps watch over them.
        """
        model = self._snmp.message_processing_subsystems[MODELS["3"]]
        peers: dict[Any, Any] = getattr(model, f"{PRIVATE_TO_V3}engineIdCache")
        expiring: dict[int, list[Any]] = getattr(model, f"{PRIVATE_TO_V3}engineIdCacheExpQueue")
        for peer in [peer for peer in peers if tuple(peer[1][:2]) == target.endpoint]:
            del peers[peer]
            for due in expiring.values():
                due[:] = [other for other in due if other != peer]

    async def send(self, target: _Target, request: Request) -> Reply:
        """One request, its reply. Cancellation is safe: a late reply finds nobody."""
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        waiting = self._pending.setdefault(target.endpoint, set())
        waiting.add(future)
        try:
            self._generate(target.name, request, future)
            return await future
        finally:
            waiting.discard(future)
            if not waiting:
                self._pending.pop(target.endpoint, None)

    def _generate(self, target: str, request: Request, future: asyncio.Future[Reply]) -> None:
        names = [(_object_name(oid), v2c.null) for oid in request.oids]
        whom = (self._snmp, target, None, self._login.context)
        reply_to = (_deliver, future)
        if not request.repetitions:
            self._get.send_varbinds(*whom, names, *reply_to)
        elif self._login.version == "1":
            self._next.send_varbinds(*whom, names, *reply_to)
        else:
            self._bulk.send_varbinds(*whom, 0, request.repetitions, names, *reply_to)

    def _garbled(self, endpoint: Endpoint, why: str) -> None:
        for future in self._pending.get(endpoint, ()):
            if not future.done():
                future.set_exception(DeviceGarbled(f"its datagram is not SNMP: {why}"))


class _Receiver(MsgAndPduDispatcher):  # type: ignore[misc]  # pysnmp is untyped
    """pysnmp's dispatcher, made to tell when a datagram cannot be read instead of dropping it."""

    def __init__(self, on_garbled: Callable[[Endpoint, str], None]) -> None:
        super().__init__()
        self._on_garbled = on_garbled
        self._parse_errors = self.mib_instrum_controller.get_mib_builder().import_symbols(
            "__SNMPv2-MIB", "snmpInASNParseErrs", "snmpInBadVersions"
        )

    def receive_message(self, engine: Any, domain: Any, address: Any, message: bytes) -> None:
        """Take in one datagram."""
        before = self._errors()
        try:
            super().receive_message(engine, domain, address, message)
        except Exception as error:  # noqa: BLE001 - its decoders raise whatever they stumble on
            self._on_garbled(address[:2], f"{type(error).__name__}: {error}"[:200])
        else:
            if self._errors() != before:
                self._on_garbled(address[:2], "no message of a known version")

    def _errors(self) -> int:
        return sum(int(symbol.syntax) for symbol in self._parse_errors)


@lru_cache(maxsize=KEPT_NAMES)
def _object_name(oid: Oid) -> Any:
    """An OID as pysnmp has it; every poll asks for the same ones, and so do devices of a model."""
    return rfc1902.ObjectName(oid)


def _deliver(
    _engine: Any, _handle: Any, indication: Any, status: Any, index: Any, varbinds: Any, future: Any
) -> None:
    """Hand the reply to whoever still waits."""
    if not future.done():
        future.set_result((indication, status, index, varbinds))


def _varbinds(reply: Reply) -> list[Varbind]:
    indication, status, index, varbinds = reply
    if indication:
        raise _refusal(indication)
    if status:
        raise AgentError(status.prettyPrint(), int(index))
    return [(name.asTuple(), _value(value)) for name, value in varbinds]


def _value(value: Any) -> Value:
    convert = VALUES.get(type(value))
    if convert is not None:
        return convert(value)
    oid: Oid = tuple(value)
    return oid


def _refusal(indication: Any) -> DeviceError | TimeoutError:
    """What pysnmp indicates, as our error."""
    if isinstance(indication, errind.RequestTimedOut):
        return TimeoutError()
    if isinstance(indication, errind.ErrorIndication):
        return DeviceRefused(f"SNMP security: {indication}; check the device's credential")
    return DeviceGarbled(f"the response is not to the request: {indication}")


@contextmanager
def _our_errors(address: Address) -> Iterator[None]:
    try:
        yield
    except CarrierError as error:
        raise DeviceUnreachable(f"{address}: {error}") from error
    except PySnmpError as error:
        raise DeviceRefused(f"{address}: {error}") from error
