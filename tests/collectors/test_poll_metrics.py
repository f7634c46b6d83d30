"""What Prometheus is told of a device, and that it vanishes with the device."""

from __future__ import annotations

from prometheus_client import REGISTRY, generate_latest

from collectors.ledger import Booking, Reason, dropped, failed
from collectors.metrics import DeviceMetrics
from facility.reading import Outcome


def sample(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


def test_a_device_is_counted_by_outcome_kind_and_reason_and_forgotten_with_it() -> None:
    device = "metrics/pdu"
    metrics = DeviceMetrics(device)
    metrics.count(Booking(device, range(1), Outcome.READ, 4, 4, 0.25))
    assert sample("busway_device_up", device=device) == 1
    metrics.count(Booking(device, range(1), Outcome.PARTIAL, 4, 3, 0.5, "missing: 1 of 4 points"))
    metrics.count(failed(device, range(1), 4, "timeout: no answer within 3 s", 3.0))
    assert sample("busway_device_up", device=device) == 0
    metrics.count(dropped(device, range(7), 4, Reason.OVERRUN))
    assert sample("busway_device_up", device=device) == 0
    assert {o: sample("busway_polls_total", device=device, outcome=o) for o in Outcome} == {
        Outcome.READ: 1,
        Outcome.PARTIAL: 1,
        Outcome.FAILED: 1,
        Outcome.DROPPED: 7,
    }
    assert sample("busway_poll_errors_total", device=device, kind="timeout") == 1
    assert sample("busway_slots_dropped_total", device=device, reason="overrun") == 7
    assert sample("busway_points_total", device=device, state="good") == 7
    assert sample("busway_points_total", device=device, state="not_good") == 5
    assert sample("busway_poll_duration_seconds_count", device=device) == 3
    assert sample("busway_poll_duration_seconds_sum", device=device) == 3.75
    metrics.forget()
    assert device.encode() not in generate_latest()
