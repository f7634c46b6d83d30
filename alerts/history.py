"""The transitions that were told before: from the topic, and from the outbox on their way there."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass

import prometheus_client
import structlog

from facility.alert import Transition, from_batch
from facility.errors import BrokerUnavailable, MessageUndecodable
from facility.reading import TOPICS
from facility.site import Kafka
from stream.codec import decode
from stream.message import Headers
from stream.outbox import Outbox
from stream.subscriber import Subscriber

TOPIC = TOPICS["alerts"]
POLL_S = 0.2
POLL_BYTES = 8_000_000
WHOLE_OUTBOX = 2**62

UNDECODABLE = prometheus_client.Counter(
    "busway_alert_undecodable_messages", "Messages that the engine could not use.", ["topic"]
)
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Told:
    """A transition under the number that its outbox gave it."""

    outbox: str
    seq: int
    transition: Transition


def read_history(kafka: Kafka, outbox: Outbox, stop: threading.Event) -> list[Told]:
    """Read the whole topic, waiting for a broker that is away, and the outbox; each once, in order.

    The topic is compacted, so this is at least the last transition of every alert that this broker
    remembers. Told to stop, it gives what it has.

    Raises:
        ConfigError: the topic or the site's Kafka section is not as it must be.
    """
    found: dict[tuple[str, int], Told] = {}
    with Subscriber(kafka, (TOPIC,)) as subscriber:
        is_whole = False
        while not is_whole and not stop.is_set():
            received = subscriber.poll(POLL_S, POLL_BYTES)
            _note(((message.value, message.headers) for message in received), found)
            is_whole = not received and _is_read(subscriber)
    entries = outbox.pending(WHOLE_OUTBOX)
    _note(((entry.message.value, entry.message.headers) for entry in entries), found)
    return sorted(found.values(), key=lambda told: (told.transition.decided_at, told.seq))


def _is_read(subscriber: Subscriber) -> bool:
    try:
        ends = subscriber.high_water()
        return bool(ends) and all(
            subscriber.position(partition) >= end for partition, end in ends.items()
        )
    except BrokerUnavailable:  # the subscriber says so itself
        return False


def _note(messages: Iterable[tuple[bytes, Headers]], found: dict[tuple[str, int], Told]) -> None:
    for value, headers in messages:
        try:
            envelope = decode(value, headers)
            for transition in from_batch(envelope.batch):
                told = Told(envelope.outbox, envelope.seq, transition)
                found.setdefault((told.outbox, told.seq), told)
        except (MessageUndecodable, ValueError) as error:
            UNDECODABLE.labels(TOPIC).inc()
            log.warning("A transition cannot be read back.", error=str(error))
