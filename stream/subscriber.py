"""Reads the topics for the sink: whole partitions by hand, or this group member's share of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from types import TracebackType
from typing import Self

import prometheus_client

from facility.errors import BrokerUnavailable, StreamError
from facility.site import Kafka
from stream.broker_watch import BrokerWatch
from stream.kafka_client import Admin, Consumer
from stream.message import TOPIC_ID, Partition, Received
from stream.topics import ensure_topics

CHECK_S = 1.0
"""How often the topics' identity is checked while nothing comes."""
RECORDS_A_POLL = 8

RECEIVED = prometheus_client.Counter(
    "busway_subscriber_received_messages", "Messages received.", ["topic"]
)
RECEIVED_BYTES = prometheus_client.Counter(
    "busway_subscriber_received_bytes", "Bytes of message values received.", ["topic"]
)
STRAY = prometheus_client.Counter(
    "busway_subscriber_stray_messages",
    "Messages passed over because they were meant for an earlier topic of the name.",
    ["topic"],
)

OnPartitions = Callable[[tuple[Partition, ...]], None]


class Subscriber:
    """Reads topics, in order within each partition. Not thread-safe; constructing does no I/O.

    With a group, Kafka divides the partitions over its members; without one, this subscriber reads
    them all. Either way `poll` calls `on_assigned` before it gives anything of a partition, so that
    its offset can be sought; one that is not sought is read from its beginning. `on_revoked` comes
    when partitions have been taken away: what they gave and is not committed must be thrown away.

    A topic that was made anew, as at every restart of the embedded broker, is revoked and assigned
    under its new identity. Nothing read across such a change is ever given out.

    A broker that cannot be reached is said once; `poll` then gives nothing until it is back, and
    all partitions are assigned anew.
    """

    def __init__(
        self,
        kafka: Kafka,
        topics: Collection[str],
        *,
        group: str | None = None,
        on_assigned: OnPartitions = lambda _: None,
        on_revoked: OnPartitions = lambda _: None,
    ) -> None:
        self._kafka = kafka
        self._topics = tuple(topics)
        self._group = group
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._watch = BrokerWatch("subscriber")
        self._retry_at = 0.0
        self._admin: Admin | None = None
        self._consumer: Consumer | None = None
        self._assigned: dict[tuple[str, int], Partition] = {}
        self._next_check = 0.0

    @property
    def assigned(self) -> tuple[Partition, ...]:
        """The partitions that are read now; may be asked from any thread."""
        return tuple(self._assigned.values())

    def poll(self, timeout_s: float, max_bytes: int) -> list[Received]:
        """Wait for messages; give them up to about `max_bytes`, in order within each partition.

        Raises:
            ConfigError: a topic or the site's Kafka section is not as it must be.
        """
        if (wait_s := self._retry_at - time.monotonic()) > 0:
            time.sleep(min(wait_s, timeout_s))
            return []
        try:
            received = self._read(self._connect(), timeout_s, max_bytes)
        except BrokerUnavailable as error:
            self._retry_at = time.monotonic() + self._watch.lost(error)
            self._revoke(tuple(self._assigned))
            self._hang_up()
            return []
        for message in received:
            RECEIVED.labels(message.partition.topic).inc()
            RECEIVED_BYTES.labels(message.partition.topic).inc(len(message.value))
        return received

    def seek(self, partition: Partition, offset: int) -> None:
        """Read a partition on from `offset`; one that is no longer there: from the first there is.

        Raises:
            StreamError: the partition is not assigned.
        """
        self._reading(partition).seek(partition, offset)

    def position(self, partition: Partition) -> int:
        """Give the offset that `poll` gives next.

        Raises:
            StreamError: the partition is not assigned; BrokerUnavailable: nobody answers.
        """
        return self._reading(partition).position(partition)

    def offset_at(self, partition: Partition, timestamp_ms: int) -> int:
        """Ask for the first offset whose message was produced at a time or later; else the end.

        `timestamp_ms`: milliseconds since 1970, UTC.

        Raises:
            StreamError: the partition is not assigned; BrokerUnavailable: nobody answers.
        """
        return self._reading(partition).offset_at(partition, timestamp_ms)

    def high_water(self) -> dict[Partition, int]:
        """Ask for the offset that the next message of each assigned partition will get.

        Raises:
            BrokerUnavailable: nobody answers.
        """
        if self._consumer is None or not self._assigned:
            return {}
        return self._consumer.end_offsets(self._assigned.values())

    def pause(self, partitions: Iterable[Partition]) -> None:
        """Let `poll` give nothing of these partitions, until they are resumed or assigned anew."""
        for partition in partitions:
            self._reading(partition).pause([partition])

    def resume(self, partitions: Iterable[Partition]) -> None:
        """Let `poll` give messages of these partitions again."""
        for partition in partitions:
            self._reading(partition).resume([partition])

    def close(self) -> None:
        """Leave the group and let go of the broker; no callback comes. Safe twice."""
        self._assigned = {}
        self._hang_up()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _connect(self) -> Consumer:
        if self._consumer is None:
            self._admin = self._admin or Admin(self._kafka)
            topics = ensure_topics(self._admin, self._kafka)
            self._consumer = Consumer(self._kafka, group=self._group)
            if self._group is None:
                partitions = tuple(part for topic in self._topics for part in topics[topic])
                self._consumer.assign(partitions)
                self._assign(self._consumer, partitions)
            else:
                self._consumer.subscribe(self._topics)
        return self._consumer

    def _read(self, consumer: Consumer, timeout_s: float, max_bytes: int) -> list[Received]:
        received: list[Received] = []
        size = 0
        while size < max_bytes:
            wait_s = 0.0 if received else timeout_s
            more = consumer.poll(wait_s, RECORDS_A_POLL, self._assigned)
            if not more:
                break
            received += more
            size += sum(len(message.value) for message in more)
        changed = self._follow_group(consumer)
        if received or time.monotonic() >= self._next_check:
            self._refuse_other_topics()
            self._watch.reached()
        return [
            message
            for message in received
            if message.partition not in changed and not _is_stray(message)
        ]

    def _follow_group(self, consumer: Consumer) -> set[Partition]:
        """Apply what the group has decided; give the partitions it touched."""
        change = consumer.rebalance()
        touched = set(self._revoke(change.revoked))
        if change.assigned:
            assert self._admin is not None
            topics = self._admin.partitions(self._topics)
            partitions = (part for topic in topics.values() for part in topic)
            self._assign(
                consumer,
                tuple(p for p in partitions if (p.topic, p.number) in change.assigned),
            )
        return touched

    def _assign(self, consumer: Consumer, partitions: tuple[Partition, ...]) -> None:
        self._assigned = self._assigned | {(part.topic, part.number): part for part in partitions}
        for partition in partitions:
            consumer.seek(partition, None)
        self._on_assigned(partitions)
        consumer.resume(partitions)

    def _revoke(self, keys: Iterable[tuple[str, int]]) -> tuple[Partition, ...]:
        gone = tuple(self._assigned[key] for key in keys if key in self._assigned)
        if gone:
            self._assigned = {k: part for k, part in self._assigned.items() if part not in gone}
            self._on_revoked(gone)
        return gone

    def _refuse_other_topics(self) -> None:
        """Find out whether the topics are still those that were assigned.

        What was fetched between two equal answers came from these topics: an identity that has gone
        never comes back.
        """
        assert self._admin is not None
        self._next_check = time.monotonic() + CHECK_S
        found = self._admin.partitions(self._topics)
        known = {partition for topic in found.values() for partition in topic}
        if len(found) < len(self._topics) or not known.issuperset(self._assigned.values()):
            raise BrokerUnavailable("the topics were made anew; the broker has lost its log")

    def _reading(self, partition: Partition) -> Consumer:
        key = (partition.topic, partition.number)
        if self._consumer is None or self._assigned.get(key) != partition:
            raise StreamError(f"{partition} is not assigned to this subscriber")
        return self._consumer

    def _hang_up(self) -> None:
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None
        if self._admin is not None:
            self._admin.close()
            self._admin = None


def _is_stray(message: Received) -> bool:
    """Whether a message was meant for an earlier topic of the name (see `Publisher`)."""
    meant_for = [value for name, value in message.headers if name == TOPIC_ID]
    if not meant_for or meant_for[0] == message.partition.topic_id.encode():
        return False
    STRAY.labels(message.partition.topic).inc()
    return True
