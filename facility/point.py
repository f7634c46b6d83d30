"""The fixed columns of a device's points."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class PointTable:
    """What one poll of a device yields, in order; built once and shared by its polls.

    Compared by identity, so a consumer may cache what it derives from it, in a WeakKeyDictionary. A
    table whose rows come and go (SNMP rows, GPUs) gives a new PointTable when its shape changes.
    """

    device: str
    components: tuple[str, ...]
    quantities: tuple[str, ...]
    sources: tuple[str, ...]
    """Where each value comes from: the OID, register or series, for a person to check."""

    def __len__(self) -> int:
        return len(self.quantities)
