"""Each rule of the pack that the demo's devices can decide, in hours of the simulated plant."""

from __future__ import annotations

import pytest
from pack_plant import first_watch, gone_wrong, hours, play, watched, whole_table

from facility.alert import State


@pytest.mark.parametrize("rule", watched())
def test_it_fires_when_an_instrument_shows_it_and_clears_with_the_plants_own_values(
    rule: str,
) -> None:
    told = play(rule, gone_wrong(rule))
    states = [made.state for made in told]
    latches = bool(whole_table().latch[first_watch(rule)])
    assert states == ([State.FIRING] if latches else [State.FIRING, State.RETURNED])
    assert all("{" not in made.message and "nan" not in made.message for made in told)


def test_while_all_is_well_none_of_them_says_anything() -> None:
    assert play("leak", hours()[:60]) == []
    assert len(watched()) > 50
