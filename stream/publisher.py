"""Carries messages from the outbox to the broker: in order, none lost, however the broker fares."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field, replace

import prometheus_client

from facility.errors import BrokerUnavailable
from facility.site import Kafka
from stream.broker_watch import BrokerWatch
from stream.kafka_client import Admin, Producer, Sending
from stream.kafka_settings import REQUEST_TIMEOUT_S
from stream.message import TOPIC_ID, Message, Partition
from stream.outbox import Entry, Outbox
from stream.topics import ensure_topics

PAGE_BYTES = 4_000_000
"""Read from the outbox together, while the page before is on its way."""
IDLE_S = 0.05
CHECK_S = 1.0
"""How often depth is measured and, where the log is in memory, the topics' identity checked."""

SENT = prometheus_client.Counter(
    "busway_publisher_sent_messages", "Messages the broker has acknowledged.", ["topic"]
)
SENT_BYTES = prometheus_client.Counter(
    "busway_publisher_sent_bytes", "Bytes of message values acknowledged.", ["topic"]
)
RESENT = prometheus_client.Counter(
    "busway_publisher_restarts_from_outbox",
    "Times the broker had lost its log and all that was not trimmed was sent again.",
)
DEPTH = prometheus_client.Gauge(
    "busway_outbox_waiting_messages", "Messages that the broker has not acknowledged."
)
DEPTH_BYTES = prometheus_client.Gauge("busway_outbox_bytes", "Bytes in the outbox.")
OLDEST_AGE = prometheus_client.Gauge(
    "busway_outbox_oldest_age_seconds", "Age of the oldest message without acknowledgement."
)


@dataclass(frozen=True, slots=True)
class _Link:
    """An open connection to topics as they were when it was opened."""

    admin: Admin
    producer: Producer
    topics: dict[str, tuple[Partition, ...]]
    under_way: deque[tuple[Entry, Sending]] = field(default_factory=deque)

    def is_current(self) -> bool:
        return self.admin.partitions(self.topics) == self.topics


class Publisher:
    """Sends one outbox to one broker. `run` and `drain` may be called from different threads.

    A broker that keeps its log in memory (`outbox.delete_at` is `trim`) forgets what it took when
    it restarts. The topics' identity tells; then everything that was not trimmed is sent again.
    Each message names the identity it was meant for, so one that slips into the new topic ahead of
    its predecessors is known for what it is and passed over.
    """

    def __init__(
        self, outbox: Outbox, kafka: Kafka, *, send_timeout_s: float = REQUEST_TIMEOUT_S
    ) -> None:
        self._outbox = outbox
        self._kafka = kafka
        self._send_timeout_s = send_timeout_s
        self._watch = BrokerWatch("publisher")
        self._lock = threading.Lock()
        self._link: _Link | None = None
        self._known: dict[str, tuple[Partition, ...]] = {}
        self._next_check = 0.0

    def run(self, stop: threading.Event) -> None:
        """Send what is appended until told to stop; waits for a broker that is not there.

        Raises:
            ConfigError: a topic or the site's Kafka section is not as it must be.
            OutboxCorrupt: the outbox was damaged meanwhile.
        """
        try:
            while not stop.is_set():
                stop.wait(self._turn())
            self._finish()
            self._outbox.tidy()
        finally:
            self._disconnect()

    def drain(self, deadline_s: float) -> bool:
        """Send what is left, for at most about `deadline_s`; say whether nothing is left."""
        deadline = time.monotonic() + deadline_s
        try:
            while self._outbox.depth().waiting:
                if (left_s := deadline - time.monotonic()) <= 0:
                    return False
                time.sleep(min(self._turn(), left_s))
            self._outbox.tidy()
        finally:
            self._disconnect()
        return True

    def _turn(self) -> float:
        """Give the producer a page and wait for the one before; give the seconds until the next."""
        with self._lock:
            if due := time.monotonic() >= self._next_check:
                self._next_check = time.monotonic() + CHECK_S
                self._measure()
            try:
                link = self._connect()
                if due and self._outbox.delete_at == "trim":
                    self._refuse_other_topics(link)
                is_busy = self._send_page(link)
            except BrokerUnavailable as error:
                self._hang_up()
                return self._watch.lost(error)
            if due or is_busy:
                self._watch.reached()
            if is_busy:
                return 0.0
        self._outbox.tidy()
        return IDLE_S

    def _connect(self) -> _Link:
        if self._link is None:
            admin = Admin(self._kafka)
            try:
                topics = ensure_topics(admin, self._kafka)
                producer = Producer(
                    self._kafka,
                    send_timeout_s=self._send_timeout_s,
                    request_bytes=self._kafka.max_message_bytes if admin.counts_messages() else 0,
                )
            except BaseException:
                admin.close()
                raise
            if self._known and topics != self._known:
                self._outbox.resend()
                RESENT.inc()
            self._known = topics
            self._link = _Link(admin, producer, topics)
        return self._link

    def _measure(self) -> None:
        depth = self._outbox.depth()
        DEPTH.set(depth.waiting)
        DEPTH_BYTES.set(depth.bytes)
        OLDEST_AGE.set(depth.oldest_age_s)

    def _send_page(self, link: _Link) -> bool:
        """Send on; say whether there was anything to send or to wait for."""
        before = len(link.under_way)
        last = link.under_way[-1][0] if before else None
        entries = self._outbox.pending(PAGE_BYTES, after=last)
        for entry in entries:
            sending = link.producer.begin(self._addressed(entry.message, link))
            link.under_way.append((entry, sending))
        self._outbox.tidy()
        self._await_acks(link, before)
        return bool(before or entries)

    def _await_acks(self, link: _Link, count: int) -> None:
        """Wait for the oldest so many that are under way."""
        sent: Entry | None = None
        try:
            for _ in range(count):
                entry, sending = link.under_way[0]
                sending.wait()
                link.under_way.popleft()
                sent = entry
                SENT.labels(entry.message.topic).inc()
                SENT_BYTES.labels(entry.message.topic).inc(len(entry.message.value))
        finally:
            if sent is not None:
                if self._outbox.delete_at == "trim":
                    self._refuse_other_topics(link)
                self._outbox.note_acknowledged(sent)

    def _finish(self) -> None:
        """Wait for what is under way; what then has no ack is sent again by whoever comes next."""
        with self._lock, suppress(BrokerUnavailable):
            if self._link is not None:
                self._await_acks(self._link, len(self._link.under_way))

    def _addressed(self, message: Message, link: _Link) -> Message:
        if self._outbox.delete_at == "acknowledgement":
            return message
        topic_id = link.topics[message.topic][0].topic_id
        return replace(message, headers=(*message.headers, (TOPIC_ID, topic_id.encode())))

    def _refuse_other_topics(self, link: _Link) -> None:
        if not link.is_current():
            raise BrokerUnavailable("the topics were made anew; the broker has lost its log")

    def _disconnect(self) -> None:
        with self._lock:
            self._hang_up()

    def _hang_up(self) -> None:
        if self._link is not None:
            self._link.producer.close()
            self._link.admin.close()
            self._link = None
