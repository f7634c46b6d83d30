"""`busway up`: a power cut in the middle, and what the lake says of it afterwards."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

from apache_kafka import free_ports
from processes_rig import (
    Process,
    ask_lake,
    count_readings,
    descendants,
    kill,
    run_busway,
    running,
    wait_for_the_end_of,
    wait_until,
    write_hall,
)

CHILDREN = 6
"""Broker and the server it carries, sink, collector, alerts, upkeep."""
POLL_SECONDS = 3
WINDOW = "timestamptz '2020-01-01', timestamptz '2100-01-01'"
DOUBLED = "from readings select device, component, quantity, ts group by all having count(*) > 1"
CHECKS = (
    "every_slot_has_a_poll",
    "every_stored_poll_has_its_readings",
    "ledger_balances",
    "no_batch_is_missing",
)
BOOKED = (
    "from polls select split_part(error, ':', 1) as reason, outcome, count(*) as slots"
    " where reason in ('crash', 'collector_down') group by all order by all"
)
LEDGER = {"scheduled", "stored", "failed", "dropped", "points_expected", "points_good"}
LATENCY = {"latency_p50_s", "latency_p99_s"}


def cut_the_power(up: Process) -> None:
    everything = [up.popen.pid, *descendants(up.popen.pid)]
    assert len(everything) == 1 + CHILDREN
    kill(everything)
    up.popen.wait(10)
    wait_for_the_end_of(everything, within_s=5)


def test_a_power_cut_loses_and_doubles_nothing(tmp_path: Path) -> None:
    site, lake = write_hall(tmp_path), tmp_path / "lake"
    health, truth = (f"127.0.0.1:{port}" for port in free_ports(2))
    plant = ("simulate", "--site", str(site), "--health", health, "--truth", truth)
    command = ("up", "--site", str(site))
    with running(*plant, log=tmp_path / "simulate.txt"):
        with running(*command, log=tmp_path / "up-1.txt") as up:
            up.wait_for("Everything runs")
            wait_until(lambda: count_readings(lake) > 0, within_s=20, what=lambda: up.output)
            time.sleep(POLL_SECONDS)
            cut_the_power(up)
        before = count_readings(lake)
        with running(*command, log=tmp_path / "up-2.txt") as up:
            up.wait_for("Everything runs")
            time.sleep(POLL_SECONDS)
            assert up.end(signal.SIGTERM) == 0, up.output
    assert count_readings(lake) > before > 0
    booked = ask_lake(lake, BOOKED).to_pylist()
    assert booked, "the cut left no slot open: this test tested nothing"
    assert {(row["reason"], row["outcome"]) for row in booked} <= {
        ("crash", "failed"),
        ("collector_down", "dropped"),
    }
    for check in CHECKS:
        assert not ask_lake(lake, f"from {check}({WINDOW})").to_pylist()
    assert not ask_lake(lake, DOUBLED).to_pylist()
    the_ledger_balances(lake)


def the_ledger_balances(lake: Path) -> None:
    """As `busway ledger` shows it to a person: per device and hour."""
    shown = run_busway("ledger", "--lake", str(lake), "--format", "json")
    assert shown.returncode == 0, shown.stderr
    rows = [json.loads(line) for line in shown.stdout.splitlines()]
    devices = ask_lake(lake, "from devices select distinct device").num_rows
    assert len({row["device"] for row in rows}) == devices
    for row in rows:
        assert row.keys() >= LEDGER | LATENCY
        assert row["scheduled"] == row["stored"] + row["failed"] + row["dropped"]
        assert row["latency_p50_s"] <= row["latency_p99_s"]
    scheduled = sum(row["scheduled"] for row in rows)
    assert scheduled == ask_lake(lake, "from polls select 1").num_rows
