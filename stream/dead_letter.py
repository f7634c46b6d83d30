"""Where messages go that cannot be used, with the reason: the dead-letter topic."""

from __future__ import annotations

import prometheus_client

from facility.reading import DEAD_LETTER_TOPIC
from facility.site import Kafka
from stream.kafka_client import Producer
from stream.message import Message, Received

LONGEST_REASON_BYTES = 500

DEAD = prometheus_client.Counter(
    "busway_dead_letters", "Messages put into the dead-letter topic.", ["topic"]
)


class DeadLetter:
    """Sends messages to the dead-letter topic. Connects at the first; constructing does no I/O."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._producer: Producer | None = None

    def send(self, received: Received, reason: str) -> None:
        """Keep a message as it came, with `reason` and its origin in headers; waits for the ack.

        Raises:
            BrokerUnavailable: it is not known to be kept; go no further in the topic.
        """
        self._producer = self._producer or Producer(self._kafka)
        try:
            self._producer.send(_dead(received, reason))
        except BaseException:
            self.close()
            raise
        DEAD.labels(received.partition.topic).inc()

    def close(self) -> None:
        """Let go of the broker. Safe twice."""
        if self._producer is not None:
            self._producer.close()
            self._producer = None


def _dead(received: Received, reason: str) -> Message:
    origin = {
        "reason": reason.encode()[:LONGEST_REASON_BYTES].decode(errors="ignore"),
        "origin_topic": received.partition.topic,
        "origin_partition": str(received.partition.number),
        "origin_offset": str(received.offset),
    }
    return Message(
        topic=DEAD_LETTER_TOPIC,
        key=received.key or b"",
        headers=(*received.headers, *((name, text.encode()) for name, text in origin.items())),
        value=received.value,
    )
