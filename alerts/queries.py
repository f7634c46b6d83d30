"""Rules that are SQL over the lake: each query on its own schedule, its rows as samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import prometheus_client
import pyarrow as pa
import structlog

from alerts.samples import Samples
from alerts.watch import ANSWERED, NO_ROW, RuleFacts, WatchTable
from facility.errors import BuswayError

RETRY_US = 30_000_000
"""After a failure, where the rule would ask later: at the first start there is no lake yet."""
RunQuery = Callable[[str], pa.Table]
"""Answers SQL with rows of `device` and, where it has one, `value`; a BuswayError where it cannot.
It must end by itself."""

FAILED = prometheus_client.Counter(
    "busway_alert_failed_queries", "Queries of rules that gave no answer.", ["rule"]
)
UNWATCHED = prometheus_client.Counter(
    "busway_alert_unwatched_rows", "Rows of queries that name no device the rule watches.", ["rule"]
)
log = structlog.get_logger()


class Queries:
    """Runs what is due, one query at a time, beside the engine's thread."""

    def __init__(self, run: RunQuery) -> None:
        self._run = run
        self._rules: list[RuleFacts] = []
        self._series: dict[str, dict[str, int]] = {}
        self._due: dict[str, int] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="alert-query")
        self._running: dict[str, Future[pa.Table]] = {}
        self._failing: set[str] = set()

    def watch(self, table: WatchTable) -> None:
        """Ask for the rules of this table from now on."""
        self._rules = [rule for rule in table.rules if rule.query]
        self._series = {rule.name: {} for rule in self._rules}
        for number, (device, name, quantity) in enumerate(table.series):
            if quantity == ANSWERED and name in self._series:
                self._series[name][device] = number

    def turn(self, now_us: int) -> Iterator[Samples]:
        """Take the answers that have come, and ask what is due."""
        for rule in self._rules:
            running = self._running.get(rule.name)
            if running is not None and running.done():
                del self._running[rule.name]
                if (answer := self._answer(rule, running)) is not None:
                    yield self._samples(rule, answer, now_us)
                else:
                    self._due[rule.name] = now_us + min(rule.every_us, RETRY_US)
            elif running is None and now_us >= self._due.get(rule.name, 0):
                self._due[rule.name] = now_us + rule.every_us
                self._running[rule.name] = self._thread.submit(self._run, rule.query)

    def close(self) -> None:
        """Wait for what is running, and ask no more."""
        self._thread.shutdown(cancel_futures=True)

    def _answer(self, rule: RuleFacts, running: Future[pa.Table]) -> pa.Table | None:
        try:
            answer = running.result()
        except BuswayError as error:
            self._note_failure(rule.name, str(error))
            return None
        if "device" not in answer.column_names:
            self._note_failure(rule.name, f"it gives {answer.column_names}, no column device")
            return None
        self._failing.discard(rule.name)
        return answer

    def _note_failure(self, rule: str, why: str) -> None:
        """Count every failure, and say it once."""
        FAILED.labels(rule).inc()
        if rule not in self._failing:
            self._failing.add(rule)
            log.warning(
                "A rule's query fails; its alerts will be without data.", rule=rule, error=why
            )

    def _samples(self, rule: RuleFacts, answer: pa.Table, now_us: int) -> Samples:
        """Give each watched device its row's value, and NO_ROW to those without one.

        Where values count, a null or a missing row is no sample: nothing is known of the device,
        least of all that it is well.
        """
        series = self._series[rule.name]
        found = dict.fromkeys(series, NO_ROW) if rule.by_rows else {}
        has_value = "value" in answer.column_names
        for row in answer.to_pylist():
            if row["device"] not in series:
                UNWATCHED.labels(rule.name).inc()
                continue
            value = row["value"] if has_value else 1.0
            if value is None:
                found.pop(row["device"], None)
            else:
                found[row["device"]] = float(value)
        return Samples(
            np.array([series[device] for device in found], np.int32),
            np.full(len(found), now_us, np.int64),
            np.array(list(found.values())),
            np.zeros(len(found), np.bool_),
        )
