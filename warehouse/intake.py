"""From message to buffer: decode, admit each batch once, doubt what the catalogue does not know."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Protocol

import prometheus_client
import structlog

from facility.errors import MessageUndecodable
from facility.reading import TOPICS
from stream.codec import decode
from stream.message import Envelope, Received
from warehouse.buffer import Buffer
from warehouse.implausible_times import mark_implausible
from warehouse.known_quantities import mark_unknown
from warehouse.progress import Numbering, Progress, Standing, numbering_of

DUPLICATES = prometheus_client.Counter(
    "busway_sink_duplicate_messages", "Messages that were in the lake already.", ["topic"]
)
MISSING = prometheus_client.Counter(
    "busway_sink_missing_messages", "Messages whose seq never came.", ["topic"]
)
REUSED = prometheus_client.Counter(
    "busway_sink_reused_seq_messages",
    "Messages stored under a seq that the lake had for other rows: the outbox went back in time.",
    ["topic"],
)
UNDECODABLE = prometheus_client.Counter(
    "busway_sink_undecodable_messages", "Messages put into the dead-letter topic.", ["topic"]
)
log = structlog.get_logger()


class DeadLetters(Protocol):
    """What is needed of `stream.dead_letter.DeadLetter`."""

    def send(self, received: Received, reason: str) -> None:
        """Keep a message apart, with the reason; BrokerUnavailable where that fails."""

    def close(self) -> None:
        """Let go of the broker."""


IsHeld = Callable[[Envelope], bool]
"""Whether the lake, or the buffer, has the very rows of a batch; LakeUnavailable where unknown."""


class Intake:
    """What has been taken and not yet handed over, and what is known of each collector's count."""

    def __init__(self, dead_letters: DeadLetters, is_held: IsHeld) -> None:
        self._dead_letters = dead_letters
        self._is_held = is_held
        self._progress = Progress({})
        self._known_unknown: set[str] = set()
        self._gone_back: set[Numbering] = set()
        self._known_wrong: set[str] = set()
        self.buffer = Buffer()

    def take(self, message: Received) -> None:
        """Put a message into the buffer, or where else it belongs.

        Raises:
            BrokerUnavailable: it belongs to the dead letters, and they cannot be reached; it is not
                taken.
            LakeUnavailable: its number was there before, and the lake cannot be asked whether its
                rows were; it is not taken.
        """
        try:
            envelope = decode(message.value, message.headers)
            if envelope.topic != (topic := message.partition.topic):
                raise MessageUndecodable(f"it carries {envelope.topic} and lies in {topic}")  # noqa: TRY301 - same remedy
        except MessageUndecodable as error:
            self._dead_letters.send(message, str(error))
            self._note_undecodable(message, error)
        else:
            self._admit(envelope)
        self.buffer.pass_over(message.partition, message.offset, message.timestamp_ms)

    def hand_over(self) -> Buffer:
        """Give the buffer away and begin another."""
        full, self.buffer = self.buffer, Buffer()
        return full

    def forget(self) -> None:
        """Throw away what is in the buffer: it will be read again."""
        self.buffer = Buffer()

    def renew(self, standings: Mapping[Numbering, Standing]) -> None:
        """Count on from what the lake says, and from the buffer where that is further."""
        self._progress = Progress({**standings, **self.buffer.standings})

    def _admit(self, envelope: Envelope) -> None:
        numbering = numbering_of(envelope)
        before = self._progress.standing(numbering)
        standing = self._progress.admit(numbering, envelope.seq)
        if standing is None:
            if self._is_held(envelope):
                DUPLICATES.labels(envelope.topic).inc()
                return
            self._note_gone_back(numbering, envelope.seq, before.last_seq)
            standing = before
        if skipped := standing.missing - before.missing:
            MISSING.labels(envelope.topic).inc(skipped)
            log.error(
                "Batches are missing.",
                collector=envelope.collector,
                topic=envelope.topic,
                after_seq=before.last_seq,
                before_seq=envelope.seq,
            )
        batch = envelope.batch
        if envelope.topic == TOPICS["readings"]:
            batch, unknown = mark_unknown(batch)
            self._note_unknown(unknown, envelope.collector)
            batch, implausible = mark_implausible(batch, time.time_ns() // 1000)
            self._note_implausible(implausible, envelope.collector)
        self.buffer.add(batch, numbering, standing)

    def _note_gone_back(self, numbering: Numbering, seq: int, last_seq: int) -> None:
        """Name an outbox once whose numbers have been used before, for other rows."""
        REUSED.labels(numbering.topic).inc()
        if numbering not in self._gone_back:
            self._gone_back.add(numbering)
            log.error(
                "A collector counts anew from where it was before: its outbox was restored from a "
                "backup, or copied. What it sends is stored; give it a new outbox.",
                collector=numbering.collector,
                topic=numbering.topic,
                outbox=numbering.outbox,
                seq=seq,
                last_seq=last_seq,
            )

    def _note_undecodable(self, message: Received, error: MessageUndecodable) -> None:
        UNDECODABLE.labels(message.partition.topic).inc()
        log.warning(
            "A message cannot be used; it is kept as a dead letter.",
            topic=message.partition.topic,
            partition=message.partition.number,
            offset=message.offset,
            error=str(error),
        )

    def _note_unknown(self, names: frozenset[str], collector: str) -> None:
        """Name each unknown quantity once."""
        for name in sorted(names - self._known_unknown):
            log.warning(
                "A quantity is not in facility/quantities.yaml; its readings are uncertain.",
                quantity=name,
                collector=collector,
            )
        self._known_unknown |= names

    def _note_implausible(self, rows: int, collector: str) -> None:
        """Name each collector that sends impossible times once."""
        if rows and collector not in self._known_wrong:
            log.warning(
                "Readings are dated before 2000 or ahead of this clock; they are uncertain.",
                collector=collector,
                rows=rows,
            )
            self._known_wrong.add(collector)
