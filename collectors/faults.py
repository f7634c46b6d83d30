"""What is wrong with a device's answers, counted under its name, also where the poll goes well."""

from __future__ import annotations

from prometheus_client import Counter

FAULTS = Counter(
    "busway_answer_faults",
    "Answers of a device that could not be used as they came, by what was wrong with them.",
    ["device", "fault"],
)


class Faults:
    """The faults of one device's answers.

    Modbus: an error's kind, or `exception` and its code. SNMP: `lost`, `garbled`, or the agent's
    error-status. DCGM: `malformed`, `conflicting`, `broken off`. NVML: `hung`, `gpu not opened`.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._seen: set[str] = set()

    def count(self, fault: str, by: int = 1) -> None:
        """Count a fault; `by` 0 is none."""
        if by:
            self._seen.add(fault)
            FAULTS.labels(self._device, fault).inc(by)

    def forget(self) -> None:
        """Let a device that is read no more vanish from the page."""
        for fault in self._seen:
            FAULTS.remove(self._device, fault)
        self._seen.clear()
