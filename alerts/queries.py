"""Rules that are SQL over the lake: each query on its own schedule, its rows as samples."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import prometheus_client
import pyarrow as pa
import structlog

from alerts.samples import Samples
from alerts.watch import ANSWERED, NO_ROW, RuleFacts, WatchTable
from facility.errors import BuswayError, QueryTooSlow

RETRY_US = 30_000_000
"""After a failure, where the rule would ask later: at the first start there is no lake yet."""
HANGS_S = 5.0
"""So long after its time limit, a query that cannot be interrupted is a failure all the same."""
WORKERS = 2
"""One that hangs leaves the other."""
RunQuery = Callable[[str, float], pa.Table]
"""Answers SQL with rows of `device` and, where it has one, `value`; a BuswayError where it cannot,
QueryTooSlow where that takes more than so many seconds."""

FAILED = prometheus_client.Counter(
    "busway_alert_failed_queries",
    "Queries of rules that gave no answer: error, or time_limit.",
    ["rule", "reason"],
)
UNWATCHED = prometheus_client.Counter(
    "busway_alert_unwatched_rows", "Rows of queries that name no device the rule watches.", ["rule"]
)
log = structlog.get_logger()


@dataclass(slots=True)
class _Asked:
    """A query that is under way, or waits for a worker."""

    answer: Future[pa.Table]
    late_at: float = math.inf
    """Of the monotonic clock; known once it runs."""


class Queries:
    """Runs what is due, beside the engine's thread, which never waits for an answer."""

    def __init__(self, run: RunQuery) -> None:
        self._run = run
        self._rules: list[RuleFacts] = []
        self._series: dict[str, dict[str, int]] = {}
        self._due: dict[str, int] = {}
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="alert-query")
        self._asked: dict[str, _Asked] = {}
        self.failing: Mapping[str, str] = {}
        """By rule: why its query gives no answer now; made anew at each change."""

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
            asked = self._asked.get(rule.name)
            if asked is None:
                if now_us >= self._due.get(rule.name, 0):
                    self._due[rule.name] = now_us + rule.every_us
                    self._ask(rule)
            elif not asked.answer.done():
                self._look_whether_late(rule, asked)
            else:
                del self._asked[rule.name]
                if (answer := self._answer(rule, asked.answer)) is not None:
                    yield self._samples(rule, answer, now_us)
                else:
                    self._due[rule.name] = now_us + min(rule.every_us, RETRY_US)

    def close(self) -> None:
        """Ask no more, and wait for nothing."""
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _ask(self, rule: RuleFacts) -> None:
        answer = self._workers.submit(self._run, rule.query, rule.query_limit_s)
        self._asked[rule.name] = _Asked(answer)

    def _look_whether_late(self, rule: RuleFacts, asked: _Asked) -> None:
        if not asked.answer.running():
            return
        now = time.monotonic()
        asked.late_at = min(asked.late_at, now + rule.query_limit_s + HANGS_S)
        if now >= asked.late_at and rule.name not in self.failing:
            why = f"it does not end, {HANGS_S:g} s after its limit of {rule.query_limit_s:g} s"
            self._note_failure(rule.name, "time_limit", why)

    def _answer(self, rule: RuleFacts, running: Future[pa.Table]) -> pa.Table | None:
        try:
            answer = running.result()
        except QueryTooSlow as error:
            self._note_failure(rule.name, "time_limit", str(error))
            return None
        except BuswayError as error:
            self._note_failure(rule.name, "error", str(error))
            return None
        if "device" not in answer.column_names:
            self._note_failure(
                rule.name, "error", f"it gives {answer.column_names}, no column device"
            )
            return None
        self.failing = {name: why for name, why in self.failing.items() if name != rule.name}
        return answer

    def _note_failure(self, rule: str, reason: str, why: str) -> None:
        """Count every failure, and say it once."""
        FAILED.labels(rule, reason).inc()
        is_new = rule not in self.failing
        self.failing = {**self.failing, rule: f"{reason}: {why}"}
        if is_new:
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
