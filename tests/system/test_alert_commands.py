"""`busway alert run` tells a webhook, and the other commands reach it while it runs."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from apache_kafka import free_ports
from processes_rig import running
from typer.testing import CliRunner

from busway.cli import app
from facility.errors import DaemonUnreachable, QueryError
from facility.reading import NAME, READINGS, TOPICS
from facility.site import Kafka
from stream.codec import encode
from stream.embedded import EmbeddedBroker
from stream.kafka_client import Producer
from warehouse.lake import Lake

CLI = CliRunner()
SITE = """
site: {{name: small}}
devices:
  - id: rack-pdu
    profile: schneider-pm5000
    role: rack_pdu
    address: modbus://127.0.0.1:5020?unit=1
    place: {{hall: hall-1}}
    interval_seconds: 10
kafka: {{bootstrap_servers: ["{server}"], topic_prefix: "{prefix}"}}
alerts:
  pack: none
  rules: [rules.yaml]
  hooks:
    ours: {{kind: webhook, url: "{url}"}}
  routes: [{{hooks: [ours], group_wait_seconds: 0, group_interval_seconds: 0}}]
"""
RULES = """
rules:
  - name: power-high
    select: {quantity: active_power_w}
    above: {fire: 1000, clear: 900}
    priority: 2
    class: power
    message: "{device} draws {value} W"
