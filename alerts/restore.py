"""From the last transition of each alert back to how it stands: what a restart begins with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from alerts.inhibition import Inhibition
from alerts.machine import START_US, Terms
from alerts.standing import CODES, NEVER, Core, Standing
from alerts.transitions import microseconds
from facility.alert import ACTIVE, State, Transition

_OVERLAYS = frozenset({State.SHELVED, State.OUT_OF_SERVICE})


def latest(*histories: Iterable[Transition]) -> list[Transition]:
    """Give the last transition of each alert, from wherever they are known."""
    last: dict[str, Transition] = {}
    for history in histories:
        for told in history:
            if (known := last.get(told.alert)) is None or told.number > known.number:
                last[told.alert] = told
    return list(last.values())


def put_back(
    last: Iterable[Transition],
    number_of: Mapping[str, int],
    standing: Standing,
    terms: Terms,
    inhibition: Inhibition,
    *,
    now: int,
) -> list[Transition]:
    """Bring each alert back to its last transition; give those that nobody watches any more.

    Samples that are not newer than the transition will change nothing, and what was fresh gets
    another `stale_after`, from `now` on, to show that it still is; START_US at least.
    """
    orphans = []
    for told in last:
        if (watch := number_of.get(told.alert)) is None:
            if told.state is not State.NORMAL:
                orphans.append(told)
            continue
        _put_back(told, watch, standing, terms, now)
        if told.state is State.SUPPRESSED:
            inhibition.restore(standing, watch)
    return orphans


def _put_back(told: Transition, watch: int, standing: Standing, terms: Terms, now: int) -> None:
    happened_us = microseconds(told.happened_at)
    below = told.previous if told.state in _OVERLAYS else told.state
    is_active = below in ACTIVE or below is State.SUPPRESSED
    standing.number[watch] = told.number
    standing.shown[watch] = CODES[told.state]
    standing.seen_at[watch] = happened_us
    standing.value[watch] = np.nan if told.value is None else told.value
    standing.threshold[watch] = np.nan if told.threshold is None else told.threshold
    if told.state is State.SHELVED:
        standing.shelved_until[watch] = microseconds(told.until_at) if told.until_at else NEVER
    standing.out_of_service[watch] = told.state is State.OUT_OF_SERVICE
    if below is State.RETURNED:
        standing.core[watch] = Core.RETURNED
    if not is_active:
        return
    standing.core[watch] = Core.ACTIVE
    standing.onset[watch] = happened_us
    standing.announced[watch] = below is not State.SUPPRESSED
    standing.acknowledged[watch] = below is State.ACKNOWLEDGED or (
        below is State.NO_DATA and (told.previous is State.ACKNOWLEDGED or bool(told.actor))
    )
    if below is not State.NO_DATA and not terms.on_silence[watch]:
        standing.fresh[watch] = True
        wait_us = max(int(terms.stale_after_us[watch]), START_US)
        standing.fresh_until[watch] = max(happened_us, now) + wait_us
