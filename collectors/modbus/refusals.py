"""What a device has refused to read, and when to ask again. Pure: time is given.

A refused block is halved until the refusal is pinned to one value, which is then left out
(quarantined) while its neighbours flow on. A refusal that vanishes when the block is halved comes
from a hole between the values or from the block's length; it is remembered as a range that no
later read may hold.
"""

from __future__ import annotations

from dataclasses import dataclass

from collectors.modbus.planner import Block, Range

FIRST_RETRY_S = 10.0
"""Soon, since a device that is starting up refuses registers it has."""
LAST_RETRY_S = 3600.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refused range, in the device's words; `retry_at` is None where it is not asked again."""

    reason: str
    wait_s: float
    retry_at: float | None


class Refusals:
    """The refused ranges of one device."""

    def __init__(self) -> None:
        self._known: dict[Range, Refusal] = {}

    @property
    def ranges(self) -> tuple[Range, ...]:
        """No read may hold one of these."""
        return tuple(self._known)

    def add(self, block: Block, reason: str, now: float) -> None:
        """The device refused this block. A single value is asked again later, ever more rarely."""
        if len(block.wanted) > 1:
            self._known[block.range] = Refusal(reason, 0.0, None)
            return
        before = self._known.get(block.range)
        wait_s = min(before.wait_s * 2, LAST_RETRY_S) if before else FIRST_RETRY_S
        self._known[block.range] = Refusal(reason, wait_s, now + wait_s)
        self._drop_what_follows_from(block.range)

    def lift(self, block: Block) -> None:
        """The device answered this block after all."""
        self._known.pop(block.range, None)

    def due(self, now: float) -> tuple[Block, ...]:
        """Quarantined values that should be asked again, each in a read of its own."""
        return tuple(
            Block.of((place,))
            for place, refusal in self._known.items()
            if refusal.retry_at is not None and now >= refusal.retry_at
        )

    def reason(self, place: Range) -> str | None:
        """Why a value is quarantined, or None where it is not."""
        for refused, refusal in self._known.items():
            if place.holds(refused):
                return refusal.reason
        return None

    def _drop_what_follows_from(self, place: Range) -> None:
        """Forget wider refusals that this one explains."""
        for wider in [r for r in self._known if r != place and r.holds(place)]:
            del self._known[wider]
