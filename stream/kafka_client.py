"""The only module that imports kafka-python: its clients under our names, its errors in our words.

Topics are named without the site's prefix on our side, with it on the broker's.
"""

from __future__ import annotations

import logging
import re
import socket
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, ClassVar, Literal
from weakref import WeakKeyDictionary, WeakSet

import crc32c  # noqa: F401 - without it kafka-python falls back, silently, to 10 MB/s

from facility.errors import BrokerRefused, BrokerUnavailable
from facility.site import Kafka
from stream.kafka_settings import REQUEST_TIMEOUT_S, client_settings
from stream.message import Message, Partition, Received
from stream.rebalance import Change, Rebalance, sum_up
from stream.refusals import diagnose
from stream.tls import TlsContext

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it reads its schemas in an outdated way
    from kafka import (  # type: ignore[import-untyped]  # it has no types, nor stubs
        ConsumerRebalanceListener,
        KafkaAdminClient,
        KafkaConsumer,
        KafkaProducer,
    )
    from kafka import TopicPartition as KafkaPartition
    from kafka.errors import (  # type: ignore[import-untyped]  # same
        KafkaError,
        TopicAlreadyExistsError,
    )
    from kafka.net.compat import KafkaNetClient  # type: ignore[import-untyped]  # same
    from kafka.net.inet import KafkaNetSocket  # type: ignore[import-untyped]  # same

FETCH_BYTES = 16_000_000
"""Most that a consumer holds ahead of its reader."""
FETCH_WAIT_MS = 50
"""Tansu waits this long whenever one of the asked partitions is empty, whatever the others hold."""
RECEIVE_BYTES = 262_144
TANSU_CLUSTER = "tansu_cluster"
"""The id that it gives itself."""
REQUEST_OVERHEAD_BYTES = 65_536
LONGEST_QUEUE_S = 3600
"""More than any message waits in a producer; how long one waits for its ack is up to `Sending`."""


class Admin:
    """Topics: what there are, and making them.

    Raises:
        BrokerUnavailable: nobody answers, or lets us in; any method may.
    """

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        with _our_errors(kafka):
            self._client = _open(KafkaAdminClient, client_settings(kafka))

    def partitions(self, topics: Iterable[str]) -> dict[str, tuple[Partition, ...]]:
        """Give the partitions of each topic that is there, with the topic's identity."""
        prefix = self._kafka.topic_prefix
        with _our_errors(self._kafka):
            described = self._client.describe_topics([prefix + topic for topic in topics])
        return {
            (name := found["name"].removeprefix(prefix)): tuple(
                Partition(name, str(found["topic_id"]), number)
                for number in sorted(part["partition_index"] for part in found["partitions"])
            )
            for found in described
            if found["error_code"] == 0
        }

    def counts_messages(self) -> bool:
        """Whether the end of a partition is right where a request held several messages.

        Tansu's is too low: it counts such a request as one message.
        """
        with _our_errors(self._kafka):
            return bool(self._client.describe_cluster()["cluster_id"] != TANSU_CLUSTER)

    def create(
        self, topic: str, *, partitions: int, replication: int, configs: Mapping[str, str]
    ) -> None:
        """Make a topic and wait until it can be used; one that is there already is left alone."""
        name = self._kafka.topic_prefix + topic
        asked = {
            "num_partitions": partitions,
            "replication_factor": replication,
            "configs": dict(configs),
        }
        with _our_errors(self._kafka):
            with suppress(TopicAlreadyExistsError):
                self._client.create_topics({name: asked})
            self._client.wait_for_topics([name], timeout_ms=int(REQUEST_TIMEOUT_S * 1000))

    def close(self) -> None:
        """Let go of the connections. Safe twice."""
        self._client.close()


