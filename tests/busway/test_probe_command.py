"""`busway probe` against simulated devices on real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from busway.cli import app
from busway.processes import free_port
from collectors.profile import Profile
from collectors.profile_library import load_profile
from facility.errors import ConfigError, DeviceError
from facility.site import SnmpCredential
from simulator.dcgm_exporter import DcgmExporters
from simulator.dcgm_node import DcgmNode
from simulator.modbus_device import ModbusDevice
from simulator.modbus_faults import Fault
from simulator.modbus_server import ModbusServer
from simulator.snmp_agent import SnmpAgents
from simulator.snmp_device import SnmpDevice

PROFILE = load_profile("schneider-pm5000")
SITE = """
site: {{name: test}}
devices:
  - {{id: feeder-1, profile: {profile}, address: "modbus://{place}", role: feeder_meter}}
"""
PHASE = {"voltage_v": 230.25, "current_a": 10.0, "apparent_power_va": 2302.5}
PHASE |= {"active_power_w": 2210.4, "power_factor_ratio": 0.96, "reactive_power_var": 644.7}
WHOLE = {"frequency_hz": 50.01, "voltage_v": 230.25, "current_a": 10.0}
WHOLE |= {"active_power_w": 6631.2, "apparent_power_va": 6907.5, "power_factor_ratio": 0.96}
WHOLE |= {"reactive_power_var": 1934.1, "energy_imported_wh": 7.2e9, "line_voltage_v": 398.8}


def meter_value(component: str, quantity: str) -> float | None:
    """A balanced load of 6.9 kVA."""
    return (PHASE if component.startswith("phase.") else WHOLE).get(quantity, 0.25)


@pytest.fixture
async def meter() -> AsyncIterator[tuple[str, ModbusServer]]:
    """HOST:PORT of a simulated meter, and its server."""
    device = ModbusDevice("meter", PROFILE, meter_value, "127.0.0.1")
    async with ModbusServer([device]) as server:
        host, port = server.address("meter")
        yield f"{host}:{port}", server


async def probe(*arguments: str) -> Result:
    line = ["probe", *arguments, "--timeout", "2", "--format", "json"]
    return await asyncio.to_thread(CliRunner().invoke, app, line)


def rows(result: Result) -> dict[tuple[str, str], dict[str, object]]:
    assert result.exit_code == 0, result.exception
    found = [json.loads(line) for line in result.stdout.splitlines()]
    return {(row["component"], row["quantity"]): row for row in found}


async def probe_as(profile: str, device: Profile) -> Result:
    """Read a device of one register map by another profile."""
    served = ModbusDevice("meter", device, meter_value, "127.0.0.1")
    async with ModbusServer([served]) as server:
        host, port = server.address("meter")
        return await probe(f"{host}:{port}", "--profile", profile)


def changed(profile: Profile, **of_points: object) -> Profile:
    """The profile with each point changed by a function of it, or to a value."""
    assert profile.modbus is not None
    points = tuple(
        point.model_copy(update={k: v(point) if callable(v) else v for k, v in of_points.items()})
        for point in profile.modbus.points
    )
    section = profile.modbus.model_copy(update={"points": points})
    return profile.model_copy(update={"modbus": section})


async def test_an_address_is_read_with_a_profile_and_no_site(
    meter: tuple[str, ModbusServer],
) -> None:
    result = await probe(meter[0], "--profile", PROFILE.name)
    found = rows(result)
    assert len(found) == len(PROFILE.points)
    voltage = found["phase.1", "voltage_v"]
    assert voltage["value"] == 230.25
    assert voltage["raw"] == "0x4366 0x4000 = 230.25"  # IEEE 754: 1.798828125 x 2^7
    assert (voltage["unit"], voltage["quality"], voltage["reason"]) == ("V", "good", None)
    assert voltage["plausibility"] == "plausible"
    assert str(voltage["source"]).startswith("holding ")
    energy = found["", "energy_imported_wh"]
    assert energy["raw"] == "0x0000 0x0001 0xAD27 0x4800 = 7.2e+09"
    assert {row["plausibility"] for row in found.values()} == {"plausible"}
    assert result.stderr == ""


async def test_swapped_words_are_found_on_the_same_registers(
    meter: tuple[str, ModbusServer],
) -> None:
    """Complaint 7: a wrong order gives plausible nonsense."""
    place, server = meter
    server.set_fault("meter", Fault("word_swapped"))
    result = await probe(place, "--profile", PROFILE.name)
    found = rows(result)
    assert found["", "frequency_hz"]["plausibility"] == "outside 40 to 70 Hz"
    count = len(PROFILE.points)
    assert result.stderr.startswith(
        "probe: the device seems to send word order CDAB, the profile says ABCD, "
        f"with which {count} of {count} points fit; as it is, "
    )


@pytest.mark.parametrize("order", ["BADC", "DCBA"])
async def test_swapped_bytes_are_found(order: str) -> None:
    result = await probe_as(PROFILE.name, changed(PROFILE, word_order=order))
    assert result.stderr.startswith(f"probe: the device seems to send word order {order}, ")


async def test_swapped_bytes_of_single_registers_are_found() -> None:
    """Of 16-bit values no word order but the bytes within can be wrong."""
    profile = load_profile("ocp-orv3-rpu")
    result = await probe_as(profile.name, changed(profile, word_order="BADC"))
    assert "the device seems to send word order BADC, the profile says ABCD" in result.stderr


@pytest.mark.parametrize(("by", "word"), [(-1, "lower"), (1, "higher")])
async def test_addresses_off_by_one_are_found(by: int, word: str) -> None:
    shifted = changed(PROFILE, address=lambda point: point.address + by)
    result = await probe_as(PROFILE.name, shifted)
    assert result.stderr.startswith(
        f"probe: the device seems to count each address one {word} than the profile, with which "
    )


async def test_values_that_contradict_each_other_are_pointed_out() -> None:
    scaled = changed(
        PROFILE, scale=lambda p: p.scale * (10 if p.quantity == "apparent_power_va" else 1)
    )
    result = await probe_as(PROFILE.name, scaled)
    row = rows(result)["phase.1", "apparent_power_va"]
    assert row["quality"] == "good"
    assert row["plausibility"] == "active power 2,210 W is above apparent power 230.3 VA"
    assert "neither another word order nor addresses one off fit more" in result.stderr


async def test_a_device_of_the_site_is_read_by_its_name(
    meter: tuple[str, ModbusServer], tmp_path: Path
) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(SITE.format(profile=PROFILE.name, place=meter[0]), "utf-8")
    found = rows(await probe("feeder-1", "--site", str(site)))
    assert {row["device"] for row in found.values()} == {"feeder-1"}
    assert found["", "frequency_hz"]["value"] == pytest.approx(50.01, abs=1e-5)
    unknown = await probe("feeder-2", "--site", str(site))
    assert isinstance(unknown.exception, ConfigError)
    assert "did you mean 'feeder-1'?" in str(unknown.exception)


async def test_what_the_device_answered_is_kept_for_a_dry_run(
    meter: tuple[str, ModbusServer], tmp_path: Path
) -> None:
    sample = tmp_path / "meter.csv"
    live = rows(await probe(meter[0], "--profile", PROFILE.name, "--save", str(sample)))
    line = ["dry-run", "auto", str(sample), "--format", "json"]
    result = await asyncio.to_thread(CliRunner().invoke, app, line)
    for name, row in rows(result).items():
        assert row | {"device": "probe"} == live[name]
    nowhere = str(tmp_path / "none" / "x")
    refused = await probe(meter[0], "--profile", PROFILE.name, "--save", nowhere)
    assert isinstance(refused.exception, ConfigError)
    assert "none/x: cannot be written" in str(refused.exception)


async def test_an_agents_values_are_shown_as_sent() -> None:
    profile = load_profile("raritan-px3")
    async with SnmpAgents(SnmpCredential()) as agents:
        device = SnmpDevice(profile, ["inlet.1", "outlet.1"], lambda _c, _q: 0.5)
        host, port = await agents.serve(device, "127.0.0.1")
        found = rows(await probe(f"{host}:{port}", "--profile", profile.name))
    factor = found["inlet.1", "power_factor_ratio"]
    assert (factor["raw"], factor["value"]) == ("50", 0.5)  # two decimal digits
    assert str(factor["source"]).startswith("1.3.6.1.4.1.")
    assert {row["component"] for row in found.values()} >= {"inlet.1", "outlet.1"}


async def test_an_exporters_numbers_are_shown_as_printed() -> None:
    profile = load_profile("nvidia-dcgm-exporter")
    node = DcgmNode(profile, ("gpu.GPU-aaaa",), lambda *_: 0.5, fields=(155, 156))
    async with DcgmExporters() as exporters:
        host, port = await exporters.serve(node, "127.0.0.1")
        found = rows(await probe(f"{host}:{port}", "--profile", profile.name))
    energy = found["gpu.GPU-aaaa", "energy_imported_wh"]
    assert (energy["raw"], energy["value"]) == ("1800000", 0.5)  # mJ


async def test_a_device_that_cannot_be_reached_is_an_error_in_one_line() -> None:
    address = f"127.0.0.1:{free_port()}"
    result = await probe(address, "--profile", PROFILE.name)
    assert result.exit_code == 1
    assert isinstance(result.exception, DeviceError)
    assert str(result.exception).startswith(f"{address}: unreachable: ")
    assert "\n" not in str(result.exception)


async def test_an_address_of_another_protocol_is_refused() -> None:
    result = await probe("snmp://127.0.0.1", "--profile", PROFILE.name)
    assert isinstance(result.exception, ConfigError)
    assert "expected modbus or modbus+tls, found snmp" in str(result.exception)
