"""What a device has refused to read, and when to ask again. Pure: time is given.

A refused block is halved until the refusal is pinned to one value, which is then left out
(quarantined) while its neighbours flow on. Where both halves answer, the refusal came from reading
them in one go (a hole between them, or more registers than the device gives): they are kept apart.
"""

from __future__ import annotations

from dataclasses import dataclass

from collectors.modbus.planner import Block, Range

FIRST_RETRY_S = 10.0
"""Soon, since a device that is starting up refuses registers it has."""
LAST_RETRY_S = 3600.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refused block, in the device's words; `retry_at` is None where it is not asked again."""

    block: Block
    reason: str
    wait_s: float = 0.0
    retry_at: float | None = None


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
            self._known[block.range] = Refusal(block, reason)
            return
        before = self._known.get(block.range)
        wait_s = min(before.wait_s * 2, LAST_RETRY_S) if before else FIRST_RETRY_S
        self._known[block.range] = Refusal(block, reason, wait_s, now + wait_s)

    def lift(self, block: Block) -> None:
        """The device answered this block after all."""
        if self._known:
            self._known.pop(block.range, None)

    def settle(self) -> None:
        """Keep of each refusal only its cause, once all halves have been asked."""
        for place, refusal in list(self._known.items()):
            if any(place.holds(other) for other in self._known if other != place):
                del self._known[place]
            elif halves := refusal.block.halves():
                left, right = halves
                del self._known[place]
                seam = Block.of((left.wanted[-1], right.wanted[0]))
                self._known[seam.range] = Refusal(seam, refusal.reason)

    def due(self, now: float) -> tuple[Block, ...]:
        """Quarantined values that should be asked again, each in a read of its own."""
        return tuple(
            refusal.block
            for refusal in self._known.values()
            if refusal.retry_at is not None and now >= refusal.retry_at
        )

    def reason(self, place: Range) -> str | None:
        """Why a value is quarantined, or None where it is not."""
        for refused, refusal in self._known.items():
            if place.holds(refused):
                return refusal.reason
        return None
