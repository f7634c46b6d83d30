from __future__ import annotations

import pytest

from collectors.open_source import open_source
from collectors.profile_library import load_profile
from collectors.snmp import opening
from collectors.snmp.transport import PysnmpSession
from facility.address import Address
from facility.errors import ConfigError
from facility.secret import Secret
from facility.site import Device, Site, SnmpCredential

ADDRESS = Address(scheme="snmp", host="127.0.0.1", port=161)


def site(**credentials):
    device = Device(
        id="rack-1/pdu-a",
        profile="apc-rpdu2",
        address="snmp://127.0.0.1",
        role="rack_pdu",
        credential=next(iter(credentials), None),
    )
    return Site(name="one", devices=(device,), snmp_credentials=credentials)


async def test_a_device_is_opened_without_a_word_on_the_network():
    one = site()
    source = open_source(one.devices[0], load_profile("apc-rpdu2"), one)
    assert source.device == "rack-1/pdu-a"
    await source.close()


def test_a_secret_that_is_not_there_stops_the_start_and_names_device_and_credential():
    one = site(rack=SnmpCredential(community=Secret(env="NOT_SET_ANYWHERE")))
    with pytest.raises(ConfigError, match=r"rack-1/pdu-a: credential 'rack': .*NOT_SET_ANYWHERE"):
        open_source(one.devices[0], load_profile("apc-rpdu2"), one)


def test_snmpv1_is_always_the_reference_engine_s():
    session = opening.open_session(ADDRESS, SnmpCredential(version="1"))
    assert isinstance(session, PysnmpSession)


def test_without_the_fast_engine_the_reference_engine_serves(monkeypatch):
    monkeypatch.setattr(opening, "FAST", False)
    assert isinstance(opening.open_session(ADDRESS, SnmpCredential()), PysnmpSession)
