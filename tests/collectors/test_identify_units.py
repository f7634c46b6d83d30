"""What a Modbus unit is known by, over real sockets."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from modbus_rig import HOST, profile, raw_server

from collectors.identify.address import LineUnit, identify_at
from collectors.identify.finding import Finding
from collectors.identify.unit import identify_unit
from collectors.lone_device import lone_device
from collectors.modbus.identification import Page, parse_page
from collectors.modbus.transport import ModbusTransport
from collectors.profile import Profile
from collectors.profile_library import load_profile
from facility.address import Address
from facility.errors import DeviceGarbled, DeviceTimeout, DeviceUnreachable, ProfileError
from facility.site import Device, Site
from simulator.modbus_device import ModbusDevice
from simulator.modbus_faults import Fault
from simulator.modbus_server import ModbusServer

METER = load_profile("schneider-pm5000")
VALUES = {"voltage_v": 230.0, "current_a": 0.0, "frequency_hz": 50.0, "power_factor_ratio": 1.0}


def idle(_component: str, quantity: str) -> float:
    """An idle meter: everything but voltage and frequency is 0."""
    return VALUES.get(quantity, 0.0)


def device_at(host: str, port: int, seconds: float = 4.0) -> Device:
    return lone_device("x", "", Address(scheme="modbus", host=host, port=port), seconds)


@asynccontextmanager
async def served(
    of: Profile, says: Mapping[int, str] | None = None
) -> AsyncIterator[tuple[Device, ModbusServer]]:
    """A simulated device and its address."""
    device = ModbusDevice("meter", of, idle, HOST, identification=says or {})
    async with ModbusServer([device]) as server:
        yield device_at(*server.address("meter")), server


async def identify(of: Profile, says: Mapping[int, str] | None = None) -> Finding:
    async with served(of, says) as (device, _):
        return await identify_at(device, Site(name="test", devices=()))


async def choose(among: Sequence[Profile], device: Device) -> Finding:
    transport = ModbusTransport(*device.address.endpoint)
    try:
        return await identify_unit(LineUnit(device, transport), among)
    finally:
        transport.close()


def lettered(name: str, *addresses: int, **identity: object) -> Profile:
    """A profile of a frequency at 0 and of voltages at these addresses."""
    points = [{"quantity": "frequency_hz", "address": 0, "type": "uint16"}]
    points += [
        {"quantity": "voltage_v", "component": str(a), "address": a, "type": "uint16"}
        for a in addresses
    ]
    return profile(*points, identity=identity).model_copy(update={"name": name})


KNOWN = {"known_value": {"quantity": "frequency_hz", "between": [45, 65]}}


async def test_without_identification_a_known_value_speaks_and_most_points_decide() -> None:
    """Two models of one maker share the frequency's register; one has more of the points."""
    found = await identify(METER)
    names = [fit.profile.name for fit in found.fits]
    assert names[:2] == ["schneider-pm5000", "schneider-iem3000"]
    count = len(METER.points)
    assert found.chosen().evidence == (
        f"frequency_hz is 50, expected 45 to 65; {count} of {count} points are plausible"
    )
    assert found.said.startswith("no identification (exception 1 (illegal function)")


async def test_what_the_unit_says_outweighs_a_value() -> None:
    found = await identify(METER, {0: "SIEMENS AG", 1: "SENTRON PAC4200"})
    assert found.chosen().profile.name == "siemens-pac4200"
    assert found.chosen().evidence == "vendor_name has 'Siemens'"


async def test_a_unit_that_says_it_is_another_is_not_known_by_a_value() -> None:
    found = await identify(METER, {0: "Nobody", 1: "N-1"})
    assert not {"schneider-pm5000", "schneider-iem3000"} & {fit.profile.name for fit in found.fits}


async def test_objects_that_take_several_answers_are_put_together() -> None:
    says = {n: f"{n}" * 90 for n in range(7)}
    found = await identify(METER, says)
    for n, name in ((0, "vendor_name"), (6, "user_application_name")):
        assert f"{name} '{says[n]}'" in found.said


