"""What Busway writes is read by others, with no code of Busway's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from brokers import Broker
from processes_rig import Demo, ask_lake, running, write_hall

from facility.site_file import load_site

READER = Path(__file__).with_name("foreign_reader.py")


@pytest.mark.parametrize("table", ["readings", "polls"])
def test_plain_duckdb_reads_the_files_of_a_table(finished_demo: Demo, table: str) -> None:
    files = f"{finished_demo.lake}/data/main/{table}/**/*.parquet"
    query = "select count(*), min(device), max(device) from "
    with duckdb.connect() as plain:
        found = plain.sql(f"{query} read_parquet('{files}')").fetchone()
    (row,) = ask_lake(finished_demo.lake, f"{query} {table}").to_pylist()
    assert found == tuple(row.values())
    assert finished_demo.ended.returncode == 0, finished_demo.ended.stderr
    assert found[0] > 100


def test_plain_arrow_reads_a_message(embedded_broker: Broker, tmp_path: Path) -> None:
    kafka = embedded_broker.settings()
    (address,) = kafka.bootstrap_servers
    site = write_hall(tmp_path, sections=f"\nkafka: {{topic_prefix: {kafka.topic_prefix}}}\n")
    line = ("collect", "--site", str(site), "--health", "127.0.0.1:0")
    with running(*line, "--embedded-broker", address, log=tmp_path / "log") as collector:
        collector.wait_for("Devices are polled")
        read = subprocess.run(
            [sys.executable, READER, address, f"{kafka.topic_prefix}busway.polls"],
            capture_output=True,
            text=True,
            timeout=40,
            check=False,
        )
    assert read.returncode == 0, read.stderr + collector.output
    message = json.loads(read.stdout)
    assert message["headers"]["schema"] == "polls/1"
    assert len(message["devices"]) == int(message["headers"]["rows"]) > 0
    assert set(message["devices"]) <= {device.id for device in load_site(site).devices}
