"""What an energy register does besides growing, in the unit of its quantity."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CounterFacts:
    """Facts of a counter after scaling, as the accounting of energy needs them."""

    modulus: float | None
    """The value at which it starts again from 0; None when it never does in a meter's life."""
    resolution: float
    """Smallest step."""
