"""What is counted under a device's name."""

from __future__ import annotations

from collections import Counter

from collectors.faults import FAULTS


def faults_of(device: str) -> Counter[str]:
    """Faults of a device's answers so far, by name."""
    return Counter(
        {
            sample.labels["fault"]: int(sample.value)
            for metric in FAULTS.collect()
            for sample in metric.samples
            if sample.name.endswith("_total") and sample.labels["device"] == device
        }
    )
