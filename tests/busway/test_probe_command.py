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
from collectors.profile_library import load_profile
from facility.errors import ConfigError, DeviceError
from simulator.modbus_device import ModbusDevice
from simulator.modbus_server import ModbusServer

PROFILE = "schneider-pm5000"
SITE = """
site: {{name: test}}
devices:
  - {{id: feeder-1, profile: {profile}, address: "modbus://{place}", role: feeder_meter}}
"""


def meter_value(_component: str, quantity: str) -> float | None:
    return {"frequency_hz": 50.0, "voltage_v": 230.0}.get(quantity, 0.5)


@pytest.fixture
async def meter() -> AsyncIterator[str]:
    """HOST:PORT of a simulated meter."""
    device = ModbusDevice("meter", load_profile(PROFILE), meter_value, "127.0.0.1")
    async with ModbusServer([device]) as server:
        host, port = server.address("meter")
        yield f"{host}:{port}"


async def probe(*arguments: str) -> Result:
    line = ["probe", *arguments, "--timeout", "2", "--format", "json"]
    return await asyncio.to_thread(CliRunner().invoke, app, line)


def rows(result: Result) -> dict[tuple[str, str], dict[str, object]]:
    assert result.exit_code == 0, result.exception
    found = [json.loads(line) for line in result.stdout.splitlines()]
    return {(row["component"], row["quantity"]): row for row in found}


async def test_an_address_is_read_with_a_profile_and_no_site(meter: str) -> None:
    found = rows(await probe(meter, "--profile", PROFILE))
    assert len(found) == len(load_profile(PROFILE).points)
    voltage = found["phase.1", "voltage_v"]
    assert voltage["value"] == 230.0
    assert (voltage["unit"], voltage["quality"], voltage["reason"]) == ("V", "good", None)
    assert str(voltage["source"]).startswith("holding ")


async def test_a_device_of_the_site_is_read_by_its_name(meter: str, tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(SITE.format(profile=PROFILE, place=meter), "utf-8")
    found = rows(await probe("feeder-1", "--site", str(site)))
    assert {row["device"] for row in found.values()} == {"feeder-1"}
    assert found["", "frequency_hz"]["value"] == 50.0
    unknown = await probe("feeder-2", "--site", str(site))
    assert isinstance(unknown.exception, ConfigError)
    assert "did you mean 'feeder-1'?" in str(unknown.exception)


async def test_a_device_that_cannot_be_reached_is_an_error_in_one_line() -> None:
    address = f"127.0.0.1:{free_port()}"
    result = await probe(address, "--profile", PROFILE)
    assert result.exit_code == 1
    assert isinstance(result.exception, DeviceError)
    assert str(result.exception).startswith(f"{address}: unreachable: ")
    assert "\n" not in str(result.exception)


async def test_an_address_of_another_protocol_is_refused() -> None:
    result = await probe("snmp://127.0.0.1", "--profile", PROFILE)
    assert isinstance(result.exception, ConfigError)
    assert "expected modbus or modbus+tls, found snmp" in str(result.exception)