async def test_profiles_that_fit_equally_are_all_listed() -> None:
    one, twin = lettered("one", 1, 2, **KNOWN), lettered("twin", 2, 1, **KNOWN)
    part, other = lettered("part", 1, **KNOWN), lettered("other", 1, 2)
    async with served(one) as (device, _):
        found = await choose([part, one, other, twin], device)
    assert [fit.profile.name for fit in found.best] == ["one", "twin"]
    assert [fit.profile.name for fit in found.fits] == ["one", "twin", "part"]
    with pytest.raises(ProfileError, match="one and twin fit equally"):
        found.chosen()


async def test_a_value_alone_does_not_speak_for_a_profile_whose_points_are_missing() -> None:
    wide = lettered("wide", *range(10, 20), **KNOWN)
    async with served(lettered("one", 1, 2)) as (device, _):
        assert (await choose([wide], device)).fits == ()


def text_words(text: str, count: int) -> list[int]:
    return list(struct.unpack(f">{count}H", text.encode().ljust(2 * count, b"\0")))


async def test_a_sunspec_device_is_known_by_the_model_where_the_profile_reads_it() -> None:
    common = [0x5375, 0x6E53, 1, 66, *text_words("Acme", 16), *text_words("PM-1", 16)]
    words = dict(enumerate(common, 40000))
    words |= dict.fromkeys(range(40036, 40070), 0)
    words |= {40070: 213, 40071: 124, 40196: 0xFFFF, 40197: 0}
    points = [
        {"quantity": "rated_power_w", "component": str(a), "address": a, "type": "uint16"}
        for a in words
    ]
    held = ModbusDevice("x", profile(*points), lambda c, _: float(words[int(c)]), HOST)
    async with ModbusServer([held]) as server:
        found = await identify_at(device_at(*server.address("x")), Site(name="t", devices=()))
    assert found.said.endswith("SunSpec at 40000: 'Acme' 'PM-1', models 1 at 40002, 213 at 40070")
    assert [fit.profile.name for fit in found.fits] == ["sunspec213-meter"]
    assert found.chosen().evidence == "SunSpec model 213 stands at 40070"


def only_registers(request: bytes) -> bytes:
    """A device whose every register holds 50, and which is silent to all but reads of them."""
    if request[7] not in (3, 4):
        return b""
    count = int.from_bytes(request[10:12])
    answer = bytes((request[7], 2 * count)) + b"\0\x32" * count
    return request[:4] + struct.pack(">H", len(answer) + 1) + request[6:7] + answer


async def test_a_unit_silent_to_the_question_is_known_by_its_values() -> None:
    async with raw_server(only_registers) as port:
        found = await choose([lettered("one", 1, 2, **KNOWN)], device_at(HOST, port, 1.0))
    assert found.said == "no identification (no answer); no SunSpec marker"
    assert found.chosen().profile.name == "one"


async def test_a_silent_unit_and_a_closed_port_are_told_apart() -> None:
    async with served(METER) as (device, server):
        server.set_fault("meter", Fault("silent"))
        quick = device.model_copy(update={"timeout_seconds": 0.4})
        with pytest.raises(DeviceTimeout, match="gave no answer"):
            await choose([METER], quick)
    with pytest.raises(DeviceUnreachable):
        await choose([METER], device_at(HOST, 1))


def test_a_page_is_read_by_the_standard() -> None:
    """Modbus Application Protocol V1.1b3, 6.21: the example's form, with two objects."""
    page = parse_page(b"\x0e\x02\x83\xff\x02\x02\x00\x04Acme\x01\x03P-1")
    assert page == Page({0: "Acme", 1: "P-1"}, 2)


@given(st.binary(max_size=260) | st.binary(max_size=40).map(lambda b: b"\x0e\x02\x83\x00\x00" + b))
def test_any_bytes_are_a_page_or_refused(data: bytes) -> None:
    with suppress(DeviceGarbled):
        assert all(isinstance(text, str) for text in parse_page(data).objects.values())
