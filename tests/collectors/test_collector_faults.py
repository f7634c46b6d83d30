"""The collector with real drivers before a plant in which something is wrong."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import pytest
from daemon_rig import READINGS, Place, assert_dense, assert_kinds, running, until, whats
from dcgm_rig import COMPONENTS, FIELDS
from dcgm_rig import PROFILE as DCGM
from dcgm_rig import Plant as GpuPlant
from modbus_rig import HOST, address_value, meter_value, profile, registers
from snmp_rig import APC, Plant

from collectors import poller as poller_module
from collectors.daemon import Daemon
from collectors.open_source import open_source
from collectors.poller import LONGEST_BACKOFF_S, PATIENCE_POLLS, backoff_s
from collectors.profile import Profile
from collectors.source import Source
from facility.site import Device, Site, SnmpCredential
from simulator.dcgm_exporter import DcgmExporters
from simulator.dcgm_node import DcgmNode
from simulator.modbus_device import ModbusDevice
from simulator.modbus_faults import Fault
from simulator.modbus_server import ModbusServer
from simulator.snmp_agent import SnmpAgents
from simulator.snmp_device import SnmpDevice

METER = registers(*range(20))


@pytest.fixture
def place(tmp_path: Path) -> AsyncIterator[Place]:
    place = Place(tmp_path)
    yield place
    place.outbox.close()


def polled(device: str, address: str, *, interval_s: float = 0.2, timeout_s: float = 0.3) -> Device:
    """A device polled faster than a site file would allow, to keep tests short."""
    slow = Device(id=device, profile="any", address=address, role="feeder_meter")
    return slow.model_copy(update={"interval_seconds": interval_s, "timeout_seconds": timeout_s})


def collector(place: Place, profiles: dict[str, Profile], *devices: Device) -> Daemon:
    """A daemon that opens each device with the driver of its profile."""

    def open_device(device: Device, site: Site) -> Source:
        return open_source(device, profiles[device.id], site)

    return place.daemon(*devices, open_device=open_device)


@contextmanager
def black_hole() -> Iterator[int]:
    """A port where connections are taken and never answered."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen()
        yield listener.getsockname()[1]


async def test_a_dead_device_of_each_protocol_delays_no_slot_of_any_other(place: Place) -> None:
    """[1] [2] [23] What is dead costs its own task, and nothing else."""
    profiles: dict[str, Profile] = {}
    devices: list[Device] = []
    async with AsyncExitStack() as stack:
        meters = [ModbusDevice(f"meter-{n}", METER, address_value, f"127.0.0.{n}") for n in (1, 2)]
        server = await stack.enter_async_context(ModbusServer(meters))
        agents = await stack.enter_async_context(SnmpAgents(SnmpCredential()))
        exporters = await stack.enter_async_context(DcgmExporters())
        hole = stack.enter_context(black_hole())

        def add(device: Device, of: Profile) -> None:
            devices.append(device)
            profiles[device.id] = of

        add(polled("dead-meter", f"modbus://{HOST}:{hole}"), METER)
        for meter in meters:
            host, port = server.address(meter.id)
            add(polled(meter.id, f"modbus://{host}:{port}"), METER)
        for name, address in (("dead-pdu", "127.0.0.1"), ("pdu", "127.0.0.2")):
            agent = SnmpDevice(APC, ("", "phase.1"), Plant())
            agent.faults.silent = name.startswith("dead")
            host, port = await agents.serve(agent, address)
            add(polled(name, f"snmp://{host}:{port}"), APC)
        for name, address in (("dead-node", "127.0.0.1"), ("node", "127.0.0.2")):
            node = DcgmNode(DCGM, COMPONENTS, GpuPlant().value, fields=FIELDS)
            node.faults.stalled = name.startswith("dead")
            host, port = await exporters.serve(node, address)
            add(polled(name, f"http://{host}:{port}"), DCGM)
        async with running(collector(place, profiles, *devices)):
            await asyncio.sleep(2.0)
    ledger = place.ledger()
    for device in devices:
        assert_dense(ledger[device.id], device)
        if device.id.startswith("dead"):
            assert whats(ledger[device.id])["timeout"] >= 3
            assert "read" not in whats(ledger[device.id])
            assert {row["points_good"] for row in ledger[device.id]} == {0}
            assert all(row["points_expected"] > 0 for row in ledger[device.id])
        else:
            assert_kinds(ledger[device.id], "read")


