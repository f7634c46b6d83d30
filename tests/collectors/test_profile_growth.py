"""A meter's largest power, and what a device says a count is worth, bound its energy register."""

from __future__ import annotations

import numpy as np
import pytest

from collectors.captures.walk import CaptureSession
from collectors.growth import device_limits, fastest_growth, power_limits
from collectors.modbus.gateway import Gateway
from collectors.modbus.opening import open_modbus
from collectors.modbus.planner import Range
from collectors.modbus.source import ModbusSource
from collectors.plan import change_between, plan_for
from collectors.profile import ModbusPoint, ModbusSection
from collectors.profile_library import load_profile
from collectors.shard import Shard
from collectors.snmp.oid import parse_oid
from collectors.snmp.source import SnmpSource
from facility.quality import Quality
from facility.site import Device, Meter, Site
from simulator.modbus_device import ModbusDevice
from simulator.modbus_server import ModbusServer

GOOD, UNCERTAIN = Quality.GOOD, Quality.UNCERTAIN
METER = "schneider-iem3000"


def device(address: str = "modbus://10.0.0.1", profile: str = METER) -> Device:
    return Device(
        id="m", profile=profile, address=address, role="feeder_meter", interval_seconds=10
    )


def site(max_power_kw: float | None, of: Device) -> Site:
    meter = Meter(id="m", device="m", role="it_input", max_power_kw=max_power_kw)
    return Site(name="one", devices=(of,), meters=(meter,))


def test_a_sites_limits_are_those_its_meters_state() -> None:
    stated = site(500, device())
    assert power_limits(stated) == {"m": {"": 500_000}}
    assert device_limits(stated, "m") == {"": 500_000}
    assert device_limits(stated, "another") == {}
    assert power_limits(site(None, device())) == {}


def test_only_the_energy_register_of_the_metered_component_is_bound() -> None:
    components = ("", "", "phase.1")
    quantities = ("energy_imported_wh", "energy_exported_wh", "energy_imported_wh")
    rates = fastest_growth(components, quantities, {"": 3_600_000})
    np.testing.assert_array_equal(rates, [1000.0, np.nan, np.nan])


def test_a_meter_that_is_given_another_power_is_opened_anew() -> None:
    plans = [plan_for(site(power, device()), Shard()) for power in (500, 500, 600)]
    assert change_between(plans[0], plans[1]).stop == ()
    assert change_between(plans[1], plans[2]).start == ("m",)


@pytest.mark.parametrize(("max_power_kw", "verdict"), [(1, UNCERTAIN), (10_000, GOOD)])
async def test_a_step_that_no_such_power_makes_is_uncertain(
    max_power_kw: float, verdict: Quality
) -> None:
    """10 kWh in the ten seconds of an interval is 3.6 MW."""
    energy = {"wh": 5_000_000.0}

    def shown(_component: str, quantity: str) -> float:
        return energy["wh"] if quantity == "energy_imported_wh" else 0.5

    simulated = ModbusDevice("m", load_profile(METER), shown, "127.0.0.1")
    async with ModbusServer([simulated]) as server:
        host, port = server.address("m")
        there = device(f"modbus://{host}:{port}")
        source = open_modbus(there, load_profile(METER), site(max_power_kw, there))
        try:
            assert (await energy_quality(source)) == GOOD
            energy["wh"] += 10_000
            assert (await energy_quality(source)) == verdict
        finally:
            await source.close()


async def energy_quality(source: ModbusSource | SnmpSource) -> Quality:
    poll = await source.read()
    keys = list(zip(poll.points.components, poll.points.quantities, strict=True))
    return Quality(poll.quality[keys.index(("", "energy_imported_wh"))])


async def test_an_agents_register_is_bound_alike() -> None:
    profile = load_profile("apc-rpdu2")
    energy = parse_oid("1.3.6.1.4.1.318.1.1.26.4.3.1.9.1")
    cells = {energy: 1000}
    pdu = device("snmp://10.0.0.1", profile.name)
    source = SnmpSource(pdu, profile.snmp, CaptureSession(cells), limits={"": 10_000})
    assert await energy_quality(source) == GOOD
    cells[energy] += 1  # 0.1 kWh, one count of a coarse register
    assert await energy_quality(source) == GOOD
    cells[energy] += 3  # 0.3 kWh in ten seconds are 108 kW
    assert await energy_quality(source) == UNCERTAIN


class Line:
    """Registers that a test sets."""

    def __init__(self, words: dict[int, int]) -> None:
        self.words = words

    async def read(self, _unit: int, place: Range, _timeout_s: float) -> bytes:
        words = [self.words.get(address, 0) for address in range(place.address, place.end)]
        return np.array(words, ">u2").tobytes()

    def close(self) -> None:
        pass


def counted(exponent: int, count: int) -> dict[int, int]:
    return {0: count >> 16, 1: count & 0xFFFF, 2: exponent & 0xFFFF}


SCALED = ModbusSection(
    points=(
        ModbusPoint(
            quantity="energy_imported_wh",
            address=0,
            type="uint32",
            exponent_address=2,
            counter={"modulus": 2**32, "max_rate": 100},
        ),
    )
)


@pytest.mark.parametrize(
    ("exponent", "counts", "verdicts"),
    [
        (0, (4_294_967_290, 5), (GOOD, GOOD)),
        (1, (4_294_967_290, 5), (GOOD, GOOD)),
        (3, (4_294_967_290, 5), (GOOD, GOOD)),
        (1, (1000, 3000), (GOOD, UNCERTAIN)),
        (-1, (1000, 3000), (GOOD, UNCERTAIN)),
    ],
)
async def test_a_register_starts_again_where_its_count_does_whatever_the_count_is_worth(
    exponent: int, counts: tuple[int, int], verdicts: tuple[Quality, Quality]
) -> None:
    """The modulus and the rate are counts; 10^exponent watt hours each."""
    line = Line({})
    source = ModbusSource(device(), SCALED, Gateway(line))
    found = []
    for count in counts:
        line.words = counted(exponent, count)
        found.append(await energy_quality(source))
    assert tuple(found) == verdicts


async def test_a_device_that_changes_its_exponent_is_not_suspected() -> None:
    """As SunSpec meters do when a value outgrows its register."""
    line = Line(counted(0, 4_294_967_000))
    source = ModbusSource(device(), SCALED, Gateway(line))
    assert await energy_quality(source) == GOOD
    line.words = counted(1, 429_496_710)  # 100 Wh on, and ten times the worth
    assert await energy_quality(source) == GOOD
    line.words = counted(1, 429_496_720)
    assert await energy_quality(source) == GOOD