class Producer:
    """Sends messages in the order in which it is given them, or not at all.

    Any number may wait here. One request of a partition is on its way at a time (kafka-python sees
    to that for an idempotent producer), and after one that fails none is sent: what passed it would
    make it look like a duplicate to whoever drops what is not above the last seq. So after an error
    it must be closed; whether the broker has what had no ack is not known.

    A request holds as many of the waiting messages as fit into `request_bytes`, all of which the
    broker takes or none; at least one.

    Raises:
        BrokerUnavailable: nobody answers, or lets us in.
    """

    def __init__(
        self, kafka: Kafka, *, send_timeout_s: float = REQUEST_TIMEOUT_S, request_bytes: int = 0
    ) -> None:
        self._kafka = kafka
        self._send_timeout_s = send_timeout_s
        timeout_ms = int(send_timeout_s * 1000)
        settings = client_settings(kafka) | {
            "acks": "all",
            "enable_idempotence": True,
            "request_timeout_ms": timeout_ms,
            "delivery_timeout_ms": LONGEST_QUEUE_S * 1000,
            "max_block_ms": timeout_ms,
            "batch_size": request_bytes,
            "max_request_size": kafka.max_message_bytes + REQUEST_OVERHEAD_BYTES,
            "allow_auto_create_topics": False,
            "metrics_enabled": False,
        }
        with _our_errors(kafka):
            self._client = _open(KafkaProducer, settings)
        self._sender = self._client._sender  # noqa: SLF001 - its thread, which has to be stopped

    def begin(self, message: Message) -> Sending:
        """Take a message; it is sent when those before it have their ack.

        Raises:
            BrokerUnavailable: the broker does not know the topic, or one before it has failed.
        """
        with _our_errors(self._kafka):
            future = self._client.send(
                self._kafka.topic_prefix + message.topic,
                key=message.key,
                value=message.value,
                headers=list(message.headers),
            )
        future.add_errback(self._send_no_more)
        return Sending(self._kafka, future, self._send_timeout_s)

    def send(self, message: Message) -> None:
        """Send a message and wait until every in-sync replica has it.

        Raises:
            BrokerUnavailable: no ack in time, or the broker refuses the message.
        """
        self.begin(message).wait()

    def close(self) -> None:
        """Stop at once; what has no ack is given up. Safe twice."""
        # Its own close() first waits for acks that may never come.
        self._send_no_more()
        self._sender.join(timeout=REQUEST_TIMEOUT_S)
        with suppress(KafkaError):
            self._client.close(timeout=0)

    def _send_no_more(self, _: Exception | None = None) -> None:
        """Called on the sending thread itself where a message has failed, before it sends more."""
        self._sender.force_close()


class Sending:
    """A message that the producer has taken."""

    def __init__(self, kafka: Kafka, future: Any, timeout_s: float) -> None:
        self._kafka = kafka
        self._future = future
        self._timeout_s = timeout_s

    def wait(self) -> None:
        """Wait until every in-sync replica has it. To be called in the order of sending.

        Raises:
            BrokerUnavailable: no ack in time, or the broker refuses the message.
        """
        with _our_errors(self._kafka):
            self._future.get(timeout=self._timeout_s)


