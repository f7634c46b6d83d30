"""What must hold of energies whatever the readings: properties, and a second reckoning."""

from __future__ import annotations

import random

import pytest
import sql_oracle
from hypothesis import given
from hypothesis import strategies as st
from sql_bench import SqlBench
from sql_registers import INTERVAL_S, LIMIT_W, Fault, faults, few, positions, seeds, spoilt, turning


@pytest.fixture(scope="module")
def bench() -> SqlBench:
    return SqlBench()


def stored(bench: SqlBench, readings: dict[float, float], **facts: float) -> None:
    bench.clear()
    bench.site()
    bench.meter("m", max_power_w=LIMIT_W, **facts)
    bench.read("m", readings.items())


def total(bench: SqlBench, start_s: float, end_s: float) -> float:
    return bench.energy(start_s, end_s)[0]["energy_wh"]


def numbers(rows: list[dict]) -> dict[str, float]:
    return {name: value for name, value in rows[0].items() if isinstance(value, float)}


@few
@given(seed=seeds, happenings=faults, start=st.floats(-200, 1500), end=st.floats(1600, 4400))
def test_a_walk_in_plain_python_gives_the_same(bench, seed, happenings, start, end):
    start, end = round(start, 3), round(end, 3)
    readings = spoilt(turning(seed), happenings)
    stored(bench, readings)
    expected = sql_oracle.energy(readings.items(), start, end, sql_oracle.Meter())
    row = bench.energy(start, end)[0]
    if expected.energy_wh is None:
        assert row["energy_wh"] is None
    else:
        assert row["energy_wh"] == pytest.approx(expected.energy_wh, rel=1e-9)
    span = end - start
    assert row["measured_ratio"] == pytest.approx(expected.measured_s / span, abs=1e-9)
    assert row["coverage_ratio"] == pytest.approx(expected.observed_s / span, abs=1e-9)


@few
@given(seed=seeds, modulus_wh=st.sampled_from([1e5, 2**17]), end=st.floats(2500, 4100))
def test_rollovers_give_the_same_in_plain_python(bench, seed, modulus_wh, end):
    readings = turning(seed, modulus_wh=modulus_wh)
    stored(bench, readings, modulus_wh=modulus_wh)
    meter = sql_oracle.Meter(modulus_wh=modulus_wh)
    expected = sql_oracle.energy(readings.items(), 5, round(end, 3), meter)
    row = bench.energy(5, round(end, 3))[0]
    assert row["energy_wh"] == pytest.approx(expected.energy_wh, rel=1e-9)
    assert expected.energy_wh > modulus_wh


@few
@given(seed=seeds, gap=positions, cut=st.floats(1, 4100))
def test_splitting_a_window_changes_no_total(bench, seed, gap, cut):
    readings = spoilt(turning(seed), [Fault("gap", gap, 40)])
    stored(bench, readings)
    cut = round(cut, 3)
    parts = total(bench, 0, cut) + total(bench, cut, 4150)
    assert parts == pytest.approx(total(bench, 0, 4150), rel=1e-12)
    by_grain = sum(row["energy_wh"] for row in bench.energy(0, 4150, "7 minutes"))
    assert by_grain == pytest.approx(total(bench, 0, 4150), rel=1e-12)


@few
@given(seed=seeds, happenings=faults, order=st.randoms(use_true_random=False))
def test_duplicates_and_order_change_nothing(bench, seed, happenings, order):
    readings = spoilt(turning(seed), happenings)
    stored(bench, readings)
    expected = bench.energy(3, 4100)
    shuffled = [*readings.items(), *list(readings.items())[50:150], *list(readings.items())[90:95]]
    order.shuffle(shuffled)
    bench.database.execute("delete from readings")
    bench.read("m", shuffled)
    assert numbers(bench.energy(3, 4100)) == pytest.approx(numbers(expected), rel=1e-9)


@few
@given(seed=seeds, position=st.integers(20, 300), length=st.integers(3, 60))
def test_coverage_falls_by_what_is_removed(bench, seed, position, length):
    """The gap runs from the last reading before what is removed to the first after it."""
    readings = turning(seed)
    stored(bench, readings)
    whole = bench.energy(0, 4100)[0]
    assert whole["coverage_ratio"] == pytest.approx(1 - min(readings) / 4100, abs=1e-9)
    times = sorted(readings)
    gap_s = times[position + length] - times[position - 1]
    bench.database.execute("delete from readings")
    bench.read("m", spoilt(readings, [Fault("gap", position, length)]).items())
    row = bench.energy(0, 4100)[0]
    assert row["energy_wh"] == pytest.approx(whole["energy_wh"], rel=1e-12)
    lost = whole["coverage_ratio"] - row["coverage_ratio"]
    assert lost == pytest.approx(gap_s / 4100, abs=1e-8)


@few
@given(
    seed=seeds,
    window=st.tuples(st.floats(60, 500), st.floats(530, 4000)),
    resolution_wh=st.sampled_from([1, 100, 1000]),
    with_power=st.booleans(),
)
def test_the_error_is_a_bound(bench, seed, window, resolution_wh, with_power):
    """A load that steps every second between 20 % and 90 %, known exactly, against its register."""
    rng = random.Random(seed)
    start, end = (round(second, 3) for second in window)
    watts = [LIMIT_W * rng.choice((0.2, 0.9)) for _ in range(4300)]
    exact = [0.0]
    for power_w in watts:
        exact.append(exact[-1] + power_w / 3600)

    def truth(second: float) -> float:
        whole = int(second)
        return exact[whole] + (second - whole) * watts[whole] / 3600

    times = range(0, 4300, INTERVAL_S)
    readings = {s: exact[s] // resolution_wh * resolution_wh for s in times}
    stored(bench, readings, resolution_wh=resolution_wh)
    if with_power:
        bench.read("m", [(s, watts[s]) for s in times], "active_power_w")
    row = bench.energy(start, end)[0]
    assert abs(row["energy_wh"] - (truth(end) - truth(start))) <= row["resolution_wh"] + 1e-6


@few
@given(seed=seeds, loss=st.floats(0, 0.2), other=st.floats(0, 1))
def test_a_later_category_is_never_lower(bench, seed, loss, other):
    """With losses that are not negative, category 3 is at least category 1."""
    bench.clear()
    bench.site()
    bench.boundary(e_dc=["utility"], e_it_1=["ups_output"], e_it_3=["it_input"])
    chip = turning(seed)
    first = chip[min(chip)]
    shares = {"it_input": 1.0, "ups_output": 1 + loss, "utility": 1 + loss + other}
    for role, share in shares.items():
        bench.meter(role, role, max_power_w=3 * LIMIT_W)
        bench.read(role, [(s, (v - first) * share) for s, v in chip.items()])
    rows = bench.ask(
        "from pue($a, $b) order by category", {"a": "2026-10-01 00:01", "b": "2026-10-01 01:00"}
    )
    assert rows[2]["pue_ratio"] >= rows[0]["pue_ratio"] - 1e-12
    assert rows[0]["pue_ratio"] == pytest.approx((1 + loss + other) / (1 + loss), rel=1e-9)
