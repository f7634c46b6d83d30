"""The pack on the simulator's plant: silent while it is well, and right when it is not."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from pack_plant import slow_demo, table_of

from alerts.board import Board
from alerts.rule_file import load_rules
from alerts.samples import Samples
from alerts.selection import resolve
from alerts.watch import POLLED
from busway.alert_rules import offers_of
from facility.alert import State
from facility.site import Site
from simulator.demo_site import demo_site
from simulator.plant import Plant
from simulator.plant.meter_faults import MeterFault

START = 1_790_000_000
STEP_S = 10


def watched(
    site: Site, *faults: MeterFault, seconds: int, silent: str = ""
) -> Counter[tuple[str, str, State]]:
    """Let the plant live for a time; count what is told by rule, device and state."""
    plant = Plant(site, seed=1, start_at=START, step_s=STEP_S, meter_faults=faults)
    table = table_of(site, plant)
    polled = np.array([key[2] == POLLED for key in table.series])
    mute = np.array([key[0] == silent for key in table.series])
    panel = plant.panel((device, [(component, q)]) for device, component, q in table.series)
    board = Board(table, [(feed.source, feed.target) for feed in site.feeds])
    board.start((), START * 1_000_000)
    told = Counter[tuple[str, str, State]]()
    for second in range(0, seconds, STEP_S):
        plant.advance(START + second)
        now = (START + second) * 1_000_000
        values = np.where(polled, 1.0, panel.read())
        series = np.flatnonzero(~np.isnan(values) & ~(mute & (second > seconds / 2)))
        samples = Samples(
            series.astype(np.int32),
            np.full(len(series), now),
            values[series],
            np.zeros(len(series), np.bool_),
        )
        for made in board.take(samples, now, now) + board.tick(now, now):
            if made.state != State.SUPPRESSED:
                told[made.rule, made.device, made.state] += 1
    return told


@pytest.mark.parametrize("racks", [1, 2, 9])
def test_a_plant_that_is_well_raises_no_alert(racks: int) -> None:
    assert watched(slow_demo(STEP_S, racks), seconds=2400) == Counter()


def test_the_demo_states_all_that_rules_wait_for() -> None:
    site = demo_site(2)
    outcomes = resolve(load_rules(site.alerts), site, offers_of(site)).outcomes
    assert [outcome.placed.rule.name for outcome in outcomes if outcome.lacks] == []
    assert all(bool(outcome.watches) != bool(outcome.off_because) for outcome in outcomes)


def test_a_meter_that_counts_thrice_seems_to_overload_its_pair_and_a_reversed_one_is_named() -> (
    None
):
    taps = "hall-1/rack-01/tap-a", "hall-1/rack-02/tap-b"
    told = watched(
        slow_demo(STEP_S),
        MeterFault(device=taps[0], kind="ct_ratio", factor=3),
        MeterFault(device=taps[1], kind="reversed_ct"),
        seconds=1200,
    )

    assert told == Counter(
        {
            ("survivor-load-high", taps[0], State.FIRING): 1,
            ("survivor-overload", taps[0], State.FIRING): 1,
            ("meter-reversed", taps[1], State.FIRING): 1,
        }
    )


def test_a_device_that_falls_silent_is_named_and_nothing_else() -> None:
    told = watched(slow_demo(STEP_S), seconds=600, silent="ups/a")

    assert told == Counter({("device-silent", "ups/a", State.FIRING): 1})
