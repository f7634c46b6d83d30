"""The brokers that the stages run on: Apache Kafka where it can be had, and the embedded one."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from facility.site import Kafka
from stream.embedded import EmbeddedBroker
from tests.apache_kafka import ApacheKafka, KafkaMissing, fetch_jars

Kind = Literal["Apache Kafka", "embedded broker"]


def best_kind() -> Kind:
    """Apache Kafka, where Java and its jars are found."""
    return "Apache Kafka" if has_apache() else "embedded broker"


def has_apache() -> bool:
    """Whether Apache Kafka can be started here."""
    try:
        fetch_jars()
    except KafkaMissing:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Running:
    """A broker that answers."""

    kafka: Kafka
    """A site's Kafka section that leads to it, to topics that nobody else uses."""
    pid: int


@contextmanager
def running(kind: Kind, *, partitions: int = 1) -> Iterator[Running]:
    """Start a broker, and end it afterwards."""
    with tempfile.TemporaryDirectory(prefix="busway-bench-broker-") as directory:
        broker = ApacheKafka(Path(directory)) if kind == "Apache Kafka" else EmbeddedBroker()
        broker.start()
        try:
            assert broker._process is not None  # noqa: SLF001 - both keep it so
            kafka = _settings(broker.bootstrap_servers, partitions=partitions)
            yield Running(kafka, broker._process.pid)  # noqa: SLF001 - same
        finally:
            broker.stop()


def _settings(servers: tuple[str, ...], *, partitions: int) -> Kafka:
    prefix = f"bench-{uuid.uuid4().hex[:8]}."
    return Kafka(bootstrap_servers=servers, partitions=partitions, topic_prefix=prefix)