"""


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((time.time(), json.loads(body)))
        self.server.ids.append((self.headers["webhook-id"], body))
        if not self.server.answers.wait(20):
            return
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def receiver() -> Iterator[HTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        server.got, server.ids = [], []
        server.answers = threading.Event()
        server.answers.set()
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def feed(kafka: Kafka, seq: int, watts: float) -> float:
    """Send one reading, and give its time."""
    now = time.time()
    columns = [
        pa.array([int(now * 1e6)]).cast(READINGS.field("ts").type),
        pa.array(["rack-pdu"]).dictionary_encode().cast(NAME),
        pa.array([""]).dictionary_encode().cast(NAME),
        pa.array(["active_power_w"]).dictionary_encode().cast(NAME),
        pa.array([watts]),
        pa.array([0], pa.uint8()),
    ]
    batch = pa.RecordBatch.from_arrays(columns, schema=READINGS)
    producer = Producer(kafka)
    producer.send(encode(batch, topic=TOPICS["readings"], collector="c", seq=seq))
    producer.close()
    return now


def until(holds: Callable[[], Any], what: Callable[[], str]) -> Any:
    deadline = time.monotonic() + 30
    while not (found := holds()):
        assert time.monotonic() < deadline, what()
        time.sleep(0.05)
    return found


def busway(*arguments: str) -> str:
    done = CLI.invoke(app, ["alert", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_an_alert_from_a_reading_to_people_and_back(
    tmp_path: Path, embedded_server: EmbeddedBroker
) -> None:
    kafka = Kafka(bootstrap_servers=embedded_server.bootstrap_servers, topic_prefix="hooks.")
    (port,) = free_ports(1)
    engine = ("--engine", f"127.0.0.1:{port}")
    (tmp_path / "rules.yaml").write_text(RULES)
    with receiver() as server:
        url = f"http://127.0.0.1:{server.server_port}"
        places = {"server": kafka.bootstrap_servers[0], "prefix": kafka.topic_prefix}
        (tmp_path / "site.yaml").write_text(SITE.format(url=url, **places))
        site = ("--site", str(tmp_path / "site.yaml"))
        log = tmp_path / "log"
        with running("alert", "run", *site, "--health", engine[1], log=log) as process:
            process.wait_for("Alerts go on")
            sent_at = feed(kafka, 1, 2000.0)
            until(lambda: server.got, lambda: process.output)
            heard_at, told = server.got[0]
            assert told["alerts"][0]["annotations"]["summary"] == "rack-pdu draws 2000 W"
            assert (
                heard_at - sent_at < 5.0
            )  # the goal is 2 s, on a machine that has nothing else to do
            (row,) = map(json.loads, busway("list", *engine, "--format", "json").splitlines())
            assert (row["state"], row["device"]) == ("firing", "rack-pdu")

            assert "acknowledged" in busway("ack", row["alert"], "--as", "kim", *engine)
            assert "shelved" in busway(
                "shelve", row["alert"], "--hours", "1", "--as", "kim", *engine
            )
            assert "acknowledged" in busway("unshelve", row["alert"], "--as", "kim", *engine)
            made = busway("silence", "device=rack-*", "--as", "kim", "--comment", "works", *engine)
            assert json.loads(busway("list", *engine, "--format", "json"))["is_silenced"]
            assert "works" in busway("silence", *engine)
            busway("silence", "--end", made.split()[1], *engine)

            busway("test", "ours", *engine)
            until(lambda: len(server.got) == 3, lambda: process.output)
            hooks = json.loads(busway("hooks", *engine, "--format", "json"))
            assert (hooks["hook"], hooks["delivered"], hooks["waiting"]) == ("ours", 1, 0)

            feed(kafka, 2, 800.0)
            until(lambda: len(server.got) == 4, lambda: process.output)
            assert server.got[3][1]["status"] == "resolved"
            assert busway("list", *engine) == "No alert stands.\n"

            for wrong, reason in (
                (("ack", "0" * 16, "--as", "kim"), "no alert has the id"),
                (("silence", "devise=x", "--as", "kim"), "did you mean 'device'"),
                (("silence", "device=x", "--hours", "-1", "--as", "kim"), "hours must be"),
                (("shelve", "0" * 16, "--hours", "721", "--as", "kim"), "at most 720"),
                (("shelve", "0" * 16, "--hours", "0", "--as", "kim"), "hours must be"),
                (("test", "our"), "did you mean 'ours'"),
            ):
                with pytest.raises(QueryError, match=reason):
                    busway(*wrong, *engine)
    with pytest.raises(DaemonUnreachable, match="start busway alert run"):
        busway("list", *engine)


def test_kill_9_between_firing_and_delivery(
    tmp_path: Path, embedded_server: EmbeddedBroker
) -> None:
    kafka = Kafka(bootstrap_servers=embedded_server.bootstrap_servers, topic_prefix="killed.")
    (tmp_path / "rules.yaml").write_text(RULES)
    log = tmp_path / "log"
    with receiver() as server:
        url = f"http://127.0.0.1:{server.server_port}"
        places = {"server": kafka.bootstrap_servers[0], "prefix": kafka.topic_prefix}
        (tmp_path / "site.yaml").write_text(SITE.format(url=url, **places))
        command = ("alert", "run", "--site", str(tmp_path / "site.yaml"), "--health", "127.0.0.1:0")
        server.answers.clear()
        with running(*command, log=log) as process:
            process.wait_for("Alerts go on")
            feed(kafka, 1, 2000.0)
            until(lambda: server.ids, lambda: process.output)
            process.end(signal.SIGKILL)
        server.answers.set()
        with running(*command, log=log) as process:
            until(lambda: len(server.ids) == 2, lambda: process.output)
            feed(kafka, 2, 800.0)
            until(lambda: len(server.ids) == 3, lambda: process.output)
            assert process.end(signal.SIGTERM) == 0
    first, again, over = server.ids
    assert first == again
    assert over[0] != first[0]
    assert json.loads(over[1])["status"] == "resolved"


def test_the_history_of_an_alert_comes_from_the_lake(tmp_path: Path) -> None:
    with Lake.create_or_open(tmp_path / "lake") as lake:
        lake.connection.execute(
            "insert into alerts select '2026-10-01 08:00:00+00'::timestamptz + to_seconds(n),"
            " now(), 'a' || (n % 2), n, 'r', 'd', '', 'q', 2, 'power', 'firing', 'normal', 1.0,"
            " 0.5, 'hot', '', '', null, '', null from range(4) as numbers(n)"
        )
    told = busway("history", "a1", "--lake", str(tmp_path / "lake"), "--format", "json")
    assert [json.loads(line)["number"] for line in told.splitlines()] == [1, 3]
    told = busway("history", "--lake", str(tmp_path / "lake"), "--format", "json")
    assert [json.loads(line)["number"] for line in told.splitlines()] == [0, 1, 2, 3]