async def test_20_meters_of_34_floats_are_published_without_a_stall(place: Place) -> None:
    """[25] More than 14 Modbus meters x 34 floats, and publishing stops."""
    of = profile(
        *(
            {"quantity": "current_a", "component": str(n), "address": 2 * n, "type": "float32"}
            for n in range(34)
        )
    )
    meters = [ModbusDevice(f"meter-{n}", of, meter_value, f"127.0.1.{n}") for n in range(1, 21)]
    async with ModbusServer(meters) as server:
        devices = [
            polled(m.id, "modbus://{}:{}".format(*server.address(m.id)), timeout_s=1.0)
            for m in meters
        ]
        async with running(collector(place, dict.fromkeys((m.id for m in meters), of), *devices)):
            await asyncio.sleep(1.5)
    ledger = place.ledger()
    for device in devices:
        assert_dense(ledger[device.id], device)
        assert_kinds(ledger[device.id], "read")
        assert len(ledger[device.id]) >= 6
    read = sum(whats(rows)["read"] for rows in ledger.values())
    assert len(place.stored(READINGS)) == 34 * read


async def test_a_dead_unit_behind_a_gateway_is_left_alone_and_comes_back_by_itself(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """[1] [6] Back off a dead unit alone."""
    monkeypatch.setattr(poller_module, "LONGEST_BACKOFF_S", 0.5)
    of = registers(0)
    units = [ModbusDevice(f"unit-{u}", of, lambda *_: 7.0, HOST, unit=u) for u in (1, 2, 3)]
    async with ModbusServer(units) as server:
        host, port = server.address("unit-1")
        devices = [
            polled(f"unit-{u}", f"modbus://{host}:{port}?unit={u}", interval_s=0.1, timeout_s=0.2)
            for u in (1, 2, 3)
        ]
        daemon = collector(place, dict.fromkeys(("unit-1", "unit-2", "unit-3"), of), *devices)
        async with running(daemon):
            await until(lambda: daemon.health()["devices_up"] == 3)
            server.set_fault("unit-2", Fault("silent"))
            await asyncio.sleep(1.5)
            assert daemon.health()["devices_up"] == 2
            server.set_fault("unit-2", None)
            await until(lambda: daemon.health()["devices_up"] == 3)
    ledger = place.ledger()
    for device in devices:
        assert_dense(ledger[device.id], device)
    assert whats(ledger["unit-1"]).keys() <= {"read", "overrun"}
    assert whats(ledger["unit-3"]).keys() <= {"read", "overrun"}
    assert {"timeout", "backoff", "read"} <= whats(ledger["unit-2"]).keys()


async def test_a_name_server_that_hangs_stalls_neither_devices_known_by_address_nor_storing(
    place: Place,
) -> None:
    """Look-ups that hang hold the event loop's threads; nothing else may need them."""
    loop, answered = asyncio.get_running_loop(), threading.Event()
    async with AsyncExitStack() as stack:
        stack.callback(answered.set)
        meter = ModbusDevice("meter", METER, address_value, HOST)
        server = await stack.enter_async_context(ModbusServer([meter]))
        agents = await stack.enter_async_context(SnmpAgents(SnmpCredential()))
        exporters = await stack.enter_async_context(DcgmExporters())
        agent = SnmpDevice(APC, ("", "phase.1"), Plant())
        node = DcgmNode(DCGM, COMPONENTS, GpuPlant().value, fields=FIELDS)
        places = {
            "meter": ("modbus", *server.address("meter")),
            "pdu": ("snmp", *await agents.serve(agent, HOST)),
            "node": ("http", *await exporters.serve(node, HOST)),
        }
        devices = [polled(name, "{}://{}:{}".format(*place)) for name, place in places.items()]
        profiles = {"meter": METER, "pdu": APC, "node": DCGM}
        daemon = collector(place, profiles, *devices)
        async with running(daemon):
            await until(lambda: daemon.health()["devices"] == 3)
            hanging = [loop.run_in_executor(None, answered.wait, 20) for _ in range(64)]
            await until(lambda: place.ledger().keys() == profiles.keys())
            await asyncio.sleep(0.6)
            assert daemon.health()["ready"]
            assert not any(look_up.done() for look_up in hanging)
            answered.set()
        for name in profiles:
            assert_kinds(place.ledger()[name], "read")
    await asyncio.gather(*hanging)


def test_back_off_is_jittered_so_that_a_hall_does_not_come_back_at_one_moment() -> None:
    """A power cut takes a thousand devices at once; they must not all be asked again at once."""
    chances = [n / 100 for n in range(101)]
    rests = {backoff_s(PATIENCE_POLLS, 1.0, chance) for chance in chances}
    assert len(rests) == 101
    assert (min(rests), max(rests)) == (1.0, 2.0)
    longest = [backoff_s(failures, 1.0, 0.0) for failures in range(PATIENCE_POLLS, 5000)]
    assert longest[:5] == [2.0, 4.0, 8.0, 16.0, LONGEST_BACKOFF_S]
    assert max(longest) == LONGEST_BACKOFF_S
