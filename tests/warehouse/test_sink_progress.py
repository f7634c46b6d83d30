"""Counting batches: pure."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from warehouse.progress import Numbering, Progress, Standing

ONE = Numbering("c-1", "busway.readings", "o-1")


def test_a_batch_comes_once():
    progress = Progress({ONE: Standing(7)})
    assert progress.admit(ONE, 7) is None
    assert progress.admit(ONE, 8) == Standing(8)
    assert progress.admit(ONE, 8) is None


def test_skipped_seqs_are_missing():
    progress = Progress({})
    assert progress.admit(ONE, 3) == Standing(3, missing=2)
    assert progress.admit(ONE, 5) == Standing(5, missing=3)


def test_another_outbox_counts_from_one_again():
    progress = Progress({ONE: Standing(90)})
    assert progress.admit(Numbering("c-1", "busway.readings", "o-2"), 1) == Standing(1)


@given(st.lists(st.integers(1, 30), min_size=1))
def test_admitted_and_missing_add_up_to_the_last_seq(seqs):
    """Whatever comes, in whatever order and how often."""
    progress = Progress({})
    admitted = sum(progress.admit(ONE, seq) is not None for seq in seqs)
    standing = progress.standing(ONE)
    assert admitted + standing.missing == standing.last_seq == max(seqs)
