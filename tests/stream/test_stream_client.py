"""Client settings, errors in our words, and the harness that starts Apache Kafka."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
from apache_kafka import KafkaMissing, fetch_jars, free_ports
from certificates import Authority
from stream_batches import READINGS_TOPIC, readings

from facility.errors import BrokerUnavailable, ConfigError
from facility.secret import Secret
from facility.site import Kafka, Sasl, Tls
from stream import kafka_settings
from stream.broker_watch import LONGEST_DELAY_S, BrokerWatch
from stream.kafka_client import Admin, Consumer, Producer
from stream.kafka_settings import client_settings
from stream.outbox import Outbox
from stream.publisher import DEPTH, Publisher


@pytest.mark.parametrize(
    ("sasl", "tls", "protocol"),
    [
        (False, False, "PLAINTEXT"),
        (False, True, "SSL"),
        (True, False, "SASL_PLAINTEXT"),
        (True, True, "SASL_SSL"),
    ],
)
def test_site_settings_reach_the_client(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sasl: bool, tls: bool, protocol: str
) -> None:
    monkeypatch.setenv("KAFKA_PASSWORD", "sesame")
    ca_file = Authority(tmp_path, "plant").ca_file
    kafka = Kafka(
        bootstrap_servers=("a:9092", "b:9092"),
        sasl=Sasl(user="busway", password=Secret(env="KAFKA_PASSWORD")) if sasl else None,
        tls=Tls(ca_file=ca_file, check_host_name=False) if tls else None,
    )
    settings = client_settings(kafka)
    assert settings["bootstrap_servers"] == ["a:9092", "b:9092"]
    assert settings["security_protocol"] == protocol
    assert settings.get("sasl_plain_password") == ("sesame" if sasl else None)
    assert settings.get("sasl_mechanism") == ("SCRAM-SHA-512" if sasl else None)
    context = settings.get("ssl_context")
    assert (context is not None) == tls
    if tls:
        assert [found["subject"] for found in context.get_ca_certs()]
        assert not context.check_hostname


def test_a_secret_is_read_when_connecting_not_before(tmp_path: Path) -> None:
    kafka = Kafka(
        bootstrap_servers=("127.0.0.1:1",),
        sasl=Sasl(user="busway", password=Secret(file=tmp_path / "absent")),
    )
    with Outbox(tmp_path / "c", collector="c", max_bytes=10**6, when_full="drop_oldest") as outbox:
        publisher = Publisher(outbox, kafka)
        with pytest.raises(ConfigError, match=f"secret file {tmp_path}/absent"):
            publisher.run(threading.Event())


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_settings, "CONNECT_TIMEOUT_S", 0.3)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("kind", [Admin, Producer, Consumer])
def test_a_failed_connection_says_why_and_leaves_nothing(kind: type) -> None:
    (port,) = free_ports(1)
    threads, files = threading.active_count(), open_files()
    with pytest.raises(BrokerUnavailable, match=rf"127\.0\.0\.1:{port}: .*ECONNREFUSED"):
        kind(Kafka(bootstrap_servers=(f"127.0.0.1:{port}",)))
    assert threading.active_count() == threads
    assert open_files() == files


@pytest.mark.usefixtures("impatient")
def test_drain_gives_up_where_nobody_answers(tmp_path: Path) -> None:
    """A socket that is listened on and never read from is the worst kind of broker."""
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        Outbox(tmp_path / "c", collector="c", max_bytes=10**6, when_full="drop_oldest") as outbox,
    ):
        outbox.append(READINGS_TOPIC, readings(1))
        kafka = Kafka(bootstrap_servers=(f"127.0.0.1:{silent.getsockname()[1]}",))
        assert not Publisher(outbox, kafka).drain(0.5)
        assert outbox.depth().waiting == 1
        assert DEPTH._value.get() == 1, "what waits is measured while the broker is away, too"


def test_waits_grow_to_a_bound_and_begin_anew() -> None:
    watch = BrokerWatch("test")
    waits = [watch.lost(BrokerUnavailable("away")) for _ in range(20)]
    assert waits[0] <= 0.1
    assert all(LONGEST_DELAY_S / 2 <= wait <= LONGEST_DELAY_S for wait in waits[10:])
    watch.reached()
    assert watch.lost(BrokerUnavailable("away again")) <= 0.1


def test_a_missing_java_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(KafkaMissing, match="java is not installed"):
        fetch_jars()
