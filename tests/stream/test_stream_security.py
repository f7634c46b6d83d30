"""Kafka over TLS and with a login, against Apache Kafka and certificates made here."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from apache_kafka import KafkaMissing
from secure_kafka import PASSWORD, USER, SecureKafka
from stream_batches import READINGS_TOPIC, readings
from structlog.testing import capture_logs

from facility.errors import BrokerRefused, ConfigError
from facility.secret import Secret
from facility.site import Kafka, Sasl, Tls
from stream import kafka_settings
from stream.kafka_client import Admin
from stream.outbox import Outbox
from stream.publisher import Publisher
from stream.refusals import diagnose
from stream.subscriber import Subscriber

MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    try:
        kafka = SecureKafka(tmp_path_factory.mktemp("secure"))
    except KafkaMissing as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    try:
        kafka.server.start()
        yield kafka
    finally:
        kafka.server.stop()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_settings, "CONNECT_TIMEOUT_S", 1.0)


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox(
        tmp_path / "c.sqlite", collector="c-1", max_bytes=10**7, when_full="drop_oldest"
    ) as opened:
        for number in range(1, 6):
            opened.append(READINGS_TOPIC, readings(number))
        yield opened


def login(directory: Path, mechanism: str = "SCRAM-SHA-512", password: str = PASSWORD) -> Sasl:
    file = directory / "password"
    file.write_text(password)
    return Sasl.model_validate(
        {"mechanism": mechanism, "user": USER, "password": Secret(file=file)}
    )


def with_login(secure: SecureKafka, directory: Path, mechanism: str) -> Kafka:
    return secure.settings("LOGIN", sasl=login(directory, mechanism))


def with_certificate(secure: SecureKafka, directory: Path, _: str) -> Kafka:
    certificate, key = secure.authority.issue("collector", host="collector-1")
    tls = secure.tls(certificate_file=certificate, key_file=key)
    return secure.settings("MUTUAL", tls=tls)


Enter = Callable[[SecureKafka, Path, str], Kafka]


@pytest.mark.parametrize(
    ("enter", "mechanism"), [*((with_login, name) for name in MECHANISMS), (with_certificate, "")]
)
def test_a_message_goes_and_comes(
    secure: SecureKafka, outbox: Outbox, tmp_path: Path, enter: Enter, mechanism: str
) -> None:
    kafka = enter(secure, tmp_path, mechanism)
    kafka = kafka.model_copy(update={"topic_prefix": f"{enter.__name__}.{mechanism}."})
    assert Publisher(outbox, kafka).drain(20)
    received: list[bytes] = []
    deadline = time.monotonic() + 20
    with Subscriber(kafka, [READINGS_TOPIC]) as subscriber:
        while len(received) < 5 and time.monotonic() < deadline:
            received += [message.value for message in subscriber.poll(0.5, 10**6)]
    assert len(received) == 5


def wrong_password(secure: SecureKafka, directory: Path, mechanism: str) -> Kafka:
    return secure.settings("LOGIN", sasl=login(directory, mechanism, "guessed"))


def no_login(secure: SecureKafka, directory: Path, _: str) -> Kafka:
    return secure.settings("LOGIN")


def expired(secure: SecureKafka, directory: Path, _: str) -> Kafka:
    return secure.settings("EXPIRED")


def wrong_host(secure: SecureKafka, directory: Path, _: str) -> Kafka:
    return secure.settings("ELSEWHERE")


def unknown_authority(secure: SecureKafka, directory: Path, _: str) -> Kafka:
    tls = secure.tls(ca_file=secure.stranger.ca_file)
    return secure.settings("LOGIN", tls=tls, sasl=login(directory))


def no_certificate(secure: SecureKafka, directory: Path, _: str) -> Kafka:
    return secure.settings("MUTUAL")


def strange_certificate(secure: SecureKafka, directory: Path, _: str) -> Kafka:
    certificate, key = secure.stranger.issue("collector-2", host="collector-2")
    return secure.settings("MUTUAL", tls=secure.tls(certificate_file=certificate, key_file=key))


def expired_certificate(secure: SecureKafka, directory: Path, _: str) -> Kafka:
    certificate, key = secure.authority.issue("old", host="collector-3", has_expired=True)
    return secure.settings("MUTUAL", tls=secure.tls(certificate_file=certificate, key_file=key))


def no_tls_there(secure: SecureKafka, directory: Path, _: str) -> Kafka:
    return Kafka(bootstrap_servers=secure.server.bootstrap_servers, tls=secure.tls())


@pytest.mark.parametrize(
    ("enter", "mechanism", "said"),
    [
        *((wrong_password, name, "check kafka.sasl") for name in MECHANISMS),
        (no_login, "", "it wants kafka.sasl"),
        (expired, "", "broker's certificate has expired; have it renewed"),
        (wrong_host, "", "certificate is for another host; name the broker in kafka.bootstrap"),
        (unknown_authority, "", "give its authority as kafka.tls.ca_file"),
        (no_certificate, "", "asks for a certificate of ours; give kafka.tls.certificate_file"),
        (strange_certificate, "", "does not take our certificate"),
        (expired_certificate, "", "our certificate|does not take our certificate"),
        (no_tls_there, "", "does not speak TLS at this port"),
    ],
)
def test_what_keeps_us_out_is_named_with_its_remedy(
    secure: SecureKafka, tmp_path: Path, enter: Enter, mechanism: str, said: str
) -> None:
    with pytest.raises(BrokerRefused, match=said) as refused:
        Admin(enter(secure, tmp_path, mechanism))
    assert "guessed" not in str(refused.value)


def test_a_certificate_for_another_host_is_taken_where_the_site_says_so(
    secure: SecureKafka,
) -> None:
    tls = secure.tls(check_host_name=False)
    admin = Admin(secure.settings("ELSEWHERE", tls=tls))
    assert admin.partitions([READINGS_TOPIC]) == {}
    admin.close()


def test_a_file_that_is_no_certificate_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("not a certificate")
    kafka = Kafka(bootstrap_servers=("127.0.0.1:1",), tls=Tls(ca_file=tmp_path / "ca.pem"))
    with pytest.raises(ConfigError, match=r"kafka\.tls: .*ca\.pem: .*in PEM"):
        Admin(kafka)


def test_what_was_refused_is_delivered_once_the_password_is_mended(
    secure: SecureKafka, outbox: Outbox, tmp_path: Path
) -> None:
    """The publisher tries on with longer waits, says so once, and reads the new password itself."""
    kafka = secure.settings(
        "LOGIN", sasl=login(tmp_path, password="guessed"), topic_prefix="mended."
    )
    publisher = Publisher(outbox, kafka)
    stop = threading.Event()
    thread = threading.Thread(target=publisher.run, args=(stop,))
    with capture_logs() as logs:
        thread.start()
        time.sleep(5)
        assert outbox.depth().waiting == 5, "nothing is lost meanwhile"
        login(tmp_path)
        deadline = time.monotonic() + 30
        while outbox.depth().waiting and time.monotonic() < deadline:
            time.sleep(0.05)
        stop.set()
        thread.join(20)
    assert outbox.depth().waiting == 0
    assert not thread.is_alive()
    *refused, back = logs
    assert 1 <= len(refused) <= 2, "each reason is said once"
    assert all("check kafka.sasl" in line["error"] for line in refused)
    assert back["event"] == "The broker is back."


def test_a_broker_that_only_hangs_up_is_told_from_one_that_is_away() -> None:
    hangs_up, away = "KafkaConnectionError: socket disconnected", "[Errno 111] ECONNREFUSED"
    silent = "[Error 7] RequestTimedOutError: Request timed out after 195 ms"
    assert "check kafka.sasl" in diagnose([hangs_up, silent], logs_in=True)[1]
    assert diagnose([silent], logs_in=True) == ("", "")
    assert diagnose([hangs_up, away], logs_in=True) == ("", "")
    assert diagnose([], logs_in=False) == ("", "")