class Consumer:
    """Reads partitions from where it is told to; commits no offsets.

    Not thread-safe. A partition that a group assigns stays paused until `resume`.

    Raises:
        BrokerUnavailable: nobody answers, or lets us in; any method may.
    """

    def __init__(self, kafka: Kafka, *, group: str | None = None) -> None:
        self._kafka = kafka
        self._changes: deque[Change] = deque()
        settings = client_settings(kafka) | {
            "group_id": group,
            "enable_auto_commit": False,
            "auto_offset_reset": "earliest",
            "allow_auto_create_topics": False,
            "metrics_enabled": False,
            "fetch_max_bytes": FETCH_BYTES,
            "fetch_max_wait_ms": FETCH_WAIT_MS,
            "max_partition_fetch_bytes": max(FETCH_BYTES // 2, 2 * kafka.max_message_bytes),
            "session_timeout_ms": int(kafka.session_timeout_seconds * 1000),
            "heartbeat_interval_ms": int(kafka.session_timeout_seconds * 1000 / 10),
        }
        with _our_errors(kafka):
            self._client = _open(KafkaConsumer, settings)

    def assign(self, partitions: Iterable[Partition]) -> None:
        """Read these partitions, without a group."""
        self._client.assign([self._theirs(partition) for partition in partitions])

    def subscribe(self, topics: Iterable[str]) -> None:
        """Read what the group gives to this consumer; `rebalance` says what that is."""
        names = [self._kafka.topic_prefix + topic for topic in topics]
        self._client.subscribe(topics=names, listener=_Listener(self._note))

    def rebalance(self) -> Rebalance:
        """Say what has changed since the last call."""
        return sum_up(self._changes.popleft() for _ in range(len(self._changes)))

    def poll(
        self, timeout_s: float, max_records: int, known: Mapping[tuple[str, int], Partition]
    ) -> list[Received]:
        """Give the next messages of the `known` partitions, in order within each."""
        self._go_on_joining()
        with _our_errors(self._kafka):
            records = self._client.poll(timeout_ms=int(timeout_s * 1000), max_records=max_records)
        return [
            Received(
                partition=partition,
                offset=record.offset,
                timestamp_ms=record.timestamp,
                key=record.key,
                headers=tuple(record.headers),
                value=record.value or b"",
            )
            for found, batch in records.items()
            if (partition := known.get(self._ours(found)))
            for record in batch
        ]

    def seek(self, partition: Partition, offset: int | None) -> None:
        """Read on from an offset; None: from the first there is."""
        if offset is None:
            self._client.seek_to_beginning(self._theirs(partition))
        else:
            self._client.seek(self._theirs(partition), offset)

    def position(self, partition: Partition) -> int:
        """Give the offset that is read next."""
        with _our_errors(self._kafka):
            position = self._client.position(
                self._theirs(partition), timeout_ms=int(REQUEST_TIMEOUT_S * 1000)
            )
        if position is None:
            raise BrokerUnavailable(f"{_servers(self._kafka)} gives no offset of {partition}")
        return int(position)

    def end_offsets(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """Ask for the offset that each partition's next message will get."""
        asked = {self._theirs(partition): partition for partition in partitions}
        with _our_errors(self._kafka):
            found = self._client.end_offsets(list(asked))
        return {asked[theirs]: offset for theirs, offset in found.items()}

    def offset_at(self, partition: Partition, timestamp_ms: int) -> int:
        """Ask for the first offset whose message was produced at a time or later; else the end."""
        theirs = self._theirs(partition)
        with _our_errors(self._kafka):
            found = self._client.offsets_for_times({theirs: timestamp_ms})[theirs]
            if found is None or found.timestamp < 0:  # Tansu's way of saying that there is none
                return int(self._client.end_offsets([theirs])[theirs])
        return int(found.offset)

    def pause(self, partitions: Iterable[Partition]) -> None:
        """Give nothing of these partitions until they are resumed."""
        self._client.pause(*(self._theirs(partition) for partition in partitions))

    def resume(self, partitions: Iterable[Partition]) -> None:
        """Give messages of these partitions again."""
        self._client.resume(*(self._theirs(partition) for partition in partitions))

    def close(self) -> None:
        """Leave the group and let go of the connections. Safe twice."""
        with suppress(KafkaError):
            self._client.close(autocommit=False, timeout_ms=1000)

    def _go_on_joining(self) -> None:
        """Have the client go on with a rejoin that took longer than its last poll.

        Where changed metadata was its reason, kafka-python 3.0.12 takes the rejoin as done once it
        has begun. Without partitions and without heartbeats it would then stay so for good.
        """
        coordinator = self._client._coordinator  # noqa: SLF001 - knows, and has to be told
        if coordinator.rejoining:
            coordinator.request_rejoin()

    def _note(self, kind: Literal["assigned", "revoked"], partitions: set[Any]) -> None:
        if kind == "assigned":
            self._client.pause(*partitions)
        self._changes.append((kind, frozenset(self._ours(partition) for partition in partitions)))

    def _theirs(self, partition: Partition) -> Any:
        return KafkaPartition(self._kafka.topic_prefix + partition.topic, partition.number)

    def _ours(self, partition: Any) -> tuple[str, int]:
        return partition.topic.removeprefix(self._kafka.topic_prefix), partition.partition


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python is untyped
    """Notes rebalances; called on the client's own thread, so it must not wait for anything."""

    def __init__(self, note: Callable[[Literal["assigned", "revoked"], set[Any]], None]) -> None:
        self._note = note

    def on_partitions_assigned(self, assigned: set[Any]) -> None:
        self._note("assigned", assigned)

    def on_partitions_revoked(self, revoked: set[Any]) -> None:
        self._note("revoked", revoked)


def _open(kind: Callable[..., Any], settings: dict[str, Any]) -> Any:
    """Make a client; where it finds no broker, end the thread it has started by then."""
    started: list[_NetClient] = []

    def start(**more: Any) -> _NetClient:
        started.append(_NetClient(**more))
        return started[0]

    try:
        return kind(**settings, proxy_url=f"{_Socket.SCHEMES[0]}://", kafka_client=start)
    except BaseException:
        for client in started:
            client.close()
        raise


class _WideSocket(socket.socket):
    """Reads more at a time than the 4 kB that kafka-python asks for; its caller takes any amount.

    A fetch of 8 MB would otherwise be 2,000 system calls, after each of which the reading thread
    has to wait for its turn again.
    """

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Give what is there."""
        return super().recv(max(size, RECEIVE_BYTES), flags)


class _Socket(KafkaNetSocket):  # type: ignore[misc]  # kafka-python is untyped
    """A plain socket; closed when it cannot connect, or at the latest with its client.

    kafka-python's own is left to the garbage collector in both cases.
    """

    SCHEMES = ("direct",)
    of_net: ClassVar[WeakKeyDictionary[Any, WeakSet[socket.socket]]] = WeakKeyDictionary()

    async def connect(
        self, net: Any, addrinfo: Any, socket_options: Any = (), timeout_at: float | None = None
    ) -> socket.socket:
        family, kind, protocol, _, address = addrinfo
        connecting = _WideSocket(family, kind, protocol)
        self.of_net.setdefault(net, WeakSet()).add(connecting)
        try:
            connecting.setblocking(False)
            for option in socket_options:
                connecting.setsockopt(*option)
            await self.sock_connect(net, connecting, address, timeout_at=timeout_at)
        except BaseException:
            connecting.close()
            raise
        return connecting


class _NetClient(KafkaNetClient):  # type: ignore[misc]  # kafka-python is untyped
    """The part of each client that holds its connections."""

    def __init__(self, **settings: Any) -> None:
        self._tls: TlsContext | None = settings.get("ssl_context")
        super().__init__(**settings)

    def close(self, node_id: str | None = None) -> None:
        super().close(node_id)
        if node_id is None:
            for left_open in _Socket.of_net.pop(self._net, ()):
                left_open.close()
            if self._tls is not None:
                self._tls.close_sockets()


class _LastWords(logging.Handler):
    """Keeps the client's complaints: its exceptions do not say why a connection failed."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: deque[str] = deque(maxlen=20)

    def emit(self, record: logging.LogRecord) -> None:
        text = _BACKOFF.sub("", record.getMessage())
        if "failed" in text and not text.startswith("Bootstrap failed"):  # repeats the exception
            self.texts.append(text)


_BACKOFF = re.compile(r" \(backoff [0-9.]+ secs\)")
"""Differs from one attempt to the next."""
_last_words = _LastWords()
_logger = logging.getLogger("kafka")
_logger.addHandler(_last_words)
_logger.propagate = False  # it logs every attempt; ours are said once, by BrokerWatch


@contextmanager
def _our_errors(kafka: Kafka) -> Iterator[None]:
    _last_words.texts.clear()
    try:
        yield
    except KafkaError as error:
        complaints = tuple(_last_words.texts) or (str(error),)
        telling, remedy = diagnose(complaints, logs_in=kafka.sasl is not None)
        if remedy:
            raise BrokerRefused(f"{_servers(kafka)}: {remedy}", telling) from error
        raise BrokerUnavailable(f"{_servers(kafka)}: {error} ({complaints[-1]})") from error


def _servers(kafka: Kafka) -> str:
    return ",".join(kafka.bootstrap_servers)
