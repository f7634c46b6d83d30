"""docker-compose.yml: valid, unprivileged, and every command of it does its work."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from apache_kafka import free_ports
from brokers import Broker
from processes_rig import BUSWAY, Process, ask_lake, count_readings, run_busway, running, wait_until

from busway.site import load_checked_site
from simulator.demo_site import demo_site_text

ROOT = Path(__file__).parents[2]
COMPOSE_FILE = ROOT / "docker-compose.yml"
SITE_FILE = ROOT / "examples" / "compose" / "site.yaml"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE_FILE.read_text("utf-8"))["services"]
OURS = [name for name, service in SERVICES.items() if "build" in service]
RACKS = 4
PLACE = "/var/lib/busway"
"""Where a container keeps what it must not lose."""


def test_it_keeps_to_the_compose_schema() -> None:
    schema = ("--builtin-schema", "vendor.compose-spec")
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", *schema, COMPOSE_FILE],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_site_is_the_demos_hall_with_places_of_a_container() -> None:
    site = load_checked_site(SITE_FILE)
    text = SITE_FILE.read_text("utf-8")
    assert text.startswith(demo_site_text(RACKS))
    assert yaml.safe_load(text.removeprefix(demo_site_text(RACKS))) == {
        "kafka": {"bootstrap_servers": ["kafka:9092"]},
        "outbox": {"directory": "/var/lib/busway/outbox"},
        "lake": {"directory": "/var/lib/busway/lake"},
    }
    assert site.kafka.bootstrap_servers == ("kafka:9092",)


def test_the_image_runs_as_a_user_without_rights() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    (user,) = re.findall(r"^USER (\S+)$", dockerfile, re.MULTILINE)
    assert user not in ("root", "0")
    assert f" {user}\n" in dockerfile[: dockerfile.index("USER ")]


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_runs_as_root(name: str) -> None:
    service = SERVICES[name]
    assert not service.get("privileged")
    if name in OURS:
        assert "user" not in service
        assert service["cap_drop"] == ["ALL"]
    else:
        assert str(service["user"]) not in ("root", "0")


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_has_a_health_check(name: str) -> None:
    test = SERVICES[name]["healthcheck"]["test"]
    assert test[0] == "CMD"
    if name in OURS:
        command = SERVICES[name]["command"]
        assert test[1:] == ["busway", "health", command[command.index("--health") + 1]]


@pytest.mark.parametrize("name", SERVICES)
def test_state_lies_in_named_volumes(name: str) -> None:
    """All else that is mounted is read only."""
    named = yaml.safe_load(COMPOSE_FILE.read_text("utf-8"))["volumes"]
    for volume in SERVICES[name].get("volumes", ()):
        source, _, rest = volume.partition(":")
        assert source in named or rest.endswith(":ro"), volume


def write_local_site(directory: Path, broker: Broker) -> Path:
    """The example's site with one rack, and with this machine's places."""
    modbus, snmp, http = free_ports(3)
    kafka = broker.settings()
    servers = f"[{', '.join(kafka.bootstrap_servers)}]\n  topic_prefix: {kafka.topic_prefix}"
    sections = SITE_FILE.read_text("utf-8").removeprefix(demo_site_text(RACKS))
    for container, local in (("[kafka:9092]", servers), (PLACE, str(directory))):
        assert container in sections
        sections = sections.replace(container, local)
    site = directory / "site.yaml"
    hall = demo_site_text(1, modbus_port=modbus, snmp_port=snmp, http_port=http)
    site.write_text(hall + sections, "utf-8")
    return site


def named_question() -> str:
    """The question to the sink's lake that the file's own first lines name."""
    (question,) = re.findall(
        r"^#   docker compose exec sink busway (.+)$", COMPOSE_FILE.read_text("utf-8"), re.MULTILINE
    )
    return str(question)


def is_healthy(name: str) -> bool:
    """What the service's own check says."""
    program, *arguments = SERVICES[name]["healthcheck"]["test"][1:]
    assert program == "busway"
    check = subprocess.run([*BUSWAY, *arguments], capture_output=True, timeout=10, check=False)
    return check.returncode == 0


def test_every_command_becomes_healthy_and_ends_at_sigterm(
    apache_broker: Broker, tmp_path: Path
) -> None:
    site = write_local_site(tmp_path, apache_broker)
    lake = tmp_path / "lake"
    processes: dict[str, Process] = {}
    with ExitStack() as stack:
        for name in OURS:
            command = SERVICES[name]["command"]
            log = tmp_path / f"{name}.log"
            processes[name] = stack.enter_context(
                running(*command, log=log, BUSWAY_SITE=str(site), BUSWAY_LOG_FORMAT="json")
            )
        for name, process in processes.items():
            wait_until(
                lambda name=name: is_healthy(name),
                within_s=40,
                what=lambda process=process: process.output,
            )
        wait_until(lambda: count_readings(lake) > 1_000, within_s=20, what="readings in the lake")
        for name in ("collector-0", "collector-1", "simulator", "alerts", "sink", "maintain"):
            assert processes[name].end(signal.SIGTERM) == 0, processes[name].output
    stored = ask_lake(lake, "select distinct device from readings")
    assert len(stored) == len(load_checked_site(site).devices)
    question = named_question().replace(PLACE, str(tmp_path)).split()
    answer = run_busway(*question, "--format", "csv")
    assert answer.returncode == 0, answer.stderr
    assert len(answer.stdout.splitlines()) == 1 + 3
