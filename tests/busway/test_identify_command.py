"""`busway identify` and `busway probe` against a simulated SNMP agent on a real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from busway.cli import app
from collectors.profile_library import load_profile
from facility.errors import ConfigError, DeviceError
from facility.site import SnmpCredential
from simulator.snmp_agent import SnmpAgents
from simulator.snmp_device import SnmpDevice

PROFILE = load_profile("raritan-px3")


@pytest.fixture
async def agent() -> AsyncIterator[str]:
    """HOST:PORT of a simulated PDU."""
    async with SnmpAgents(SnmpCredential()) as agents:
        device = SnmpDevice(PROFILE, ["inlet.1", "outlet.1"], lambda _component, _quantity: 0.5)
        host, port = await agents.serve(device, "127.0.0.1")
        yield f"{host}:{port}"


async def run(*arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, [*arguments, "--timeout", "3"])


async def test_an_agent_is_identified_by_its_object_id(agent: str) -> None:
    result = await run("identify", agent)
    assert result.exit_code == 0, result.exception
    assert PROFILE.snmp is not None
    prefix = PROFILE.snmp.identity.sys_object_id
    assert result.stdout.startswith(f"{PROFILE.name}: sysObjectID begins with {prefix} (")


async def test_an_agent_is_probed_by_its_address(agent: str) -> None:
    result = await run("probe", agent, "--profile", PROFILE.name, "--format", "json")
    assert result.exit_code == 0, result.exception
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert {row["component"] for row in rows} >= {"inlet.1", "outlet.1"}
    assert all(row["source"].startswith("1.3.6.1.4.1.") for row in rows)


async def test_a_silent_agent_is_an_error_in_one_line() -> None:
    result = await run("identify", "127.0.0.1:9")
    assert isinstance(result.exception, DeviceError)
    assert str(result.exception).startswith("127.0.0.1:9: ")
    assert "\n" not in str(result.exception)


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
    for command in (("identify", "127.0.0.1"), ("probe", "pdu-a")):
        result = await run(*command, "--site", str(site), "--credential", "pdu")
        assert isinstance(result.exception, ConfigError)
        assert str(result.exception) == (
            "site test: snmp_credentials has no 'pdu'; did you mean 'pdus'?"
        )
