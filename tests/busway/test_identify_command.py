"""`busway identify` against simulated devices of the three protocols, on real sockets."""

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
from facility.errors import ConfigError, DeviceError, ProfileError
from facility.site import SnmpCredential
from simulator.dcgm_exporter import DcgmExporters
from simulator.dcgm_node import DcgmNode
from simulator.modbus_device import ModbusDevice
from simulator.modbus_server import ModbusServer
from simulator.snmp_agent import SnmpAgents
from simulator.snmp_device import SnmpDevice

PDU = load_profile("raritan-px3")
METER = load_profile("schneider-pm5000")


@pytest.fixture
async def agent() -> AsyncIterator[str]:
    """HOST:PORT of a simulated PDU."""
    async with SnmpAgents(SnmpCredential()) as agents:
        device = SnmpDevice(PDU, ["inlet.1", "outlet.1"], lambda _component, _quantity: 0.5)
        host, port = await agents.serve(device, "127.0.0.1")
        yield f"{host}:{port}"


@pytest.fixture
async def meter() -> AsyncIterator[str]:
    """HOST:PORT of a simulated meter that is unit 7 and says what it is."""
    says = {0: "Schneider Electric", 1: "METSEPM5320", 2: "02.10.00", 5: "PM5320"}
    device = ModbusDevice("meter", METER, lambda *_: 50.0, "127.0.0.1", unit=7, identification=says)
    async with ModbusServer([device]) as server:
        host, port = server.address("meter")
        yield f"{host}:{port}"


async def run(*arguments: str) -> Result:
    line = ["identify", *arguments, "--timeout", "2"]
    return await asyncio.to_thread(CliRunner().invoke, app, line)


async def rows(*arguments: str) -> list[dict[str, object]]:
    result = await run(*arguments, "--format", "json")
    assert result.exit_code == 0, result.exception
    return [json.loads(line) for line in result.stdout.splitlines()]


async def test_an_agent_is_identified_by_its_object_id(agent: str) -> None:
    (row,) = await rows(f"snmp://{agent}")
    assert PDU.snmp is not None
    prefix = PDU.snmp.identity.sys_object_id
    assert (row["profile"], row["chosen"]) == (PDU.name, True)
    assert row["evidence"] == f"sysObjectID begins with {prefix}"
    assert str(row["answer"]).startswith(f"sysObjectID {prefix}")
    assert row["address"] == f"snmp://{agent}"


async def test_a_unit_is_identified_by_what_it_says_of_itself(meter: str) -> None:
    (row,) = await rows(f"modbus://{meter}", "--unit", "7")
    assert (row["profile"], row["chosen"]) == (METER.name, True)
    assert row["evidence"] == (
        "vendor_name has 'Schneider Electric' and product_code has 'METSEPM5'"
    )
    assert str(row["answer"]).startswith(
        "vendor_name 'Schneider Electric', product_code 'METSEPM5320', revision '02.10.00', "
        "model_name 'PM5320'; no SunSpec marker"
    )
    assert await rows(f"modbus://{meter}?unit=7") == [row]


async def test_a_unit_that_is_not_there_is_the_gateways_word(meter: str) -> None:
    result = await run(f"modbus://{meter}?unit=8")
    assert isinstance(result.exception, DeviceError)
    assert "exception 11 (gateway target failed to respond)" in str(result.exception)


async def test_an_exporter_is_identified_by_its_series() -> None:
    profile = load_profile("nvidia-dcgm-exporter")
    node = DcgmNode(profile, ("gpu.GPU-aaaa",), lambda *_: 1.0, fields=(155, 156))
    async with DcgmExporters() as exporters:
        host, port = await exporters.serve(node, "127.0.0.1")
        (row,) = await rows(f"http://{host}:{port}/metrics")
    assert (row["profile"], row["chosen"]) == (profile.name, True)
    assert str(row["evidence"]).startswith("it knows 2 of the ")


async def test_a_bare_host_is_asked_over_every_protocol(agent: str) -> None:
    """Each has its own deadline; the ones that stay silent are in the answer, with the reason."""
    found = {str(row["address"]).partition("://")[0]: row for row in await rows(agent)}
    assert found.keys() == {"modbus", "snmp", "http"}
    assert (found["snmp"]["profile"], found["snmp"]["chosen"]) == (PDU.name, True)
    for protocol in ("modbus", "http"):
        assert (found[protocol]["profile"], found[protocol]["chosen"]) == (None, False)
        assert str(found[protocol]["answer"]).startswith("unreachable: ")


async def test_a_person_reads_the_profiles_name(agent: str) -> None:
    result = await run(f"snmp://{agent}")
    assert result.stderr == f"{PDU.name}\n"
    assert "sysObjectID begins with" in result.stdout


async def test_where_nothing_answers_each_try_is_named_in_one_line() -> None:
    place = f"127.0.0.1:{free_port()}"
    result = await run(place)
    assert isinstance(result.exception, DeviceError)
    text = str(result.exception)
    assert text.startswith(f"{place}: ")
    assert "\n" not in text
    for address in (f"modbus://{place}?unit=1: unreachable", f"http://{place}/metrics: unreach"):
        assert address in text


async def test_what_answers_and_is_known_to_no_profile_is_shown() -> None:
    unknown = load_profile("ocp-orv3-rpu")
    says = {0: "Nobody", 1: "None-1"}
    device = ModbusDevice("x", unknown, lambda *_: 1.0, "127.0.0.1", identification=says)
    async with ModbusServer([device]) as server:
        host, port = server.address("x")
        result = await run(f"modbus://{host}:{port}")
    assert isinstance(result.exception, ProfileError)
    assert "vendor_name 'Nobody'" in result.stdout


async def test_an_unknown_credential_is_named_with_the_nearest(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(
        "site: {name: test}\n"
        "snmp_credentials: {pdus: {}}\n"
        "devices:\n"
        "  - {id: pdu-a, profile: raritan-px3, address: 'snmp://127.0.0.1', role: rack_pdu,\n"
        "     credential: pdus}\n",
        "utf-8",
    )
    options = ("--site", str(site), "--credential", "pdu")
    bare = await run("127.0.0.1", *options)
    assert isinstance(bare.exception, ConfigError)
    assert str(bare.exception) == "site test has no credential 'pdu'; did you mean 'pdus'?"
    named = await run("snmp://127.0.0.1", *options)
    assert isinstance(named.exception, ConfigError)
    assert str(named.exception) == (
        "site test: snmp_credentials has no 'pdu'; did you mean 'pdus'?"
    )


async def test_a_credential_that_cannot_be_used_is_an_error_in_one_line(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(
        "site: {name: test}\n"
        "snmp_credentials: {pdus: {community: {env: BUSWAY_TEST_NOT_SET}}}\n"
        "devices:\n"
        "  - {id: pdu-a, profile: raritan-px3, address: 'snmp://127.0.0.1', role: rack_pdu,\n"
        "     credential: pdus}\n",
        "utf-8",
    )
    result = await run("snmp://127.0.0.1", "--site", str(site), "--credential", "pdus")
    assert isinstance(result.exception, ConfigError)
    assert "BUSWAY_TEST_NOT_SET" in str(result.exception)
