"""Simulated devices answer as real ones do, and their values come back through the driver."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import numpy as np
import pytest
from pymodbus.client import AsyncModbusTcpClient

from collectors.modbus.opening import open_modbus
from collectors.profile import ModbusPoint, Profile
from collectors.profile_library import load_profile, profile_names
from facility.catalogue import load_catalogue
from facility.errors import ConfigError
from facility.quality import Quality
from facility.site import Device, Site
from simulator.modbus_device import ModbusDevice
from simulator.modbus_faults import Fault
from simulator.modbus_registers import UndefinedRegister, encode
from simulator.modbus_server import ModbusServer

HOST = "127.0.0.1"
MODBUS = [name for name in profile_names() if load_profile(name).protocol == "modbus"]
METER = load_profile("schneider-pm5000")
Value = Callable[[str, str], float | None]


def plausible(component: str, quantity: str) -> float:
    """A value in every quantity's range, different for each point."""
    low, high = load_catalogue()[quantity].range
    shift = sum(map(ord, component + quantity)) % 97 / 100
    if high <= 3:
        return float(high >= 1 and shift > 0.5) if quantity.endswith("_state") else shift
    return max(low, 0.0) + shift + min(40.0, (high - max(low, 0.0)) / 4)


async def read_back(profile: Profile, value: Value) -> tuple[np.ndarray, np.ndarray]:
    async with ModbusServer([ModbusDevice("device", profile, value, HOST)]) as server:
        host, port = server.address("device")
        device = Device.model_validate(
            {
                "id": "device",
                "profile": profile.name,
                "address": f"modbus://{host}:{port}",
                "role": "other_load_meter",
            }
        )
        source = open_modbus(device, profile, Site(name="test", devices=(device,)))
        try:
            poll = await source.read()
        finally:
            await source.close()
        return poll.value, poll.quality


@pytest.mark.parametrize("name", MODBUS)
async def test_each_profile_comes_back_through_the_driver(name: str) -> None:
    profile = load_profile(name)
    value, quality = await read_back(profile, plausible)
    truth = np.array([plausible(p.component, p.quantity) for p in profile.points])
    points = [point for point in profile.points if isinstance(point, ModbusPoint)]
    step = np.array([1e-6 * abs(t) + abs(p.scale) for t, p in zip(truth, points, strict=True)])
    floats = np.array([point.type.startswith("float") for point in points])
    step[floats] = 1e-6 * np.abs(truth[floats])
    np.testing.assert_array_less(np.abs(value - truth), step + 1e-12)
    assert (quality < Quality.BAD).all()


@pytest.mark.parametrize(
    ("point", "value", "registers"),
    [
        ({"type": "int16", "scale": 0.1}, -5.0, [0xFFCE]),
        ({"type": "uint16"}, 70_000.0, [0xFFFF]),  # stops at the end of its range
        ({"type": "uint32"}, 65_536.0, [1, 0]),
        ({"type": "float32"}, 230.0, [0x4366, 0]),
        ({"type": "float64"}, 230.0, [0x406C, 0xC000, 0, 0]),
        ({"type": "float32"}, None, [0x7FC0, 0]),
        ({"type": "uint16", "sentinels": [65535]}, None, [0xFFFF]),
        ({"type": "int16", "negative_means_missing": True}, None, [0xFFFF]),
        ({"type": "int16", "exponent_address": 9, "typical_exponent": -2}, 2.31, [231]),
    ],
)
def test_values_become_registers(
    point: dict[str, object], value: float | None, registers: list[int]
) -> None:
    whole = {"quantity": "voltage_v", "address": 0} | point
    assert encode(ModbusPoint.model_validate(whole), value) == registers


def test_a_counter_shows_whole_counts_and_rolls_over() -> None:
    point = ModbusPoint.model_validate(
        {
            "quantity": "energy_imported_wh",
            "address": 0,
            "type": "uint32",
            "scale": 100,
            "counter": {"modulus": 1000},
        }
    )
    assert encode(point, 99_999.0) == [0, 999]
    assert encode(point, 100_000.0) == [0, 0]


def test_no_value_and_no_way_to_say_so_is_an_undefined_register() -> None:
    point = ModbusPoint.model_validate({"quantity": "voltage_v", "address": 0, "type": "uint16"})
    with pytest.raises(UndefinedRegister):
        encode(point, None)


