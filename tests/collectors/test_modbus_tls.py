"""Modbus over TLS, on port 802 by default: known by an authority's file, or refused."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from modbus_rig import HOST, meter_value, source_at

from collectors.profile_library import load_profile
from facility.address import Address, parse_address
from facility.errors import ConfigError, DeviceUnreachable
from facility.site import Site, Tls
from simulator.modbus_device import ModbusDevice
from simulator.modbus_server import ModbusServer

TLS = Path(__file__).with_name("tls")
CERTIFICATE, KEY = TLS / "modbus-certificate.pem", TLS / "modbus-key.pem"
METER = load_profile("schneider-pm5000")


def server_context(*, mutual: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, KEY)
    if mutual:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(CERTIFICATE)
    return context


def site(**tls: object) -> Site:
    return Site(name="test", devices=(), modbus_credentials={"plant": Tls.model_validate(tls)})


@pytest.mark.parametrize("mutual", [False, True])
async def test_a_device_is_read_over_tls(mutual: bool) -> None:
    own = {"certificate_file": CERTIFICATE, "key_file": KEY} if mutual else {}
    device = ModbusDevice("meter", METER, meter_value, HOST)
    async with ModbusServer([device], server_context(mutual=mutual)) as server:
        source = source_at(
            *server.address("meter"),
            METER,
            scheme="modbus+tls",
            site=site(ca_file=CERTIFICATE, **own),
            credential="plant",
        )
        poll = await source.read()
        assert poll.failures == ()
        await source.close()


async def test_an_unknown_authority_is_refused() -> None:
    async with ModbusServer(
        [ModbusDevice("meter", METER, meter_value, HOST)], server_context()
    ) as server:
        source = source_at(*server.address("meter"), METER, scheme="modbus+tls")
        with pytest.raises(DeviceUnreachable, match="certificate"):
            await source.read()
        await source.close()


def test_a_missing_file_stops_the_start_and_is_named() -> None:
    missing = Path("nowhere.pem")
    with pytest.raises(ConfigError, match=r"meter: credential 'plant': .*check ca_file"):
        source_at(
            HOST, 802, METER, scheme="modbus+tls", site=site(ca_file=missing), credential="plant"
        )


def test_tls_has_its_own_port() -> None:
    fields = parse_address("modbus+tls://10.0.0.1")
    assert Address.model_validate(fields).port == 802
