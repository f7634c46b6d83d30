"""`busway up`: a power cut in the middle, and what the lake says of it afterwards."""

from __future__ import annotations

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
    running,
    wait_for_the_end_of,
    wait_until,
    write_hall,
)

CHILDREN = 4
"""Broker and the server it carries, sink, collector."""
POLL_SECONDS = 3
WINDOW = "timestamptz '2020-01-01', timestamptz '2100-01-01'"
DOUBLED = "from readings select device, component, quantity, ts group by all having count(*) > 1"
CHECKS = ("every_slot_has_a_poll", "every_stored_poll_has_its_readings", "no_batch_is_missing")
BOOKED = "from polls select distinct error where error in ('crash', 'collector_down')"


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
    assert ask_lake(lake, BOOKED).num_rows, "the cut left no slot open: this test tested nothing"
    for check in CHECKS:
        assert not ask_lake(lake, f"from {check}({WINDOW})").to_pylist()
    assert not ask_lake(lake, DOUBLED).to_pylist()
