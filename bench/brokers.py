"""The brokers that the stages run on: Apache Kafka where it can be had, and the embedded one."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def running(kind: Kind, *, partitions: int = 1) -> Iterator[Kafka]:
    """Start a broker; give a site's Kafka section that leads to it."""
    with tempfile.TemporaryDirectory(prefix="busway-bench-broker-") as directory:
        broker = ApacheKafka(Path(directory)) if kind == "Apache Kafka" else EmbeddedBroker()
        broker.start()
        try:
            yield settings(broker.bootstrap_servers, partitions=partitions)
        finally:
            broker.stop()


def settings(servers: tuple[str, ...], *, partitions: int = 1) -> Kafka:
    """Topics that nobody else uses."""
    prefix = f"bench-{uuid.uuid4().hex[:8]}."
    return Kafka(bootstrap_servers=servers, partitions=partitions, topic_prefix=prefix)