async def ask(port: int, function: str, address: int, count: int, unit: int = 1) -> object:
    """What a plain pymodbus client gets: registers, or the code of an exception."""
    async with AsyncModbusTcpClient(HOST, port=port, retries=0, timeout=1) as client:
        answer = await getattr(client, function)(address, count=count, device_id=unit)
        return answer.exception_code if answer.isError() else answer.registers or answer.bits


def two_points(**section: object) -> Profile:
    points = [
        {"quantity": "voltage_v", "address": 10, "type": "uint16"},
        {"quantity": "current_a", "address": 12, "type": "uint16"},
        {"quantity": "run_state", "address": 3, "type": "bit", "table": "coil"},
    ]
    return METER.model_copy(
        update={
            "modbus": type(METER.modbus).model_validate({"points": points} | section),
        }
    )


async def test_a_plain_client_reads_values_live_and_undefined_registers_as_exceptions() -> None:
    now = {"voltage_v": 230.0, "current_a": 5.0, "run_state": 1.0}
    device = ModbusDevice("d", two_points(), lambda _, quantity: now[quantity], HOST)
    async with ModbusServer([device]) as server:
        _, port = server.address("d")
        assert await ask(port, "read_holding_registers", 10, 1) == [230]
        now["voltage_v"] = 231.0
        assert await ask(port, "read_holding_registers", 10, 1) == [231]
        assert await ask(port, "read_holding_registers", 10, 3) == 2
        assert await ask(port, "read_input_registers", 10, 1) == 2
        assert await ask(port, "read_coils", 3, 1) == [True] + [False] * 7
        assert await ask(port, "read_coils", 4, 1) == 2
        assert await ask(port, "read_holding_registers", 10, 1, unit=7) == 11


async def test_a_profile_that_reads_across_holes_is_answered_zeros_there() -> None:
    profile = two_points(limits={"largest_gap": 4})
    device = ModbusDevice("d", profile, lambda *_: 7.0, HOST)
    async with ModbusServer([device]) as server:
        _, port = server.address("d")
        assert await ask(port, "read_holding_registers", 10, 3) == [7, 0, 7]


async def test_writes_are_refused() -> None:
    async with ModbusServer([ModbusDevice("d", two_points(), lambda *_: 7.0, HOST)]) as server:
        _, port = server.address("d")
        async with AsyncModbusTcpClient(HOST, port=port) as client:
            answer = await client.write_register(10, 1, device_id=1)
            assert answer.exception_code == 1


async def test_a_hundred_devices_start_and_stop_in_about_a_second() -> None:
    devices = [ModbusDevice(f"d{n}", METER, plausible, f"127.0.2.{n + 1}") for n in range(100)]
    began = time.monotonic()
    async with ModbusServer(devices) as server:
        assert len({server.address(device.id) for device in devices}) == 100
        host, port = server.address("d99")
        _, writer = await asyncio.open_connection(host, port)
        writer.close()
    assert time.monotonic() - began < 2


async def test_two_devices_cannot_be_one_unit() -> None:
    devices = [ModbusDevice(name, METER, plausible, HOST) for name in ("a", "b")]
    with pytest.raises(ConfigError, match="b and a are both unit 1"):
        async with ModbusServer(devices):
            pass


async def test_a_port_in_use_is_named() -> None:
    async with ModbusServer([ModbusDevice("a", METER, plausible, HOST)]) as server:
        _, port = server.address("a")
        with pytest.raises(ConfigError, match=f"cannot listen on {HOST}:{port}"):
            async with ModbusServer([ModbusDevice("b", METER, plausible, HOST, port)]):
                pass


async def test_a_fault_is_one_device_s_and_ends_when_switched_off() -> None:
    devices = [
        ModbusDevice(f"d{unit}", two_points(), lambda *_: 7.0, HOST, unit=unit) for unit in (1, 2)
    ]
    async with ModbusServer(devices) as server:
        _, port = server.address("d1")
        server.set_fault("d1", Fault("refuse", code=6))
        assert await ask(port, "read_holding_registers", 10, 1, unit=1) == 6
        assert await ask(port, "read_holding_registers", 10, 1, unit=2) == [7]
        server.set_fault("d1", None)
        assert await ask(port, "read_holding_registers", 10, 1, unit=1) == [7]
