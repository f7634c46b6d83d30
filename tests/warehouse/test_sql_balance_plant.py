"""The simulated plant's meters, wired or set up wrongly one at a time, over an hour of its life.

Every meter is off by an error of its own within its class. Registers go through the Modbus
registers' encoding, the collectors' decoder and judge; then `balance` is asked.
"""

from __future__ import annotations

import pytest
from plant_readings import read_plant
from sql_bench import SqlBench, at

from simulator.demo_site import demo_site
from simulator.plant.meter_faults import MeterFault

SITE = demo_site(2)
TAP, UPS, PDU = "hall-1/rack-02/tap-a", "ups/b-output", "hall-1/rack-02/pdu-b"


@pytest.fixture(scope="module")
def database() -> SqlBench:
    return SqlBench()


@pytest.fixture
def read(database):
    def build(*faults: MeterFault, seed: int = 1) -> SqlBench:
        read_plant(database, SITE, meter_faults=faults, seed=seed)
        return database

    return build


def open_sections(bench: SqlBench) -> list[dict]:
    question = "from balance($a, $b) where verdict <> 'closes' order by in_wh desc"
    return bench.ask(question, {"a": at(0), "b": at(3600)})


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_healthy_plant_has_no_findings(read, seed):
    bench = read(seed=seed)
    assert open_sections(bench) == []
    (row,) = bench.ask("select count(*) as n from balance($a, $b)", {"a": at(0), "b": at(3600)})
    assert row["n"] == 9  # utility; two UPS outputs; six taps


@pytest.mark.parametrize(
    ("device", "kind", "factor", "named"),
    [
        (TAP, "ct_ratio", 2, ("CT ratio", 2)),
        (TAP, "ct_ratio", 0.5, ("CT ratio", 2)),
        (UPS, "ct_ratio", 2, ("CT ratio", 2)),
        ("utility/meter", "ct_ratio", 0.5, ("CT ratio", 1)),
        (PDU, "ct_ratio", 5, ("CT ratio", 1)),
        (TAP, "reversed_ct", 1, ("sign", 2)),
        ("utility/meter", "reversed_ct", 1, ("sign", 1)),
        (PDU, "reversed_ct", 1, ("sign", 1)),
        (TAP, "word_swapped", 1, ("word order", 2)),
        (UPS, "word_swapped", 1, ("word order", 2)),
    ],
)
def test_a_fault_is_named_and_so_is_its_meter(read, device, kind, factor, named):
    """Each section that the meter borders on names it, and no other section is touched."""
    fault, sections = named
    found = open_sections(read(MeterFault(device=device, kind=kind, factor=factor)))
    assert len(found) == sections
    for row in found:
        assert row["likely_fault"] == fault
        assert row["likely_meter"].split(":")[0] == device
        assert row["equally_likely"] == 1
        assert device in row["arithmetic"]


def test_the_corrected_energy_is_what_flowed(read):
    """A meter set to 400/5 on transformers of 200/5 counts double: half of it is the truth."""
    healthy = read().energy(0, 3600)
    true_wh = next(row["energy_wh"] for row in healthy if row["meter"] == TAP)
    found = open_sections(read(MeterFault(device=TAP, kind="ct_ratio", factor=400 / 200)))
    for row in found:
        shown = row["arithmetic"].rpartition("with ")[2].removesuffix(" kWh it closes")
        assert float(shown) * 1000 == pytest.approx(true_wh, abs=1)


def test_two_faults_at_once_are_both_named(read):
    faults = (
        MeterFault(device=TAP, kind="ct_ratio", factor=2),
        MeterFault(device="hall-1/rack-01/tap-b", kind="reversed_ct"),
    )
    found = {(row["likely_fault"], row["likely_meter"]) for row in open_sections(read(*faults))}
    assert found == {("CT ratio", TAP), ("sign", "hall-1/rack-01/tap-b")}
