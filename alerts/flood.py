"""Alarm floods, by ISA-18.2: more new alerts in ten minutes than one person can read.

The engine counts what begins to fire, by owner, and watches the count like any other reading: a
flood is an alert of its own.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence

from alerts.watch import Measure, RuleFacts, SeriesKey, Watch
from facility.alert import State, Transition

FLOOD_RULE = "alarm-flood"
NEW_ALERTS = "new_alerts_in_10_minutes"
"""A quantity that the engine makes: (the site's name, owner, this)."""
WINDOW_US = 600_000_000
BEGINS_ABOVE = 10.0
ENDS_AT = 4.0
"""ISA-18.2: a flood begins above 10 in 10 minutes, and ends below 5."""
STALE_AFTER_US = 60_000_000

RULE = RuleFacts(
    name=FLOOD_RULE,
    priority=2,
    class_="alerts",
    message="{value} new alerts for {component} within 10 minutes",
    response="Look at what began first, and at alerts of priority 1; shelve what repeats.",
)


def flood_watches(site: str, rules: Sequence[RuleFacts]) -> Iterator[Watch]:
    """Give a watch for each owner of rules; the empty owner is one too."""
    for owner in sorted({rule.owner for rule in rules}):
        yield Watch(
            rule=FLOOD_RULE,
            device=site,
            component=owner,
            quantity=NEW_ALERTS,
            measure=Measure.LATEST,
            inputs=((site, owner, NEW_ALERTS),),
            fire=BEGINS_ABOVE,
            clear=ENDS_AT,
            stale_after_us=STALE_AFTER_US,
        )


class Flood:
    """Counts what began to fire within the window, by owner."""

    def __init__(self) -> None:
        self._began: defaultdict[str, deque[int]] = defaultdict(deque)

    def note(self, transitions: Iterable[Transition]) -> None:
        """Count those that are new and seen; a flood itself is none."""
        for made in transitions:
            is_new = made.state == State.FIRING and made.previous in {
                State.NORMAL,
                State.RETURNED,
            }
            if is_new and made.rule != FLOOD_RULE:
                began_us = int(made.happened_at.timestamp() * 1e6)
                self._began[made.owner].append(began_us)

    def counts(self, site: str, now: int) -> dict[SeriesKey, float]:
        """Give the reading of each owner as of `now`."""
        for began in self._began.values():
            while began and began[0] <= now - WINDOW_US:
                began.popleft()
        return {
            (site, owner, NEW_ALERTS): float(len(began)) for owner, began in self._began.items()
        }
