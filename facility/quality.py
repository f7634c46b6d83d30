"""How far a reading may be trusted."""

from __future__ import annotations

from enum import IntEnum


class Quality(IntEnum):
    """Stored as uint8 beside every value; larger is worse, so `max` gives the worst of several."""

    GOOD = 0
    """Sampled now, in range."""
    UNCERTAIN = 1
    """Sampled, but out of the quantity's range or from a counter that jumped."""
    STALE = 2
    """The source repeats an old sample: frozen, or scraped faster than it refreshes."""
    SUBSTITUTED = 3
    """Not sampled: filled in by a stated rule."""
    BAD = 4
    """No value; the value column is null."""
