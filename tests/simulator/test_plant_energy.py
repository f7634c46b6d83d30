"""Energy closes, registers integrate the very power that flows, PUE is what it must be."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facility.roles import DeviceRole
from simulator.demo_site import demo_site
from simulator.plant import Plant

START = 1_790_000_000.0
SITE = demo_site(4)


def meters(role):
    return [(meter.device, meter.component) for meter in SITE.meters if meter.role == role]


def total(plant, role, quantity="active_power_w"):
    return sum(plant.value(device, component, quantity) for device, component in meters(role))


@pytest.fixture(scope="module")
def hour():
    """A plant that has lived for an hour, and its states on the way."""
    plant = Plant(SITE, seed=7, start_at=START, step_s=1.0)
    states = []
    for second in range(0, 3600, 3):
        plant.advance(START + second)
        states.append(
            {
                role: total(plant, role)
                for role in ("utility", "ups_output", "pdu_output", "it_input", "cooling", "other")
            }
        )
    return plant, states


def test_power_closes_at_every_step(hour):
    _, states = hour
    for state in states:
        assert state["utility"] > state["ups_output"] + state["cooling"] + state["other"]
        assert state["ups_output"] > state["pdu_output"] > state["it_input"] > 0


def test_the_truth_closes_exactly(hour):
    plant, _ = hour
    truth = plant.truth(plant.clock.now)
    parts = (
        truth.it_3_wh
        + truth.cooling_wh
        + truth.other_wh
        + truth.transformer_loss_wh
        + truth.ups_loss_wh
        + truth.cable_loss_wh
    )
    assert truth.utility_wh == pytest.approx(parts, rel=1e-12)


def test_pue_grows_with_the_category(hour):
    plant, _ = hour
    truth = plant.truth(plant.clock.now)
    assert 1 < truth.pue(1) < truth.pue(2) < truth.pue(3) < 1.4


@pytest.mark.parametrize(
    ("category", "role"), [(1, "ups_output"), (2, "pdu_output"), (3, "it_input")]
)
def test_the_meters_of_the_boundary_count_the_truth(category, role):
    plant = Plant(SITE, seed=3, start_at=START)
    before, true_before = total(plant, role, "energy_imported_wh"), plant.truth(START)
    plant.advance(START + 777.7)
    counted = total(plant, role, "energy_imported_wh") - before
    true = (plant.truth(START + 777.7) - true_before).it_wh(category)
    assert counted == pytest.approx(true, rel=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 90), min_size=1, max_size=8), st.sampled_from([0.25, 1.0, 7.0]))
def test_registers_are_the_integral_of_power_at_any_moment(moments, step_s):
    plant = Plant(SITE, seed=5, start_at=START, step_s=step_s)
    device, _ = meters("utility")[0]
    integral = plant.value(device, "", "energy_imported_wh")
    before = START
    for moment in sorted(moments):
        edges = [START + k * step_s for k in range(1, int(90 / step_s) + 2)]
        for edge in [*(e for e in edges if before < e < START + moment), START + moment]:
            integral += plant.value(device, "", "active_power_w") * (edge - before) / 3600
            plant.advance(edge)
            before = edge
        assert plant.value(device, "", "energy_imported_wh") == pytest.approx(integral, abs=1e-3)


def test_registers_never_fall():
    plant = Plant(SITE, seed=1, start_at=START + 0.1, step_s=0.3)
    points = [
        (device.id, component, "energy_imported_wh")
        for device in SITE.devices
        for component in plant.components(device.id)
        if plant.value(device.id, component, "energy_imported_wh") is not None
    ]
    assert len(points) > 500
    before = np.array([plant.value(*point) for point in points])
    for moment in np.arange(0.0, 3.0, 0.07):
        plant.advance(START + 0.1 + moment)
        now = np.array([plant.value(*point) for point in points])
        assert (now >= before).all()
        before = now


def test_phases_outlets_and_banks_add_up_to_their_pdu():
    plant = Plant(SITE, seed=2, start_at=START)
    plant.advance(START + 60)
    for pdu in (device.id for device in SITE.devices if device.role is DeviceRole.RACK_PDU):
        for quantity in ("active_power_w", "energy_imported_wh", "apparent_power_va"):
            for kind in ("phase", "outlet", "bank"):
                parts = [c for c in plant.components(pdu) if c.startswith(f"{kind}.")]
                whole = plant.value(pdu, "", quantity)
                assert sum(plant.value(pdu, c, quantity) for c in parts) == pytest.approx(whole)


def test_a_window_of_truth_is_the_sum_of_its_parts():
    plant = Plant(SITE, seed=2, start_at=START)
    plant.advance(START + 100)
    edges = [START, START + 13.37, START + 50, START + 99.9]
    windows = [plant.truth(b) - plant.truth(a) for a, b in itertools.pairwise(edges)]
    whole = plant.truth(edges[-1]) - plant.truth(edges[0])
    assert sum(w.utility_wh for w in windows) == pytest.approx(whole.utility_wh, rel=1e-9)


def test_truth_of_the_future_and_of_the_forgotten_is_refused():
    plant = Plant(SITE, seed=2, start_at=START, remembered_steps=10)
    plant.advance(START + 100)
    with pytest.raises(ValueError, match="present"):
        plant.truth(START + 101)
    with pytest.raises(ValueError, match="first moment remembered"):
        plant.truth(START + 80)
    assert plant.truth(START + 95).utility_wh > 0
