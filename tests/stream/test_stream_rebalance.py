"""What several changes of a group come to."""

from __future__ import annotations

import random

from stream.rebalance import Change, Rebalance, sum_up

A, B, C = (("readings", number) for number in range(3))


def of(*keys: tuple[str, int]) -> frozenset[tuple[str, int]]:
    return frozenset(keys)


def test_nothing_comes_to_nothing() -> None:
    assert sum_up([]) == Rebalance()


def test_what_was_given_and_taken_again_is_not_assigned() -> None:
    changes: list[Change] = [
        ("revoked", of(A)),
        ("assigned", of(A, B)),
        ("revoked", of(A, B)),
        ("assigned", of(C)),
    ]
    assert sum_up(changes) == Rebalance(revoked=of(A, B), assigned=of(C))


def test_what_is_given_back_is_both() -> None:
    changes: list[Change] = [("revoked", of(A)), ("assigned", of(A))]
    assert sum_up(changes) == Rebalance(revoked=of(A), assigned=of(A))


def test_looking_rarely_or_often_leads_to_the_same_partitions() -> None:
    chance = random.Random(1)
    for _ in range(200):
        held: frozenset[tuple[str, int]] = frozenset()
        changes: list[Change] = []
        for _ in range(chance.randrange(6)):
            changes.append(("revoked", held))
            held = frozenset(key for key in (A, B, C) if chance.random() < 0.5)
            changes.append(("assigned", held))
        cut = chance.randrange(len(changes) + 1)
        seen: frozenset[tuple[str, int]] = frozenset()
        for part in (changes[:cut], changes[cut:]):
            change = sum_up(part)
            seen = (seen - change.revoked) | change.assigned
        assert seen == held
