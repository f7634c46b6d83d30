"""What a person or a network gets wrong: one clear line and a status, or patience."""

from __future__ import annotations

import signal
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from apache_kafka import free_ports
from processes_rig import (
    Demo,
    ask_lake,
    count_readings,
    run_busway,
    running,
    wait_until,
    write_hall,
)

from stream.embedded import EmbeddedBroker

BAD_SITE = """\
site: {name: wrong}
devices:
  - {id: a, profile: schneider-pm500, role: utility_meter, address: "modbus://127.0.0.1:502"}
  - {id: b, profile: schneider-pm5000, role: utility_metre, address: "modbus://127.0.0.1:503"}
  - {id: c, profile: schneider-pm5000, role: utility_meter, address: "modbu://127.0.0.1:504"}
"""
MISTAKES = (":3: devices[0].profile:", ":4: devices[1].role:", ":5: devices[2].address:")
NO_HEALTH = ("--health", "127.0.0.1:0")
INTERVAL_SECONDS = 1.0
BROKER = ("--embedded-broker", "127.0.0.1:1")


@pytest.mark.parametrize(
    "command",
    [
        ("check",),
        ("up", "--site"),
        ("collect", *NO_HEALTH, *BROKER, "--site"),
        ("sink", *NO_HEALTH, *BROKER, "--site"),
        ("simulate", *NO_HEALTH, "--site"),
    ],
    ids=lambda command: command[0],
)
def test_a_wrong_site_file_is_one_line_a_mistake(tmp_path: Path, command: tuple[str, ...]) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(BAD_SITE, "utf-8")
    ended = run_busway(*command, str(site))
    lines = ended.stderr.splitlines()
    assert ended.returncode == 1
    assert len(lines) == len(MISTAKES), ended.stderr
    for line, mistake in zip(lines, MISTAKES, strict=True):
        assert f"{site}{mistake}" in line


@pytest.mark.parametrize(
    ("command", "purpose"),
    [
        (("sink", *NO_HEALTH, *BROKER), "lake"),
        (("collect", *NO_HEALTH, *BROKER), "outbox"),
        (("up",), "log"),
    ],
    ids=["sink", "collect", "up"],
)
def test_a_directory_that_cannot_be_written_is_one_line(
    tmp_path: Path, command: tuple[str, ...], purpose: str
) -> None:
    """A file stands where a directory is needed, which stops even root."""
    (tmp_path / "file").touch()
    places = "\noutbox: {directory: file/outbox}\nlake: {directory: file/lake}\n"
    site = write_hall(tmp_path, sections=places)
    ended = run_busway(*command, "--site", str(site))
    complaints = [line for line in ended.stderr.splitlines() if line.startswith("busway: ")]
    assert ended.returncode == 1
    assert len(complaints) == 1
    assert complaints[0].startswith(f"busway: {purpose} directory {tmp_path / 'file'}/")
    assert "Traceback" not in ended.stderr


def test_a_wrong_column_names_the_right_ones(finished_demo: Demo) -> None:
    ended = run_busway("sql", "--lake", str(finished_demo.lake), "select devise from readings")
    assert ended.returncode == 2
    assert ended.stderr.startswith("busway: ")
    assert '"device"' in ended.stderr
    assert not ended.stdout


def test_a_window_without_data_says_what_there_is(finished_demo: Demo) -> None:
    window = ("--from", "2020-01-01", "--to", "2020-01-02")
    ended = run_busway("pue", "--lake", str(finished_demo.lake), *window)
    (line,) = ended.stderr.splitlines()
    assert ended.returncode == 2
    assert line.startswith("busway: no readings from 2020-01-01 00:00:00+09:00")
    assert not ended.stdout


def test_a_question_without_a_lake_says_so(tmp_path: Path) -> None:
    ended = run_busway("pue", "--lake", str(tmp_path))
    (line,) = ended.stderr.splitlines()
    assert ended.returncode == 1
    assert line.startswith(f"busway: no lake in {tmp_path}")


def test_a_collector_waits_for_its_broker_and_keeps_what_it_reads(tmp_path: Path) -> None:
    broker, health, truth = (f"127.0.0.1:{port}" for port in free_ports(3))
    servers = f"\nkafka: {{bootstrap_servers: ['{broker}']}}\n"
    site, lake = write_hall(tmp_path, sections=servers), tmp_path / "lake"
    named = {"BUSWAY_SITE": str(site)}
    plant = ("simulate", "--health", health, "--truth", truth)
    into_lake = ("sink", *NO_HEALTH, "--embedded-broker", broker)
    with (
        running(*plant, log=tmp_path / "simulate.txt", **named),
        running("collect", *NO_HEALTH, log=tmp_path / "collect.txt", **named) as collector,
    ):
        collector.wait_for("Devices are polled")
        collector.wait_for("The broker cannot be reached; trying on.")
        time.sleep(2 * INTERVAL_SECONDS)
        broker_began_at = datetime.now(UTC)
        with EmbeddedBroker(port=int(broker.rpartition(":")[2])):
            collector.wait_for("The broker is back.")
            with running(*into_lake, log=tmp_path / "sink.txt", **named) as sink:
                wait_until(lambda: count_readings(lake) > 0, within_s=30, what=lambda: sink.output)
                assert collector.end(signal.SIGTERM) == 0, collector.output
                assert sink.end(signal.SIGTERM) == 0, sink.output
    assert collector.output.count("cannot be reached") == 1
    (first,) = ask_lake(lake, "select min(ts) as at from readings").to_pylist()
    assert first["at"] < broker_began_at
    everywhere = "timestamptz '2020-01-01', timestamptz '2100-01-01'"
    for check in ("every_slot_has_a_poll", "no_batch_is_missing"):
        assert not ask_lake(lake, f"from {check}({everywhere})").to_pylist()
