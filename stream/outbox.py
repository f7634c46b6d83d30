"""The collector's store of what the broker has not taken yet: a transactional outbox in SQLite.

`append` returns when the batch is on disk under the next `seq` of its topic; these numbers have no
gaps and outlive a restart, an empty table and a kill -9.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import prometheus_client
import pyarrow as pa
import structlog

from facility.errors import ConfigError, OutboxFull
from stream import codec
from stream.message import Message
from stream.outbox_file import OutboxFile
from stream.recent import Recent

WhenFull = Literal["drop_oldest", "stop_polling"]
DeleteAt = Literal["acknowledgement", "trim"]
RECENT_BYTES = 32_000_000
"""Most that is held in memory of what was appended and has no acknowledgement yet."""
ENTRY_OVERHEAD_BYTES = 200
"""What an entry costs on disk beside its value, rounded up."""

APPENDED = prometheus_client.Counter(
    "busway_outbox_appended_messages", "Messages stored in the outbox.", ["topic"]
)
DROPPED = prometheus_client.Counter(
    "busway_outbox_dropped_messages", "Messages lost to a full outbox.", ["topic"]
)
DROPPED_ROWS = prometheus_client.Counter(
    "busway_outbox_dropped_rows", "Rows lost to a full outbox.", ["topic"]
)
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Entry:
    """A stored message; `number` counts over all topics, in the order of appending."""

    number: int
    message: Message


@dataclass(frozen=True, slots=True)
class Dropped:
    """A message that was thrown away because the outbox was full."""

    topic: str
    seq: int
    rows: int
    dropped_at_us: int


@dataclass(frozen=True, slots=True)
class Depth:
    """How much the outbox holds, and how long the broker has not taken the oldest of it."""

    messages: int
    bytes: int
    waiting: int
    """Messages that the broker has not acknowledged."""
    oldest_age_s: float
    """Age of the oldest of those; 0 where there is none."""


class Outbox:
    """One collector's outbox: one file, one process, any number of threads.

    Opening it reads the file through, so that damage is found before anything is lost to it.

    `delete_at` says when an entry goes: at the broker's acknowledgement, or only when `trim` says
    that the lake has it. The latter is for a broker that keeps its log in memory: after a restart
    of either, everything that was not trimmed is sent again.

    A full outbox first forgets what the broker has acknowledged. Then, by `when_full`, it drops the
    oldest messages of the topic that takes the most room, or refuses the new batch.

    Raises:
        OutboxCorrupt: the file is damaged or is no outbox.
        OutboxInUse: another process has it open.
        ConfigError: it belongs to another collector, or cannot be written.
    """

    def __init__(
        self,
        path: Path,
        *,
        collector: str,
        max_bytes: int,
        when_full: WhenFull,
        max_message_bytes: int = 1_000_000,
        delete_at: DeleteAt = "acknowledgement",
    ) -> None:
        self.collector = collector
        self.delete_at = delete_at
        self._max_bytes = max_bytes
        self._when_full = when_full
        self._max_message_bytes = max_message_bytes
        self._lock = threading.Lock()
        self._acknowledged = 0  # entries up to this number are with the broker
        self._untrimmed: dict[str, int] = {}  # by topic: entries up to this number are not trimmed
        self._tidied = 0  # entries up to this number are deleted
        self._recent = Recent(RECENT_BYTES)
        self._file = OutboxFile(path)
        try:
            self.id = self._claim()
        except BaseException:
            self._file.close()
            raise

    def append(self, topic: str, batch: pa.RecordBatch) -> tuple[int, ...]:
        """Store a batch, in as many messages as the broker's limit asks for; give their seqs.

        Raises:
            OutboxFull: no room, and the policy is to stop polling; or the disk is full. Nothing of
                the batch is stored, no seq is used.
            OutboxCorrupt: the file was damaged meanwhile.
            ValueError: the batch has not the schema that `topic` promises.
        """
        return self.append_each(topic, [batch] if len(batch) else [])

    def append_each(self, topic: str, batches: Iterable[pa.RecordBatch]) -> tuple[int, ...]:
        """Store batches in messages of their own, all of them or none; else as `append`."""
        pieces = [
            piece
            for batch in batches
            for piece in codec.encode_within(batch, topic, self._max_message_bytes)
        ]
        if not pieces:
            return ()
        with self._lock:
            with self._file.transaction():
                dropped = self._make_room(sum(_size(value) for _, value in pieces))
                stored = self._insert(topic, pieces)
            for number, (_, value) in zip(stored.values(), pieces, strict=True):
                self._recent.keep(number, value)
        APPENDED.labels(topic).inc(len(pieces))
        for lost in dropped:
            DROPPED.labels(lost.topic).inc()
            DROPPED_ROWS.labels(lost.topic).inc(lost.rows)
        return tuple(stored)

    def last_seq(self, topic: str) -> int:
        """Give the seq of the last message ever appended to a topic; 0 where there was none."""
        with self._lock:
            return self._last_seq(topic)

    def pending(self, max_bytes: int, *, after: Entry | None = None) -> list[Entry]:
        """Give the oldest messages without acknowledgement, in order, up to about `max_bytes`.

        At least one, where there is any. Only those behind `after`, if it is given.
        """
        entries: list[Entry] = []
        size = 0
        with self._lock:
            for number, topic, schema, seq, rows, stored in self._file.stream(
                "SELECT number, topic, schema, seq, rows, bytes FROM entry"
                " WHERE number > ? ORDER BY number",
                max(self._acknowledged, after.number if after else 0),
            ):
                size += stored - ENTRY_OVERHEAD_BYTES
                if entries and size > max_bytes:
                    break
                value = self._recent.get(number) or self._file.value(number)
                message = codec.seal(
                    value,
                    topic=topic,
                    schema=schema,
                    collector=self.collector,
                    seq=seq,
                    rows=rows,
                    outbox=self.id,
                )
                entries.append(Entry(number, message))
        return entries

    def acknowledge(self, up_to: Entry) -> None:
        """Note that the broker has every message up to and including this one; delete them."""
        self.note_acknowledged(up_to)
        self.tidy()

    def note_acknowledged(self, up_to: Entry) -> None:
        """Give no message up to this one again; `tidy` deletes them, or who needs their room."""
        with self._lock:
            self._acknowledged = max(self._acknowledged, up_to.number)
            self._recent.forget(self._acknowledged)

    def tidy(self) -> None:
        """Delete what the broker has, where its acknowledgement is enough.

        Power loss may bring it back; then it is sent again, and the lake knows its seq.
        """
        with self._lock:
            if self.delete_at == "acknowledgement" and self._acknowledged > self._tidied:
                self._file.execute_unsynced(
                    "DELETE FROM entry WHERE number <= ?", self._acknowledged
                )
                self._tidied = self._acknowledged

    def resend(self) -> None:
        """Take back every acknowledgement: the broker has lost its log."""
        with self._lock:
            self._acknowledged = 0

    def trim(self, topic: str, up_to_seq: int) -> None:
        """Delete what the lake has of a topic: every seq up to and including this one.

        A lake that has more than was ever appended knew this outbox at a later time: then nothing
        that is here is known to be there, and the count goes on above the lake's.
        """
        with self._lock:
            if up_to_seq > (given := self._last_seq(topic)):
                self._go_on_above(topic, given, up_to_seq)
            self._file.execute(
                "DELETE FROM entry WHERE topic = ? AND seq <= ? AND number > ?",
                topic,
                up_to_seq,
                self._untrimmed.get(topic, 0),
            )

    def depth(self) -> Depth:
        """Say how much is stored, and how old the oldest message without acknowledgement is."""
        query = self._file.execute
        with self._lock:
            cursor = self._acknowledged
            messages, size = query("SELECT total(messages), total(bytes) FROM topic")[0]
            sent = query("SELECT count(*) FROM entry WHERE number <= ?", cursor)[0][0]
            oldest = query("SELECT appended_at_us FROM entry WHERE number > ? LIMIT 1", cursor)
        age_s = max(0.0, (_now_us() - oldest[0][0]) / 1e6) if oldest else 0.0
        return Depth(int(messages), int(size), int(messages) - sent, age_s)

    def dropped(self) -> tuple[Dropped, ...]:
        """Give what was dropped and not yet booked, oldest first."""
        with self._lock:
            rows = self._file.execute(
                "SELECT topic, seq, rows, dropped_at_us FROM dropped ORDER BY dropped_at_us, seq"
            )
        return tuple(Dropped(*row) for row in rows)

    def forget_dropped(self, booked: Sequence[Dropped]) -> None:
        """Strike off what the ledger has booked."""
        with self._lock, self._file.transaction():
            for lost in booked:
                self._file.execute(
                    "DELETE FROM dropped WHERE topic = ? AND seq = ?", lost.topic, lost.seq
                )

    def close(self) -> None:
        """Let go of the file. Safe twice."""
        with self._lock:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _claim(self) -> str:
        """Name the collector in a new file, or check that a known one is this collector's."""
        if found := self._file.execute("SELECT id, collector FROM outbox"):
            identity, owner = found[0]
            if owner != self.collector:
                raise ConfigError(
                    f"outbox {self._file.path} belongs to collector {owner!r}, not"
                    f" {self.collector!r}; give each collector an outbox of its own"
                )
            return str(identity)
        identity = uuid.uuid4().hex
        self._file.execute("INSERT INTO outbox VALUES (?, ?)", identity, self.collector)
        return identity

    def _make_room(self, size: int) -> list[Dropped]:
        """Delete until `size` more bytes fit; give what no broker has."""
        if size > self._max_bytes:
            raise OutboxFull(f"a batch of {size} bytes is more than the outbox may ever hold")
        dropped: list[Dropped] = []
        while self._stored_bytes() + size > self._max_bytes:
            if self._file.execute(
                "DELETE FROM entry WHERE number ="
                " (SELECT min(number) FROM entry WHERE number <= ?) RETURNING number",
                self._acknowledged,
            ):
                continue
            if self._when_full == "stop_polling":
                raise OutboxFull(
                    f"outbox {self._file.path} holds {self._stored_bytes()} of {self._max_bytes}"
                    " bytes; polling stops until the broker takes some"
                )
            dropped.append(self._drop_oldest())
        return dropped

    def _last_seq(self, topic: str) -> int:
        found = self._file.execute("SELECT last_seq FROM topic WHERE name = ?", topic)
        return int(found[0][0]) if found else 0

    def _go_on_above(self, topic: str, given: int, up_to_seq: int) -> None:
        """Number what comes so that the lake takes it; keep what is here until the next start."""
        with self._file.transaction():
            self._add_topic(topic)
            self._file.execute("UPDATE topic SET last_seq = ? WHERE name = ?", up_to_seq, topic)
            ((newest,),) = self._file.execute("SELECT coalesce(max(number), 0) FROM entry")
        self._untrimmed[topic] = newest
        log.error(
            "The lake has had more from this outbox than it knows of: it was restored from a "
            "backup, or copied. Its numbers go on above the lake's; nothing of it is dropped.",
            outbox=str(self._file.path),
            collector=self.collector,
            topic=topic,
            last_seq=given,
            lake_last_seq=up_to_seq,
        )

    def _add_topic(self, topic: str) -> None:
        self._file.execute(
            "INSERT INTO topic (name, last_seq) VALUES (?, 0) ON CONFLICT DO NOTHING", topic
        )

    def _stored_bytes(self) -> int:
        return int(self._file.execute("SELECT total(bytes) FROM topic")[0][0])

    def _drop_oldest(self) -> Dropped:
        ((topic, seq, rows),) = self._file.execute(
            "DELETE FROM entry WHERE number = (SELECT min(number) FROM entry WHERE topic ="
            " (SELECT name FROM topic ORDER BY bytes DESC LIMIT 1)) RETURNING topic, seq, rows"
        )
        lost = Dropped(topic, seq, rows, _now_us())
        self._file.execute("INSERT INTO dropped VALUES (?, ?, ?, ?)", topic, seq, rows, _now_us())
        return lost

    def _insert(self, topic: str, pieces: Sequence[tuple[int, bytes]]) -> dict[int, int]:
        """Store encoded batches; give their seqs, each with its entry's number."""
        execute = self._file.execute
        self._add_topic(topic)
        last_seq = execute("SELECT last_seq FROM topic WHERE name = ?", topic)[0][0]
        stored = {}
        for seq, (rows, value) in enumerate(pieces, last_seq + 1):
            ((stored[seq],),) = execute(
                "INSERT INTO entry (topic, seq, schema, rows, bytes, appended_at_us, value)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING number",
                topic,
                seq,
                codec.schema_of(topic),
                rows,
                _size(value),
                _now_us(),
                value,
            )
        return stored


def _size(value: bytes) -> int:
    return len(value) + ENTRY_OVERHEAD_BYTES


def _now_us() -> int:
    return time.time_ns() // 1000
