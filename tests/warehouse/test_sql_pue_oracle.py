"""PUE against a second reckoning in plain Python, and what must hold of it whatever is read."""

from __future__ import annotations

import random

import pue_oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pue_oracle import Counted
from sql_bench import SqlBench, at
from sql_oracle import Meter
from sql_registers import LIMIT_W, Fault, faults, few, positions, seeds, spoilt, turning

SCALES = {
    ("grid", "utility"): 3.0,
    ("diesel", "generator"): 0.01,
    ("ups-a", "ups_output"): 1.1,
    ("ups-b", "ups_output"): 1.0,
    ("it-a", "it_input"): 1.05,
    ("it-b", "it_input"): 0.95,
    ("pump", "it_fed_cooling"): 0.02,
}
E_DC = [("utility", 1), ("generator", 1)]
E_IT = {1: [("ups_output", 1)], 3: [("it_input", 1), ("it_fed_cooling", -1)]}
ENDS = st.tuples(st.integers(100, 400), st.integers(4001, 4100))
"""Of windows longer than an hour."""


@pytest.fixture(scope="module")
def bench() -> SqlBench:
    return SqlBench()


def plant(seed: int, happenings: dict[str, list[Fault]]) -> list[Counted]:
    """Meters that follow one load, each by its scale, rounded down to whole Wh."""
    load, rng = turning(seed), random.Random(seed)
    first = load[min(load)]
    meters = []
    for (name, role), scale in SCALES.items():
        shown = {
            s + rng.randrange(300) / 1000: float(int(1e6 + scale * (wh - first)))
            for s, wh in load.items()
        }
        facts = Meter(power_limit_w=4 * LIMIT_W)
        accuracy = rng.choice((0.2, 0.5, 1.0))
        meters.append(Counted(name, role, spoilt(shown, happenings.get(name, [])), accuracy, facts))
    return meters


def store(bench: SqlBench, meters: list[Counted], minimum_coverage: float = 0.99) -> None:
    bench.clear()
    bench.site(minimum_coverage_ratio=minimum_coverage)
    bench.boundary(
        e_dc=["utility", "generator"], e_it_1=["ups_output"], e_it_3=["it_input", "-it_fed_cooling"]
    )
    for meter in meters:
        bench.meter(
            meter.name,
            meter.role,
            max_power_w=meter.facts.power_limit_w,
            accuracy_class=meter.accuracy_class,
        )
        bench.read(meter.name, meter.readings.items())


def by_category(bench: SqlBench, start_s: float, end_s: float) -> dict[int, dict]:
    rows = bench.ask("from pue($a, $b)", {"a": at(start_s), "b": at(end_s)})
    return {row["category"]: row for row in rows}


def near(value: float | None) -> object:
    return None if value is None else pytest.approx(value, rel=1e-9)


@few
@given(
    seed=seeds,
    spoils=st.tuples(
        faults,
        st.lists(st.builds(Fault, st.just("gap"), positions, st.integers(1, 9)), max_size=2),
    ),
    ends=ENDS,
    minimum=st.sampled_from([0.5, 0.99]),
)
def test_pue_is_what_plain_python_gives(bench, seed, spoils, ends, minimum):
    """Energies, ratio, both bands, coverage, and who is missing, to 1e-9."""
    meters = plant(seed, dict(zip(("it-b", "grid"), spoils, strict=True)))
    store(bench, meters, minimum)
    rows = by_category(bench, *ends)
    for category, terms in E_IT.items():
        expected = pue_oracle.pue(meters, E_DC, terms, *ends, minimum_coverage=minimum)
        row = rows[category]
        assert row["e_dc_kwh"] == near(expected.e_dc_kwh)
        assert row["e_it_kwh"] == near(expected.e_it_kwh)
        assert row["pue_ratio"] == near(expected.pue_ratio)
        assert (row["reason"] is None) == (expected.pue_ratio is not None)
        assert row["accuracy_band_ratio"] == near(expected.accuracy_band_ratio)
        assert row["resolution_band_ratio"] == near(expected.resolution_band_ratio)
        assert row["coverage_ratio"] == near(expected.coverage_ratio)
        assert set(row["missing_meters"]) == expected.missing


@few
@given(seed=seeds)
def test_doubles_and_order_change_no_pue(bench, seed):
    meters = plant(seed, {})
    store(bench, meters)
    expected = by_category(bench, 200, 4050)
    bench.database.execute("delete from readings")
    readings = [(meter.name, reading) for meter in meters for reading in meter.readings.items()]
    readings += readings[100:400]
    random.Random(seed).shuffle(readings)
    for meter in meters:
        bench.read(meter.name, [reading for name, reading in readings if name == meter.name])
    rows = by_category(bench, 200, 4050)
    for category in E_IT:
        assert rows[category]["pue_ratio"] == near(expected[category]["pue_ratio"])
        assert rows[category]["coverage_ratio"] == near(expected[category]["coverage_ratio"])


@few
@given(seed=seeds, cut=st.integers(300, 3900))
def test_the_energies_of_the_parts_are_those_of_the_whole(bench, seed, cut):
    """And the PUE of the whole lies between those of its parts."""
    store(bench, plant(seed, {}))
    whole, first, second = (
        by_category(bench, *ends) for ends in ((200, 4050), (200, cut), (cut, 4050))
    )
    for category in E_IT:
        for energy in ("e_dc_kwh", "e_it_kwh"):
            parts = first[category][energy] + second[category][energy]
            assert parts == pytest.approx(whole[category][energy], rel=1e-12)
        ratios = sorted(part[category]["pue_ratio"] for part in (first, second))
        assert ratios[0] - 1e-9 <= whole[category]["pue_ratio"] <= ratios[1] + 1e-9


@few
@given(seed=seeds, position=positions, length=st.integers(4, 60))
def test_coverage_of_a_pue_falls_by_what_is_removed_of_its_role(bench, seed, position, length):
    """One of the two meters of a role: by half of the gap's share. A dead one: to a half."""
    meters = plant(seed, {})
    store(bench, meters, 0.1)
    whole = by_category(bench, 300, 4000)[1]["coverage_ratio"]
    cut = plant(seed, {"ups-b": [Fault("gap", position, length)]})
    store(bench, cut, 0.1)
    times = sorted(meters[3].readings)
    last = min(position + length, len(times))
    until = times[last] if last < len(times) else 4000
    gap_s = max(min(until, 4000) - max(times[position - 1], 300), 0)
    row = by_category(bench, 300, 4000)[1]
    if gap_s > 30:
        assert whole - row["coverage_ratio"] == pytest.approx(gap_s / 3700 / 2, abs=1e-8)
    bench.database.execute("delete from readings where device = 'ups-b'")
    dead = by_category(bench, 300, 4000)[1]
    assert dead["coverage_ratio"] == pytest.approx(whole / 2, abs=1e-9)
    assert (dead["pue_ratio"], dead["missing_meters"]) == (None, ["ups-b"])
