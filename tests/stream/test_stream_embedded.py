"""The embedded broker's life as a child process."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from facility.errors import BrokerUnavailable, ConfigError
from facility.site import Kafka
from stream.embedded import EmbeddedBroker
from stream.kafka_client import Admin


def test_it_answers_when_start_returns_and_not_after_stop(tmp_path: Path) -> None:
    log = tmp_path / "broker.log"
    broker = EmbeddedBroker(log_file=log)
    assert broker.bootstrap_servers == ()
    with broker:
        assert broker.is_running
        admin = Admin(Kafka(bootstrap_servers=broker.bootstrap_servers))
        assert admin.partitions(["busway.readings"]) == {}
        admin.close()
    assert not broker.is_running
    assert b"listening on" in log.read_bytes()
    host, port = broker.bootstrap_servers[0].split(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))


def test_stop_is_safe_before_start_and_twice() -> None:
    broker = EmbeddedBroker()
    broker.stop()
    with broker:
        broker.stop()


def test_a_taken_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"port {port} of 127\.0\.0\.1 is taken"):
            EmbeddedBroker(port=port).start()


def test_an_address_that_is_not_ours_is_named() -> None:
    with pytest.raises(ConfigError, match=r"192\.0\.2\.1:9092 cannot be listened on"):
        EmbeddedBroker(host="192.0.2.1", port=9092).start()


def test_a_missing_binary_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALF_TANSU_BIN", "/nowhere/tansu")
    with pytest.raises(ConfigError, match=r"/nowhere/tansu.*kafka\.bootstrap_servers"):
        EmbeddedBroker().start()


def test_a_broker_that_ends_at_once_is_quoted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    binary = tmp_path / "tansu"
    binary.write_text("#!/bin/sh\necho the moon is full\nexit 3\n")
    binary.chmod(binary.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("CALF_TANSU_BIN", str(binary))
    with pytest.raises(BrokerUnavailable, match=r"status 3; it said: the moon is full"):
        EmbeddedBroker().start()
