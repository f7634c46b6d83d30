"""The engine: from the topics to transitions, each of them once, however often it is killed.

A turn reads what has come, judges it, looks at the clock, and stores what it decides in the outbox
before anybody hears of it. Memory is all that a kill -9 takes: at the start every alert goes on
from its last transition, in topic, outbox or lake, and the stream is read again from as far back as
delays and windows reach. What was stored is not decided again; what was not is decided now.

One engine reads all partitions, whatever group there might be: an alert may need readings of
several. Its outbox lets no second one run.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
import prometheus_client
import structlog

from alerts.board import Action
from alerts.clock import StreamClock
from alerts.flood import NEW_ALERTS, Flood
from alerts.history import TOPIC, UNDECODABLE, Told, read_history
from alerts.learner import Learner, Watched
from alerts.queries import Queries, RunQuery
from alerts.restore import latest
from alerts.samples import Samples, readings_of_polls, samples_of
from alerts.watch import SeriesKey, WatchTable
from facility.alert import Transition, to_batch
from facility.errors import BrokerUnavailable, MessageUndecodable, OutboxFull
from facility.reading import TOPICS
from facility.site import Kafka
from stream.codec import decode
from stream.message import Partition, Received
from stream.outbox import Outbox
from stream.subscriber import Subscriber

READINGS, POLLS = TOPICS["readings"], TOPICS["polls"]
TURN_S = 0.1
"""How long a turn waits for messages; delays and what operators do wait as long."""
POLL_BYTES = 8_000_000
COMPARE_S = 1.0
HANGS_S = 15.0
FULL_WAIT_S = 1.0
LEAST_REWIND_US = 60_000_000
MOST_REWIND_US = 900_000_000
"""Longer windows begin anew after a restart: what they watch fires later then, never falsely."""

TRANSITIONS = prometheus_client.Counter(
    "busway_alert_transitions", "Changes of alerts' states.", ["state", "priority"]
)
STATES = prometheus_client.Gauge("busway_alerts", "Alerts in each state.", ["state"])
ROWS = prometheus_client.Counter("busway_alert_readings", "Readings that the engine has read.")
SAMPLES = prometheus_client.Counter("busway_alert_samples", "Readings of them that a rule watches.")
BEHIND = prometheus_client.Gauge(
    "busway_alert_behind_seconds", "How far the engine's clock is behind the wall's."
)
log = structlog.get_logger()

Listen = Callable[[Sequence[Told]], None]
"""Takes transitions, in order, when they are on disk; must not wait for anything."""


class Engine:
    """Decides in the thread of `run`; `act` and `health` may be called from any. No I/O before."""

    def __init__(
        self,
        watched: Watched,
        kafka: Kafka,
        outbox: Outbox,
        *,
        remembered: Callable[[], Iterable[Transition]] = tuple,
        run_query: RunQuery | None = None,
        listen: Listen = lambda _: None,
    ) -> None:
        """Make it.

        `remembered` gives transitions that neither topic nor outbox may have any more, as where the
        broker keeps its log in memory; `listen` first gets what was told before.
        """
        self._learner = Learner(watched)
        self.board = self._learner.board()
        self._kafka = kafka
        self._outbox = outbox
        self._watched = watched
        self._remembered = remembered
        self._listen = listen
        self._queries = Queries(run_query) if run_query is not None else None
        self._flood = Flood()
        self._own: dict[SeriesKey, int] = {}
        self._follow_board()
        self._feed = Subscriber(
            kafka, (READINGS, POLLS), on_assigned=self._assign, on_revoked=self._revoke
        )
        self._clock = StreamClock(0)
        self._actions: SimpleQueue[tuple[Action, Future[list[Transition]]]] = SimpleQueue()
        self._next_compare = 0.0
        self._is_ready = False
        self._turned_at = 0.0

    def run(self, stop: threading.Event) -> None:
        """Watch until told to stop.

        Raises:
            ConfigError: the stream is not set up as the site says.
            OutboxCorrupt: the outbox was damaged meanwhile.
        """
        try:
            self._restore(stop)
            while not stop.is_set():
                self._turn(stop)
        finally:
            self._is_ready = False
            self._feed.close()
            self._learner.close()
            self._refuse_what_was_asked()
            if self._queries is not None:
                self._queries.close()

    def act(self, action: Action) -> Future[list[Transition]]:
        """Have an operator's deed done in the next turn; AlertUnknown where there is no such alert.

        The future is done when the deed is on disk.
        """
        asked: Future[list[Transition]] = Future()
        self._actions.put((action, asked))
        return asked

    def health(self) -> dict[str, Any]:
        """Say how the engine does; from any thread."""
        return {
            "ready": self._is_ready and bool(self._feed.assigned) and not self._hangs(),
            "watches": len(self.board.table),
            "series": len(self.board.table.series),
            "alerts": {state.value: count for state, count in self.board.counts().items()},
            "is_behind": self._clock.is_behind,
            "failing_queries": dict(self._queries.failing) if self._queries is not None else {},
        }

    def _hangs(self) -> bool:
        """Whether the last turn is long over, as while it waits for room in its outbox."""
        return time.monotonic() - self._turned_at > HANGS_S

    def _restore(self, stop: threading.Event) -> None:
        history = read_history(self._kafka, self._outbox, stop)
        if stop.is_set():
            return
        wall_us = _wall_us()
        self._clock = StreamClock(wall_us - rewind_us(self.board.table))
        told = [known.transition for known in history]
        self._listen(history)
        self._flood.note(told)
        last = latest(self._remembered(), told)
        ended = self.board.start(last, wall_us, may_return=self._watched.may_return)
        self._store(ended, stop)
        log.info("Alerts go on.", known=len(told), watches=len(self.board.table))

    def _turn(self, stop: threading.Event) -> None:
        told: list[Transition] = []
        for message in self._feed.poll(TURN_S, POLL_BYTES):
            told += self._take(message, _wall_us())
        self._compare()
        wall_us = _wall_us()
        now_us = self._clock.now(wall_us)
        for samples in self._own_samples(now_us):
            told += self.board.take(samples, now_us, wall_us)
        told += self.board.tick(now_us, wall_us)
        self._store(told, stop)
        self._do_what_was_asked(stop)
        self._learn(now_us)
        self._turned_at = time.monotonic()
        BEHIND.set((wall_us - now_us) / 1e6)

    def _take(self, message: Received, wall_us: int) -> list[Transition]:
        self._clock.read(message.partition, message.offset, message.timestamp_ms)
        try:
            envelope = decode(message.value, message.headers)
        except MessageUndecodable:  # the sink says so and keeps it
            UNDECODABLE.labels(message.partition.topic).inc()
            return []
        batch = envelope.batch
        if envelope.topic == POLLS:
            batch = readings_of_polls(batch)
        elif envelope.topic != READINGS:
            return []
        sender = f"{envelope.collector} {envelope.topic}"
        samples = samples_of(batch, self.board.index, sender, wall_us)
        ROWS.inc(len(batch))
        SAMPLES.inc(len(samples))
        return self.board.take(samples, self._clock.now(wall_us), wall_us)

    def _own_samples(self, now_us: int) -> Iterable[Samples]:
        """What is asked of the lake, and what the engine says of itself; nothing while behind."""
        if self._clock.is_behind:
            return
        if self._queries is not None:
            yield from self._queries.turn(now_us)
        counts = self._flood.counts(self._watched.site, now_us)
        known = [(self._own[key], count) for key, count in counts.items() if key in self._own]
        if known:
            yield Samples(
                np.array([number for number, _ in known], np.int32),
                np.full(len(known), now_us, np.int64),
                np.array([count for _, count in known]),
                np.zeros(len(known), np.bool_),
            )

    def _learn(self, now_us: int) -> None:
        """Watch the parts that devices have shown, once the wider board is made."""
        if (wider := self._learner.turn(self.board.index.new_points)) is not None:
            wider.adopt(self.board, now_us)
            self.board = wider
            self._follow_board()
            log.info("Devices have shown more parts.", watches=len(self.board.table))

    def _follow_board(self) -> None:
        series = self.board.table.series
        self._own = {key: n for n, key in enumerate(series) if key[2] == NEW_ALERTS}
        if self._queries is not None:
            self._queries.watch(self.board.table)

    def _store(self, told: Sequence[Transition], stop: threading.Event) -> bool:
        """Put transitions into the outbox, then tell of them; waits where it is full."""
        while told:
            try:
                seqs = self._outbox.append_each(TOPIC, map(to_batch, told))
            except OutboxFull as error:
                log.error("Alerts wait for room in the outbox.", error=str(error))  # noqa: TRY400 - the message says all
                if stop.wait(FULL_WAIT_S):
                    return False
            else:
                self._flood.note(told)
                self._count(told)
                self._listen(
                    [Told(self._outbox.id, seq, t) for seq, t in zip(seqs, told, strict=True)]
                )
                break
        return True

    def _do_what_was_asked(self, stop: threading.Event) -> None:
        while True:
            try:
                action, asked = self._actions.get_nowait()
            except Empty:
                return
            try:
                told = self.board.act(action, self._clock.now(_wall_us()), _wall_us())
                if self._store(told, stop):
                    asked.set_result(told)
                else:
                    asked.cancel()
            except Exception as error:  # noqa: BLE001 - handed over whole to who asked
                asked.set_exception(error)

    def _refuse_what_was_asked(self) -> None:
        with suppress(Empty):
            while True:
                self._actions.get_nowait()[1].cancel()

    def _count(self, told: Sequence[Transition]) -> None:
        for made in told:
            TRANSITIONS.labels(made.state.value, str(made.priority)).inc()

    def _compare(self) -> None:
        if time.monotonic() < self._next_compare:
            return
        self._next_compare = time.monotonic() + COMPARE_S
        try:
            self._clock.compare(self._feed.high_water(), _wall_us())
        except BrokerUnavailable:  # the feed says so itself
            return
        self._is_ready = not self._clock.is_behind
        for state, count in self.board.counts().items():
            STATES.labels(state.value).set(count)

    def _assign(self, partitions: tuple[Partition, ...]) -> None:
        """Read on where it was left; a partition that is new, from as far back as is looked."""
        begin_ms = self._clock.now(0) // 1000
        offsets = {}
        for partition in partitions:
            known = self._clock.next_offset(partition)
            offsets[partition] = (
                self._feed.offset_at(partition, begin_ms) if known is None else known
            )
            self._feed.seek(partition, offsets[partition])
        self._clock.assign(offsets)

    def _revoke(self, partitions: tuple[Partition, ...]) -> None:
        self._clock.revoke(partitions)


def rewind_us(table: WatchTable) -> int:
    """Say how far back delays and windows reach, within bounds."""
    reach = [
        int(column.max(initial=0))
        for column in (table.window_us, table.on_delay_us, table.off_delay_us)
    ]
    return min(MOST_REWIND_US, max(LEAST_REWIND_US, *reach))


def _wall_us() -> int:
    return time.time_ns() // 1000
