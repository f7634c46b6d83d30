"""SNMP agents on addresses of their own, through pysnmp: v1 and v2c, or v3, as the login says.

One pysnmp engine answers for all agents of a login: an engine costs 60 ms to make. pysnmp's own MIB
machinery is left out: the devices keep their objects sorted and answer by themselves.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import time
from typing import Any, Self

from pysnmp.carrier.asyncio.dgram import udp  # type: ignore[import-untyped]  # no types, nor stubs
from pysnmp.entity import config  # type: ignore[import-untyped]  # same
from pysnmp.entity.engine import SnmpEngine  # type: ignore[import-untyped]  # same
from pysnmp.entity.rfc3413.cmdrsp import (  # type: ignore[import-untyped]  # same
    CommandResponderBase,
)
from pysnmp.entity.rfc3413.context import SnmpContext  # type: ignore[import-untyped]  # same
from pysnmp.proto import rfc1902, rfc1905  # type: ignore[import-untyped]  # same
from pysnmp.proto.api import v2c  # type: ignore[import-untyped]  # same
from pysnmp.smi.error import TooBigError  # type: ignore[import-untyped]  # same

from collectors.snmp.login import Login
from collectors.snmp.transport import AUTH, PRIVACY
from facility.site import SnmpCredential
from simulator.snmp_device import Answer, SnmpDevice, TooBig

GET = rfc1905.GetRequestPDU.tagSet
GET_NEXT = rfc1905.GetNextRequestPDU.tagSet
GET_BULK = rfc1905.GetBulkRequestPDU.tagSet
VALUES: dict[str, Any] = {
    "Integer32": rfc1902.Integer32,
    "Unsigned32": rfc1902.Gauge32,
    "Counter32": rfc1902.Counter32,
    "Counter64": rfc1902.Counter64,
    "TimeTicks": rfc1902.TimeTicks,
    "OctetString": rfc1902.OctetString,
    "ObjectIdentifier": rfc1902.ObjectIdentifier,
}
ABSENT: dict[str, Any] = {
    "noSuchObject": rfc1905.noSuchObject,
    "noSuchInstance": rfc1905.noSuchInstance,
    "endOfMibView": rfc1905.endOfMibView,
}
Domain = tuple[int, ...]


class SnmpAgents:
    """The agents that share one way to log in.

    Args:
        credential: what the agents accept.
        engine_id: SNMPv3's authoritative engine id, 5 to 32 bytes; random by default.
    """

    def __init__(self, credential: SnmpCredential, engine_id: bytes | None = None) -> None:
        self._login = Login.of(credential)
        self._engine_id = engine_id or b"\x80\x00\x4f\xb8\x05" + secrets.token_bytes(8)
        self._engine: SnmpEngine | None = None
        self._ports: dict[Domain, _Port] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def serve(self, device: SnmpDevice, host: str, port: int = 0) -> tuple[str, int]:
        """Answer for a device at this address; port 0 picks a free one. Gives host and port.

        Raises:
            OSError: the address cannot be bound.
        """
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            bound.bind((host, port))
        except OSError:
            bound.close()
            raise
        bound.setblocking(False)
        opened = _Port(device)
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: opened, sock=bound)
        domain = (*config.SNMP_UDP_DOMAIN, len(self._ports) + 1)
        config.add_transport(self._engine or self._make_engine(), domain, opened)
        self._ports[domain] = opened
        name: tuple[str, int] = bound.getsockname()
        return name

    def reboot(self, boots: int = 1) -> None:
        """Start the engine's clock again, as a power cycle does; boots count on by so many."""
        (engine_boots,) = self._symbols("snmpEngineBoots")
        engine_boots.syntax += boots
        self.set_clock(0)

    def set_clock(self, seconds: int) -> None:
        """Make the engine's clock show so many seconds since its boot."""
        (engine_time,) = self._symbols("snmpEngineTime")
        engine_time.syntax = type(engine_time.syntax)(int(time.time()) - seconds)

    async def close(self) -> None:
        """Stop them all. Safe twice."""
        if self._engine is not None:
            self._engine.close_dispatcher()
            self._engine = None
        self._ports.clear()
        await asyncio.sleep(0)  # the sockets close in the loop's next round

    def _symbols(self, *names: str) -> Any:
        assert self._engine is not None
        return self._engine.get_mib_builder().import_symbols("__SNMP-FRAMEWORK-MIB", *names)

    def _make_engine(self) -> SnmpEngine:
        engine = self._engine = SnmpEngine()
        (engine_id,) = self._symbols("snmpEngineID")
        engine_id.syntax = engine.snmpEngineID = engine_id.syntax.clone(self._engine_id)
        login = self._login
        if login.version == "3":
            config.add_v3_user(
                engine,
                login.user,
                AUTH[login.auth_protocol],
                login.auth_key or None,
                PRIVACY[login.privacy_protocol],
                login.privacy_key or None,
            )
        else:
            config.add_v1_system(engine, "login", login.community)
        _Responder(engine, self._ports)
        return engine


class _Port(udp.UdpAsyncioTransport):  # type: ignore[misc]  # pysnmp is untyped
    """One device's socket; here the faults of the network side are played."""

    def __init__(self, device: SnmpDevice) -> None:
        super().__init__()
        self.device = device

    def datagram_received(self, datagram: bytes, address: Any) -> None:
        """Take in a request, as the device's faults allow."""
        faults = self.device.faults
        if faults.silent:
            return
        if faults.garbage is not None:
            assert self.transport is not None
            self.transport.sendto(faults.garbage, address)
        elif faults.delay_s:
            self.loop.call_later(faults.delay_s, self._take, datagram, address)
        else:
            self._take(datagram, address)

    def _take(self, datagram: bytes, address: Any) -> None:
        if self._callback_function is not None:  # None once closed
            super().datagram_received(datagram, address)


class _Responder(CommandResponderBase):  # type: ignore[misc]  # pysnmp is untyped
    """Finds the device a request is for, and wraps its answer."""

    SUPPORTED_PDU_TYPES = (GET, GET_NEXT, GET_BULK)

    def __init__(self, engine: SnmpEngine, ports: dict[Domain, _Port]) -> None:
        super().__init__(engine, SnmpContext(engine))
        self._ports = ports

    def handle_management_operation(
        self, engine: SnmpEngine, reference: Any, _context: Any, pdu: Any
    ) -> None:
        """Answer one request. See pysnmp's base class."""
        domain, _ = engine.message_dispatcher.get_transport_info(reference)
        device = self._ports[domain].device
        oids = [name.asTuple() for name, _ in v2c.apiPDU.get_varbinds(pdu)]
        try:
            answers = _ask(device, pdu, oids)
        except TooBig:
            raise TooBigError from None
        self.send_varbinds(engine, reference, 0, 0, [_varbind(answer) for answer in answers])
        self.release_state_information(reference)


def _ask(device: SnmpDevice, pdu: Any, oids: list[tuple[int, ...]]) -> list[Answer]:
    if pdu.tagSet == GET:
        return device.get(oids)
    if pdu.tagSet == GET_NEXT:
        return device.get_next(oids)
    non_repeaters = int(v2c.apiBulkPDU.get_non_repeaters(pdu))
    repetitions = int(v2c.apiBulkPDU.get_max_repetitions(pdu))
    return device.get_bulk(oids, non_repeaters, repetitions)


def _varbind(answer: Answer) -> tuple[Any, Any]:
    oid, kind, value = answer
    return rfc1902.ObjectName(oid), ABSENT[kind] if kind in ABSENT else VALUES[kind](value)
