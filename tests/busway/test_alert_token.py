"""Who may tell the alert engine what to do: who bears its token, or is on its machine."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from typer.testing import CliRunner

from busway import health
from busway.alert import _token
from busway.alert_client import Desk
from busway.cli import app
from busway.commands.alerts import ENGINE, run
from busway.health import serve_health, tell
from busway.processes import free_port
from facility.alert_settings import Alerts
from facility.errors import ConfigError, QueryError
from facility.site import Site

TOKEN = "a-long-random-text"


async def _done(_: Mapping[str, str], __: Mapping[str, Any]) -> object:
    return ["done"]


ANSWERS = {("GET", "/alerts"): _done, ("POST", "/alerts/{alert}/ack"): _done}


async def status(port: int, path: str, **headers: str) -> int:
    url = f"http://127.0.0.1:{port}{path}"
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        if answer.status == 401:
            assert answer.headers["WWW-Authenticate"] == "Bearer"
        return answer.status


async def test_only_the_bearer_may_ask_and_health_is_for_all() -> None:
    port = free_port()
    async with serve_health(f"127.0.0.1:{port}", lambda: {"ready": True}, ANSWERS, token=TOKEN):
        address = f"127.0.0.1:{port}"
        assert await tell(address, "GET", "/alerts", token=TOKEN) == ["done"]
        assert await tell(address, "POST", "/alerts/1/ack", {}, token=TOKEN) == ["done"]
        for wrong in ("", "a", TOKEN[:-1], TOKEN + "x"):
            for method, path in (("GET", "/alerts"), ("POST", "/alerts/1/ack")):
                with pytest.raises(QueryError, match="--token-file"):
                    await tell(address, method, path, {} if method == "POST" else None, token=wrong)
        for header in (TOKEN, f"Basic {TOKEN}", "Bearer", "Bearer ä"):
            assert await status(port, "/alerts", Authorization=header) == 401
        assert await status(port, "/alerts", Authorization=f"bearer {TOKEN}") == 200
        assert [await status(port, path) for path in ("/metrics", "/healthz", "/readyz")] == [
            200,
            200,
            200,
        ]


@pytest.mark.parametrize("is_loopback", [True, False])
async def test_without_a_token_only_a_loopback_address_takes_commands(
    is_loopback: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_is_loopback", lambda _: is_loopback)
    port, expected = free_port(), 200 if is_loopback else 401
    async with serve_health(f"127.0.0.1:{port}", lambda: {"ready": True}, ANSWERS):
        assert await status(port, "/alerts") == expected
        assert await status(port, "/alerts", Authorization="Bearer x") == expected
        assert await status(port, "/healthz") == 200


def test_which_addresses_are_of_this_machine_alone() -> None:
    hosts = {"127.0.0.1": True, "127.8.0.1": True, "::1": True, "localhost": True}
    hosts |= {"0.0.0.0": False, "::": False, "10.0.0.1": False, "telemetry-1": False}
    assert {host: health._is_loopback(host) for host in hosts} == hosts


def test_by_default_the_engine_listens_on_this_machine_alone() -> None:
    assert signature(run).parameters["health"].default == ENGINE == "127.0.0.1:9107"


def test_the_token_is_named_by_reference_and_never_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def site(**alerts: Any) -> Site:
        return Site(name="s", devices=(), alerts=Alerts.model_validate(alerts))

    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    assert _token(site()) == ""
    assert _token(site(token={"file": file})) == TOKEN
    assert TOKEN not in repr(site(token={"file": file}))
    monkeypatch.setenv("ALERTS", " ")
    with pytest.raises(ConfigError, match=r"alerts\.token is empty"):
        _token(site(token={"env": "ALERTS"}))
    with pytest.raises(ConfigError, match="secret file"):
        _token(site(token={"file": tmp_path / "nothing"}))


def test_commands_take_it_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    monkeypatch.delenv("BUSWAY_ALERTS_TOKEN", raising=False)
    assert Desk("127.0.0.1:1").token() == ""
    monkeypatch.setenv("BUSWAY_ALERTS_TOKEN", "another")
    assert Desk("127.0.0.1:1").token() == "another"
    assert Desk("127.0.0.1:1", file).token() == TOKEN


def test_an_answer_can_go_to_a_file(tmp_path: Path) -> None:
    file = tmp_path / "rules.csv"
    command = ["alert", "rules", "--format", "csv", "--output", str(file)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert result.output == ""
    assert file.read_text("utf-8").startswith('"name","priority","class"')
