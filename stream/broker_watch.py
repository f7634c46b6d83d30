"""Says once that the broker is lost and once that it is back, and how long to wait in between."""

from __future__ import annotations

import random
import time

import prometheus_client
import structlog

from facility.errors import BrokerRefused

FIRST_DELAY_S = 0.1
LONGEST_DELAY_S = 5.0

BROKER_UP = prometheus_client.Gauge(
    "busway_broker_up", "1 while this client reaches the broker.", ["client"]
)
BROKER_ERRORS = prometheus_client.Counter(
    "busway_broker_errors", "Attempts to reach the broker that failed.", ["client"]
)

log = structlog.get_logger()


class BrokerWatch:
    """One client's view of the broker; `client` labels its metrics and log lines."""

    def __init__(self, client: str) -> None:
        self._client = client
        self._lost_at: float | None = None
        self._refusals: set[str] = set()
        self._delay_s = FIRST_DELAY_S

    def lost(self, error: Exception) -> float:
        """Book a failed attempt; give the seconds to wait before the next (doubling, jittered)."""
        BROKER_UP.labels(self._client).set(0)
        BROKER_ERRORS.labels(self._client).inc()
        if isinstance(error, BrokerRefused):
            self._say_refusal(error)
        elif self._lost_at is None:
            log.warning(
                "The broker cannot be reached; trying on.", client=self._client, error=str(error)
            )
        self._lost_at = self._lost_at or time.monotonic()
        delay_s = self._delay_s * random.uniform(0.5, 1.0)  # noqa: S311 - spreads reconnections
        self._delay_s = min(2 * self._delay_s, LONGEST_DELAY_S)
        return delay_s

    def reached(self) -> None:
        """Book a success."""
        BROKER_UP.labels(self._client).set(1)
        self._delay_s = FIRST_DELAY_S
        if self._lost_at is not None:
            away_s = round(time.monotonic() - self._lost_at, 1)
            log.info("The broker is back.", client=self._client, away_s=away_s)
            self._lost_at = None
            self._refusals.clear()

    def _say_refusal(self, refusal: BrokerRefused) -> None:
        """Say each thing once that a person must mend, even where the broker was away before."""
        if refusal.remedy not in self._refusals:
            self._refusals.add(refusal.remedy)
            log.error("The broker refuses; trying on.", client=self._client, error=str(refusal))
