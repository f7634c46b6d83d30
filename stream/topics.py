"""The topics Busway needs: made where they are missing, refused where they do not fit."""

from __future__ import annotations

from facility.errors import ConfigError
from facility.reading import DEAD_LETTER_TOPIC, KEY_COLUMNS, TOPICS
from facility.site import Kafka
from stream.kafka_client import Admin
from stream.message import Partition

ALL_TOPICS = (*TOPICS.values(), DEAD_LETTER_TOPIC)
ONE_PARTITION = {DEAD_LETTER_TOPIC, *KEY_COLUMNS}


def ensure_topics(
    admin: Admin, kafka: Kafka, topics: tuple[str, ...] = ALL_TOPICS
) -> dict[str, tuple[Partition, ...]]:
    """Make the topics that are missing, and give each one's partitions with its identity.

    The topics of dead letters and of alerts have one partition each, and the latter keeps every
    alert's last transition. A topic that is there keeps its settings.

    Raises:
        BrokerUnavailable: nobody answers, or we may not make topics.
        ConfigError: a topic has fewer partitions than the site file says.
    """
    found = admin.partitions(topics)
    if missing := [topic for topic in topics if topic not in found]:
        for topic in missing:
            admin.create(
                topic,
                partitions=_partitions(kafka, topic),
                replication=kafka.replication,
                configs=_configs(kafka, topic),
            )
        found = admin.partitions(topics)
    for topic in topics:
        if (count := len(found.get(topic, ()))) < (told := _partitions(kafka, topic)):
            raise ConfigError(
                f"topic {kafka.topic_prefix}{topic} has {count} partitions and kafka.partitions is"
                f" {told}; add partitions to the topic, or lower the setting"
            )
    return found


def _partitions(kafka: Kafka, topic: str) -> int:
    return 1 if topic in ONE_PARTITION else kafka.partitions


def _configs(kafka: Kafka, topic: str) -> dict[str, str]:
    kept_ms = str(int(kafka.retention_hours * 3_600_000))
    keeping = (
        {"cleanup.policy": "compact", "min.compaction.lag.ms": kept_ms}
        if topic in KEY_COLUMNS
        else {"retention.ms": kept_ms}
    )
    return {"max.message.bytes": str(kafka.max_message_bytes)} | keeping
