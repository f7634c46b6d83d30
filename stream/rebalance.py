"""What a consumer group gives to one of its members, and takes from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Key = tuple[str, int]
"""A partition: topic and number."""
Change = tuple[Literal["assigned", "revoked"], frozenset[Key]]


@dataclass(frozen=True, slots=True)
class Rebalance:
    """The sum of some changes; what has been taken away goes first, as it may be given anew."""

    revoked: frozenset[Key] = frozenset()
    assigned: frozenset[Key] = frozenset()
    """Still held after the last of the changes."""


def sum_up(changes: Iterable[Change]) -> Rebalance:
    """Add up changes, in order.

    A client may go through several rebalances before anyone looks; what the first of them gave
    and the next took away can no longer be sought in, and need not be.
    """
    revoked: frozenset[Key] = frozenset()
    assigned: frozenset[Key] = frozenset()
    for kind, partitions in changes:
        if kind == "assigned":
            assigned |= partitions
        else:
            assigned -= partitions
            revoked |= partitions
    return Rebalance(revoked, assigned)
