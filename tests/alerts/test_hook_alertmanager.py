"""A real Alertmanager receives our alerts, groups and shows them, and tells them on."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hook_rig import Story, change, receiver, route, site, telling, until

from alerts.hooks.payload import webhook_payload
from alerts.sample import samples
from facility.alert import State

PROGRAM = "prometheus-alertmanager"
SETTINGS = """
route: {{receiver: hook, group_by: [alertname], group_wait: 1s, group_interval: 1s}}
receivers: [{{name: hook, webhook_configs: [{{url: "{url}"}}]}}]
"""


@pytest.fixture
def program() -> str:
    if found := shutil.which(PROGRAM):
        return found
    reason = f"no {PROGRAM} here; Debian has a package of that name"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


class Manager:
    """A running Alertmanager."""

    def __init__(self, program: str, directory: Path, webhook_url: str) -> None:
        self.port = free_port()
        settings = directory / "alertmanager.yml"
        settings.write_text(SETTINGS.format(url=webhook_url))
        self._command = [
            program,
            f"--config.file={settings}",
            f"--storage.path={directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=",
        ]
        self._log = directory / "log"
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        with self._log.open("a") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def ask(self, path: str) -> Any:
        try:
            with urllib.request.urlopen(f"{self.url}/api/v2/{path}", timeout=2) as answer:
                return json.load(answer)
        except OSError:
            return None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def managers() -> Iterator[list[Manager]]:
    made: list[Manager] = []
    yield made
    for each in made:
        each.kill()


async def test_an_alertmanager_groups_shows_and_forgets_nothing(
    program: str, managers: list[Manager], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alerts.delivery.backoff_s", lambda failures: 0.1)

    async def ask(path: str) -> Any:
        return await asyncio.to_thread(manager.ask, path)

    async def shown(count: int) -> list[dict[str, Any]]:
        for _ in range(200):
            found = await ask("alerts")
            if found is not None and len(found) == count:
                return found
            await asyncio.sleep(0.05)
        pytest.fail(f"{count} alerts never stood, but {found}")

    async with receiver() as got:
        manager = Manager(program, tmp_path, got.url)
        managers.append(manager)
        hooks = {"m": {"kind": "alertmanager", "url": manager.url, "refresh_seconds": 1}}
        made = site(hooks, routes=[route("m", group_by=["device"])], external_url="http://x/y")
        story = Story()
        async with telling(made, tmp_path / "q") as told:
            told.listen(
                story.tell(change("d-0"), change("d-1"), change("d-2", rule="wet", priority=1))
            )
            alerts = await shown(3)
            groups = await ask("alerts/groups")
            told.listen(
                story.tell(
                    change("d-0", State.NORMAL, previous=State.FIRING, number=2),
                    change("d-1", State.NO_DATA, previous=State.FIRING, number=2),
                )
            )
            left = await shown(2)
            manager.kill()
            manager.start()
            again = await shown(2)
            await until(lambda: any(r.data["status"] == "firing" for r in got.requests))
    by_device = {alert["labels"]["device"]: alert for alert in alerts}
    assert by_device["d-2"]["labels"]["severity"] == "critical"
    assert by_device["d-0"]["labels"]["hall"] == "h-0"
    assert by_device["d-0"]["annotations"]["summary"] == "d-0 is hot"
    assert by_device["d-0"]["generatorURL"] == "http://x/y"
    assert sorted((g["labels"]["alertname"], len(g["alerts"])) for g in groups) == [
        ("hot", 2),
        ("wet", 1),
    ]
    for standing in (left, again):
        assert {alert["labels"]["device"] for alert in standing} == {"d-1", "d-2"}
    assert by_device["d-2"]["startsAt"] == next(
        alert["startsAt"] for alert in again if alert["labels"]["device"] == "d-2"
    )
    theirs = got.requests[0].data
    (sample, _) = samples("a", "s", datetime.now(UTC))
    ours = webhook_payload(sample, "")
    assert theirs.keys() == ours.keys()
    assert theirs["version"] == ours["version"]
    assert theirs["alerts"][0].keys() == ours["alerts"][0].keys()
