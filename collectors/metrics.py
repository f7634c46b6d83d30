"""What Prometheus is told about polling, device by device."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram, Summary

from collectors.ledger import Booking
from facility.reading import Outcome

UP = Gauge("busway_device_up", "1 while the device answers.", ["device"])
SLOTS = Counter("busway_polls", "Scheduled polls by how they ended.", ["device", "outcome"])
DURATION = Summary("busway_poll_duration_seconds", "From the request to its answer.", ["device"])
POINTS = Counter("busway_points", "Points by what came of them.", ["device", "state"])
ERRORS = Counter("busway_poll_errors", "Failed polls by kind.", ["device", "kind"])
DROPS = Counter(
    "busway_slots_dropped", "Scheduled polls never asked, by reason.", ["device", "reason"]
)
STATES = ("good", "not_good")
START_DELAY = Histogram(
    "busway_poll_start_delay_seconds",
    "How late polls start after their slot.",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0),
)


class DeviceMetrics:
    """The series of one device; each is looked up once."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._duration = DURATION.labels(device)
        self._slots = {outcome: SLOTS.labels(device, outcome.value) for outcome in Outcome}
        self._points = {state: POINTS.labels(device, state) for state in STATES}
        self._up = UP.labels(device)
        self._errors: dict[str, Counter] = {}
        self._drops: dict[str, Counter] = {}

    def count(self, booking: Booking) -> None:
        """Count what a booking says, once."""
        self._slots[booking.outcome].inc(len(booking.slots))
        if booking.latency_s is not None:
            self._duration.observe(booking.latency_s)
        kind = str(booking.error).partition(":")[0]
        if booking.outcome is Outcome.DROPPED:
            self._child(self._drops, DROPS, kind).inc(len(booking.slots))
            return
        if booking.outcome is Outcome.FAILED:
            self._child(self._errors, ERRORS, kind).inc()
        self._up.set(booking.outcome is not Outcome.FAILED)
        self._points["good"].inc(booking.good)
        self._points["not_good"].inc(booking.expected - booking.good)

    def forget(self) -> None:
        """Let a device that is polled no more vanish from the page."""
        UP.remove(self._device)
        DURATION.remove(self._device)
        for metric, values in (
            (SLOTS, self._slots),
            (POINTS, self._points),
            (ERRORS, self._errors),
            (DROPS, self._drops),
        ):
            for value in values:
                metric.remove(self._device, value)

    def _child(self, known: dict[str, Counter], metric: Counter, kind: str) -> Counter:
        child = known.get(kind)
        if child is None:
            child = known[kind] = metric.labels(self._device, kind)
        return child
