"""How far each collector's batches have come: what is new, what was here before, what never came.

Pure: the sink's memory of `collector_progress`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stream.message import Envelope


@dataclass(frozen=True, slots=True)
class Numbering:
    """Whose batches are counted: an outbox gives each topic 1, 2, 3 ... without gaps."""

    collector: str
    topic: str
    outbox: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How far one numbering has come."""

    last_seq: int = 0
    missing: int = 0
    """Batches whose seq never came, since the first."""


class Progress:
    """The standing of each numbering, in the lake or on its way there."""

    def __init__(self, standings: Mapping[Numbering, Standing]) -> None:
        self._standings = dict(standings)

    def standing(self, numbering: Numbering) -> Standing:
        """Say how far a numbering has come; all zero for one that was never seen."""
        return self._standings.get(numbering, Standing())

    def admit(self, numbering: Numbering, seq: int) -> Standing | None:
        """Give where a new batch brings its numbering to; None for one that was here before.

        A collector's batches of a topic come in order, so one that is not above the last has been
        here before, and those between it and the last will not come any more.
        """
        before = self.standing(numbering)
        if seq <= before.last_seq:
            return None
        skipped = seq - before.last_seq - 1
        after = Standing(seq, before.missing + skipped)
        self._standings[numbering] = after
        return after


def numbering_of(envelope: Envelope) -> Numbering:
    """Say whose count a batch belongs to."""
    return Numbering(envelope.collector, envelope.topic, envelope.outbox)
