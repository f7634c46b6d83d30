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
START_DELAY = Histogram(
    "busway_poll_start_delay_seconds",
    "How late polls start after their slot.",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0),
)


class DeviceMetrics:
    """The series of one device, looked up once."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._duration = DURATION.labels(device)
        self._slots = {outcome: SLOTS.labels(device, outcome.value) for outcome in Outcome}
        self._good = POINTS.labels(device, "good")
        self._not_good = POINTS.labels(device, "not_good")
        self._up = UP.labels(device)

    def count(self, booking: Booking) -> None:
        """Count what a booking says, once."""
        self._slots[booking.outcome].inc(len(booking.slots))
        if booking.latency_s is not None:
            self._duration.observe(booking.latency_s)
        if booking.outcome is Outcome.DROPPED:
            DROPS.labels(self._device, booking.error).inc(len(booking.slots))
            return
        if booking.outcome is Outcome.FAILED:
            ERRORS.labels(self._device, str(booking.error).partition(":")[0]).inc()
        self._up.set(booking.outcome is not Outcome.FAILED)
        self._good.inc(booking.good)
        self._not_good.inc(booking.expected - booking.good)

    def forget(self) -> None:
        """Let a device that is polled no more vanish from the page."""
        for metric in (UP, SLOTS, DURATION, POINTS, ERRORS, DROPS):
            metric.remove_by_labels({"device": self._device})
