"""The plant behaves like one: laws, believable losses, swings, weather."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.site import Device, Place, Site
from simulator.demo_site import demo_site
from simulator.plant import Plant
from simulator.plant.chillers import Chillers
from simulator.plant.jobs import pulse_share
from simulator.plant.losses import POWER_SHELF, RATINGS
from simulator.plant.movers import CDU_PUMPS, Movers
from simulator.plant.served import Served
from simulator.plant.thermal import chiller_cop, fan_law_w, tower_fan_speed

START = 1_790_000_000.0
DAY_S = 86_400
SITE = demo_site(8)


def lived(seconds, *, step_s=1.0, start_at=START, seed=11, site=SITE):
    plant = Plant(site, seed=seed, start_at=start_at, step_s=step_s)
    plant.advance(start_at + seconds)
    return plant, plant.truth(start_at + seconds)


def test_half_the_speed_takes_an_eighth_of_the_power():
    assert fan_law_w(np.array([8_000.0]), np.array([0.5])) == pytest.approx(1_000.0)


@given(st.floats(0.4, 0.99))
def test_pumps_follow_the_affinity_laws(load):
    movers = Movers(CDU_PUMPS, np.array([1e6]))
    movers.step(np.array([1e6]))
    full_w, full_flow, full_rise = movers.power_w[0], movers.flow[0], movers.rise_k[0]
    movers.step(np.array([load * 1e6]))
    assert movers.flow[0] == pytest.approx(load * full_flow)
    assert movers.power_w[0] == pytest.approx(load**3 * full_w)
    assert movers.rise_k[0] == pytest.approx(full_rise)


def test_below_the_slowest_speed_the_temperature_rise_falls():
    movers = Movers(CDU_PUMPS, np.array([1e6]))
    movers.step(np.array([0.1e6]))
    assert movers.speed[0] == CDU_PUMPS.slowest
    assert movers.rise_k[0] < CDU_PUMPS.rise_k


@given(st.floats(6, 24), st.floats(24, 40), st.floats(0.2, 1.0))
def test_a_chiller_is_worse_the_higher_it_lifts_and_never_beats_carnot(cold, hot, load):
    cop = chiller_cop(cold, hot, load)
    assert chiller_cop(cold, hot + 2, load) < cop or hot - cold < 12
    assert 1 < cop < (cold + 273.15) / max(hot - cold, 1)


def test_a_chiller_is_best_at_part_load():
    assert chiller_cop(18, 32, 0.7) > chiller_cop(18, 32, 1.0)
    assert chiller_cop(18, 32, 0.7) > chiller_cop(18, 32, 0.2)


def test_chillers_start_and_stop_without_chattering():
    chillers = Chillers(4, 3e6)
    running = []
    for heat in [*np.linspace(0, 3.6e6, 60), *np.linspace(3.6e6, 0, 60)]:
        chillers.step(float(heat), 26.0)
        running.append(chillers.running)
        assert chillers.load_ratio <= 1.0
    assert max(running) == 4
    assert running[-1] == 0
    assert np.abs(np.diff(running)).sum() == 8


@given(st.floats(0.1, 1.0), st.floats(1.0, 10.0))
def test_a_tower_fan_runs_faster_for_more_heat_and_a_closer_approach(heat, approach):
    assert tower_fan_speed(heat, approach, 4.0) <= tower_fan_speed(
        min(heat * 1.2, 1.2), approach, 4.0
    )
    assert tower_fan_speed(heat, approach, 4.0) >= tower_fan_speed(heat, approach + 1, 4.0)


@given(st.floats(0, 50), st.floats(0.01, 20), st.floats(0.05, 0.95))
def test_a_pulse_holds_its_duty_however_it_is_cut(start, length, duty):
    whole = pulse_share(np.array([start]), np.array([length]), np.array([duty]))[0]
    half = np.array([length / 2])
    first = pulse_share(np.array([start]), half, np.array([duty]))[0]
    second = pulse_share(np.array([start + length / 2]), half, np.array([duty]))[0]
    assert 0 <= whole <= 1 + 1e-9
    assert whole == pytest.approx((first + second) / 2, abs=1e-6)


def test_heat_goes_to_the_nearest_cooling_and_none_is_lost():
    racks = [
        Place(hall="a", row="1", rack="1"),
        Place(hall="a", row="2", rack="2"),
        Place(hall="b"),
    ]
    units = [Place(hall="a", row="1"), Place(hall="a"), Place(hall="b"), Place(hall="b")]
    served = Served(racks, units)
    heat = served.heat(np.array([10.0, 6.0, 4.0]))
    assert heat.tolist() == [10 + 3, 3, 2, 2]
    assert served.mean(np.array([1.0, 3.0, 5.0, 7.0])).tolist() == [1, 2, 6]


@pytest.mark.parametrize(("load", "least", "most"), [(0.75, 0.965, 0.976), (0.4, 0.955, 0.97)])
def test_the_ups_is_as_efficient_as_its_kind(load, least, most):
    curve = RATINGS["ups"].curve
    assert least < load / (load + curve.loss_ratio(load)) < most


def test_a_power_shelf_is_best_at_half_load():
    def efficiency(load):
        return load / (load + POWER_SHELF.curve.loss_ratio(load))

    assert efficiency(0.5) == pytest.approx(0.975, abs=0.001)
    assert efficiency(0.5) > max(efficiency(0.25), efficiency(1.0))


def test_losses_of_each_stage_are_in_believable_bands():
    _, truth = lived(1_800)
    assert 0.002 < truth.transformer_loss_wh / truth.utility_wh < 0.013
    assert 0.02 < truth.ups_loss_wh / truth.it_1_wh < 0.045
    assert 0.003 < 1 - truth.it_3_wh / truth.it_1_wh < 0.012
    assert 0.022 < truth.shelf_loss_wh / truth.it_3_wh < 0.04
    assert 0.03 < truth.cooling_wh / truth.it_3_wh < 0.15
    assert 1.05 < truth.pue(3) < 1.25


def test_a_full_rack_takes_what_such_racks_take():
    plant, _ = lived(0)
    full = plant.racks.full_w
    assert (full[plant.racks.accelerated] > 120e3).all()
    assert (full[plant.racks.accelerated] < 140e3).all()
    assert (full[plant.racks.ordinary] < 25e3).all()


def test_racks_of_one_job_swing_together_at_its_pace():
    plant = Plant(SITE, seed=11, start_at=START, step_s=0.25)
    group = plant.workload.training_groups[0]
    powers = []
    for quarter in range(480):
        plant.advance(START + quarter / 4)
        powers.append(plant.racks.ac_w[plant.racks.accelerated[group]].copy())
    powers = np.array(powers)
    assert len(group) > 1
    assert np.corrcoef(powers[:, 0], powers[:, 1])[0, 1] > 0.98
    assert np.ptp(powers[:, 0]) > 0.3 * powers[:, 0].max()
    spectrum = np.abs(np.fft.rfft(powers[:, 0] - powers[:, 0].mean()))
    period_s = 120 / spectrum.argmax()
    assert 1 < period_s < 61


def test_a_coarse_step_sees_the_same_energy_as_a_fine_one():
    fine, coarse = (lived(3_600, step_s=step, site=demo_site(4))[1] for step in (2.0, 300.0))
    assert coarse.it_3_wh == pytest.approx(fine.it_3_wh, rel=0.03)
    assert coarse.utility_wh == pytest.approx(fine.utility_wh, rel=0.03)


def test_summer_costs_more_cooling_than_winter():
    january, july = 1_768_000_000.0, 1_784_000_000.0
    winter, summer = (lived(DAY_S, step_s=300.0, start_at=at)[1] for at in (january, july))
    assert summer.cooling_wh / summer.it_3_wh > 1.3 * winter.cooling_wh / winter.it_3_wh
    assert winter.chiller_wh / winter.it_3_wh < 0.002


def test_a_simulated_year_has_seasons_and_closes():
    plant = Plant(SITE, seed=1, start_at=1_767_225_600.0, step_s=10_800.0)
    plant.advance(1_767_225_600.0 + 365 * DAY_S)
    truth = plant.truth(plant.clock.now)
    assert 1.05 < truth.pue(3) < 1.2
    assert truth.utility_wh > 365 * 24 * 500e3


def test_power_becomes_heat_and_heat_is_removed():
    plant = Plant(SITE, seed=11, start_at=START, step_s=10.0)
    plant.advance(START + 3_600)
    begin, removed_wh, cooling = plant.truth(START + 3_600), 0.0, plant.cooling
    for step in range(720):
        removed_wh += (cooling.cdus.heat_w.sum() + cooling.air_handlers.heat_w.sum()) / 360
        plant.advance(START + 3_610 + 10 * step)
    spent = plant.truth(plant.clock.now) - begin
    indoors = spent.it_3_wh + spent.ups_loss_wh + spent.cable_loss_wh + spent.air_handler_wh
    assert removed_wh == pytest.approx(indoors, rel=0.02)
    assert cooling.rejected_w > cooling.chillers.heat_w


def test_gpus_stay_under_their_limit_and_below_the_slowdown():
    plant, _ = lived(900)
    gpus = plant.racks.gpus
    assert (gpus.power_w <= gpus.limit_w).all()
    assert (gpus.power_w > 100).all()
    assert (gpus.temperature_c < 87).all()


def test_the_same_seed_gives_the_same_plant_however_time_is_cut():
    def readings(moments):
        plant = Plant(SITE, seed=4, start_at=START, step_s=0.5)
        for moment in moments:
            plant.advance(START + moment)
        return [
            plant.value(device.id, component, quantity)
            for device in SITE.devices[::7]
            for component in plant.components(device.id)
            for quantity in (
                "active_power_w",
                "energy_imported_wh",
                "current_a",
                "gpu_temperature_c",
            )
        ]

    assert readings([100]) == readings([1, 2.3, 50, 50, 49, 99.99, 100])


def test_another_seed_gives_another_plant_with_other_uuids():
    one, other = (Plant(SITE, seed=seed, start_at=START) for seed in (1, 2))
    node = "hall-1/rack-01/node-01"
    assert one.components(node) != other.components(node)
    assert one.components(node) == Plant(SITE, seed=1, start_at=START + 9).components(node)


def test_metering_errors_stay_within_the_class_and_leave_the_truth_alone():
    exact, wrong = (
        Plant(SITE, seed=6, start_at=START, metering_error=error) for error in (False, True)
    )
    for meter in SITE.meters:
        true, seen = (
            p.value(meter.device, meter.component, "active_power_w") for p in (exact, wrong)
        )
        assert 0 < abs(seen / true - 1) <= meter.accuracy_class / 100
    for plant in (exact, wrong):
        plant.advance(START + 60)
    assert exact.truth(START + 60) == wrong.truth(START + 60)


def test_a_site_of_racks_alone_still_has_power_and_cooling():
    def device(number, role, **more):
        return Device(
            id=f"{role}-{number}",
            profile="any",
            address=f"http://10.0.0.{number}",
            role=role,
            **more,
        )

    nodes = tuple(device(n, "gpu_node", place=Place(hall="h", rack="r")) for n in (1, 2, 3))
    _, truth = lived(60, site=Site(name="bare", devices=nodes))
    assert truth.it_1_wh == truth.it_2_wh == truth.it_3_wh > 0
    assert truth.pue(3) > 1.02
