"""SNMPv3 against simulated agents: every protocol, wrong credentials, clocks that jump."""

from __future__ import annotations

import time

import pytest
from snmp_rig import APC, by_name, rig, source_at

from collectors.snmp.login import Login
from collectors.snmp.transport import PysnmpSession
from facility.address import Address
from facility.errors import ConfigError, DeviceRefused, DeviceTimeout
from facility.secret import Secret
from facility.site import SnmpCredential
from simulator.snmp_agent import SnmpAgents
from simulator.snmp_device import SnmpDevice

PARTS = ("", "phase.1")


@pytest.fixture(autouse=True)
def secrets(monkeypatch):
    monkeypatch.setenv("AUTH_KEY", "correct horse")
    monkeypatch.setenv("PRIVACY_KEY", "battery staple")
    monkeypatch.setenv("OTHER_KEY", "incorrect horse")
    monkeypatch.setenv("SHORT_KEY", "horse")


def credential(auth="sha256", privacy="aes128", **given):
    keys = {
        "auth_key": Secret(env="AUTH_KEY") if auth != "none" else None,
        "privacy_key": Secret(env="PRIVACY_KEY") if privacy != "none" else None,
    }
    return SnmpCredential(
        version="3",
        user="monitor",
        auth_protocol=auth,
        privacy_protocol=privacy,
        **{**keys, **given},
    )


@pytest.mark.parametrize(
    ("auth", "privacy"),
    [
        ("none", "none"),
        ("sha1", "des"),
        ("sha256", "aes128"),
        ("sha512", "aes256"),
    ],
)
async def test_each_level_of_security_reads(auth, privacy):
    async with rig(APC, PARTS, credential(auth, privacy)) as pdu:
        assert (await pdu.source.read()).failures == ()
        assert (await pdu.read())["", "active_power_w"] == 10


async def test_a_wrong_key_is_refused_with_what_to_check():
    async with rig(APC, PARTS, credential()) as pdu:
        wrong = credential(auth_key=Secret(env="OTHER_KEY"))
        source = source_at(pdu.host, pdu.port, APC, wrong)
        with pytest.raises(DeviceRefused, match="credential"):
            await source.read()
        await source.close()
        assert (await pdu.source.read()).failures == ()


async def test_an_unknown_user_is_refused_with_what_to_check():
    async with rig(APC, PARTS, credential()) as pdu:
        stranger = credential().model_copy(update={"user": "stranger"})
        source = source_at(pdu.host, pdu.port, APC, stranger)
        with pytest.raises(DeviceRefused, match=r"user.*credential"):
            await source.read()
        await source.close()


async def test_less_security_than_the_agent_wants_is_refused():
    async with rig(APC, PARTS, credential()) as pdu:
        source = source_at(pdu.host, pdu.port, APC, credential("none", "none"))
        with pytest.raises(DeviceRefused, match="credential"):
            await source.read()
        await source.close()


async def test_an_agent_that_reboots_is_read_at_the_next_poll():
    async with rig(APC, PARTS, credential()) as pdu:
        await pdu.source.read()
        pdu.agents.reboot()
        assert (await pdu.source.read()).failures == ()


async def test_an_agent_whose_boots_and_clock_go_backward_is_read_at_the_next_poll():
    """A card that lost its settings starts counting boots anew."""
    async with rig(APC, PARTS, credential()) as pdu:
        pdu.agents.reboot(boots=40)
        await pdu.source.read()
        pdu.agents.reboot(boots=-41)
        assert (await pdu.source.read()).failures == ()


@pytest.mark.parametrize("shows_s", [1_000, 90_000])
async def test_a_clock_that_jumps_beyond_the_time_window_is_followed(shows_s):
    async with rig(APC, PARTS, credential()) as pdu:
        pdu.agents.set_clock(10_000)
        await pdu.source.read()
        pdu.agents.set_clock(shows_s)
        assert (await pdu.source.read()).failures == ()


async def test_a_replaced_agent_with_another_engine_id_is_read():
    login = credential()
    async with rig(APC, PARTS, login) as pdu:
        await pdu.source.read()
        await pdu.agents.close()
        async with SnmpAgents(login) as replacement:
            await replacement.serve(SnmpDevice(APC, PARTS, pdu.plant), pdu.host, pdu.port)
            poll = await pdu.source.read()
        assert by_name(poll)["", "active_power_w"] == 10


async def test_a_silent_v3_agent_is_a_timeout_in_time():
    async with rig(APC, PARTS, credential(), timeout_s=1.0) as pdu:
        pdu.device.faults.silent = True
        started = time.monotonic()
        with pytest.raises(DeviceTimeout):
            await pdu.source.read()
        assert time.monotonic() - started < 1.0


async def test_two_users_of_one_name_with_different_keys_do_not_mix():
    mine, theirs = credential(), credential(auth_key=Secret(env="OTHER_KEY"))
    async with rig(APC, PARTS, mine) as one, rig(APC, PARTS, theirs, host="127.0.0.2") as other:
        for _ in range(2):
            assert (await one.source.read()).failures == ()
            assert (await other.source.read()).failures == ()


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"privacy_key": Secret(env="SHORT_KEY")}, "privacy_key has 5 characters, 8 are the least"),
        ({"privacy_key": Secret(env="NOT_SET")}, "NOT_SET is not set"),
    ],
)
def test_a_secret_that_cannot_be_used_is_refused_before_anything_is_sent(given, complaint):
    unusable = credential().model_copy(update=given)
    with pytest.raises(ConfigError, match=complaint):
        PysnmpSession(Address(scheme="snmp", host="127.0.0.1", port=161), unusable)


def test_secrets_are_not_printed():
    printed = repr(Login.of(credential()))
    assert "horse" not in printed
    assert "staple" not in printed
