"""The energy balance of the power tree: cases computed by hand, on constant powers over an hour.

A meter of class 0.5 at 1,000 kW counts 1,000 kWh; its class leaves 5 kWh open, its register
1 Wh. Bands: distribution 0 to 3 %, typically 0.7 %; a transformer 0.1 to 2 % more, typically 0.7.
"""

from __future__ import annotations

import math
import struct

import pytest
from sql_bench import SqlBench, at

HOUR_S = 3600
POLLED = range(-20, HOUR_S + 30, 10)


@pytest.fixture(scope="module")
def database() -> SqlBench:
    return SqlBench()


@pytest.fixture
def bench(database) -> SqlBench:
    database.clear()
    database.site()
    return database


def flows(bench: SqlBench, name: str, power_w: float, *, role="feeder", register_from=1e6, **facts):
    """Give a meter through which a constant power flows."""
    bench.meter(name, role, max_power_w=4e6, **facts)
    bench.read(name, [(s, register_from + power_w * s / HOUR_S) for s in POLLED])
    bench.read(name, [(s, power_w) for s in POLLED], "active_power_w")


def feed(bench: SqlBench, *steps: tuple[str, str]) -> None:
    for source, target in steps:
        bench.insert("feeds", source, target)


def balance(bench: SqlBench) -> list[dict]:
    question = "from balance($a, $b) order by in_wh desc, node"
    return bench.ask(question, {"a": at(0), "b": at(HOUR_S)})


def test_in_out_residual_error_and_band(bench):
    """1,030 - 1,000 = 30 kWh, 2.9 %, between 0.1 % and 5 % for a transformer and cables.

    Error: registers, 1 Wh each, and the classes: 5.15 + 5.00 = 10.15 kWh at their limits, less than
    sqrt(3 (5.15² + 5.00²)) = 12.43 kWh; together 10.152 kWh.
    """
    flows(bench, "grid", 1.03e6)
    flows(bench, "main", 1.00e6)
    feed(bench, ("grid", "transformer-1"), ("transformer-1", "main"))
    (row,) = balance(bench)
    assert (row["in_wh"], row["out_wh"], row["residual_wh"]) == (1.03e6, 1e6, 3e4)
    assert row["residual_ratio"] == pytest.approx(30 / 1030)
    assert row["error_wh"] == pytest.approx(5150 + 5000 + 2)
    assert (row["expected_low_ratio"], row["expected_high_ratio"]) == pytest.approx((0.001, 0.05))
    assert (row["between_parts"], row["verdict"], row["reason"]) == ("transformer", "closes", None)
    assert (row["likely_fault"], row["likely_meter"], row["equally_likely"]) == (None, None, 0)
    assert row["arithmetic"].startswith("1,030.000 kWh in - 1,000.000 kWh out = 30.000 kWh; expe")
    assert row["coverage_ratio"] == 1


def test_the_errors_of_many_meters_are_taken_as_independent(bench):
    """Ten of 100 kW: 5 + 10 x 0.5 = 10 kWh at their limits, sqrt(3 (5² + 10 x 0.5²)) = 9.083."""
    flows(bench, "panel", 1e6)
    for n in range(10):
        flows(bench, f"circuit-{n}", 1e5)
        feed(bench, ("panel", f"circuit-{n}"))
    (row,) = balance(bench)
    assert row["error_wh"] == pytest.approx(math.sqrt(3 * (5000**2 + 10 * 500**2)) + 11)


def test_where_two_feeds_meet_both_are_balanced_together(bench):
    """Neither tap alone tells: 60 + 41 kWh in, 70 + 30 kWh out."""
    for name, kilowatts in {"tap-a": 60, "tap-b": 41, "pdu-1": 70, "pdu-2": 30}.items():
        flows(bench, name, kilowatts * 1e3)
    feed(bench, *((tap, pdu) for tap in ("tap-a", "tap-b") for pdu in ("pdu-1", "pdu-2")))
    (row,) = balance(bench)
    assert (row["upstream_meters"], row["downstream_meters"]) == (
        ["tap-a", "tap-b"],
        ["pdu-1", "pdu-2"],
    )
    assert (row["in_wh"], row["out_wh"], row["verdict"]) == (101e3, 100e3, "closes")


def test_input_and_output_of_one_device_are_balanced_across_it(bench):
    """A UPS: 100 kWh in, 97 kWh out, 3 % within 0.5 to 9 % (UPS and cables)."""
    bench.insert("devices", "ups", "p", "ups", 10, "", "", "")
    for component, kilowatts in (("input", 100), ("output", 97)):
        bench.insert("meters", component, "ups", component, "feeder", 0.5, 1e6, None, 1)
        readings = [(s, 1e6 + kilowatts * 1e3 * s / HOUR_S) for s in POLLED]
        bench.read("ups", readings, component=component)
    (row,) = balance(bench)
    assert (row["upstream_meters"], row["downstream_meters"]) == (["input"], ["output"])
    assert (row["between_parts"], row["verdict"]) == ("ups", "closes")
    assert (row["expected_low_ratio"], row["expected_high_ratio"]) == pytest.approx((0.005, 0.09))


def test_the_site_sets_the_bands(bench):
    """4 % lost in cables closes where the site says that 5 % may be."""
    flows(bench, "grid", 1.00e6)
    flows(bench, "main", 0.96e6)
    feed(bench, ("grid", "main"))
    assert balance(bench)[0]["verdict"] == "loses too much"
    bench.database.execute("update loss_bands set high_ratio = 0.05 where part = 'distribution'")
    assert balance(bench)[0]["verdict"] == "closes"


@pytest.fixture
def chain(bench):
    """Give grid, main, two halls, and two rows of each hall: 1,000, 995, 2 x 495, 4 x 246 kW."""

    def build(**wrong: float) -> SqlBench:
        powers = {"grid": 1000, "main": 995, "hall-1": 495, "hall-2": 495}
        powers |= {f"row-{n}": 246 for n in range(1, 5)}
        for name, kilowatts in powers.items():
            flows(bench, name, kilowatts * 1e3 * wrong.get(name.replace("-", "_"), 1))
        feed(bench, ("grid", "main"), ("main", "hall-1"), ("main", "hall-2"))
        feed(bench, *((f"hall-{(n + 1) // 2}", f"row-{n}") for n in range(1, 5)))
        return bench

    return build


def test_the_chain_closes(chain):
    assert [row["verdict"] for row in balance(chain())] == ["closes"] * 4


@pytest.mark.parametrize(
    ("name", "factor"), [("grid", 2), ("main", 0.5), ("main", 1.5), ("hall_2", 2), ("hall_2", 0.2)]
)
def test_a_current_transformer_ratio_is_named_from_both_sides(chain, name, factor):
    """Above and below a wrong meter the balance fails, and only its correction closes both."""
    found = [row for row in balance(chain(**{name: factor})) if row["verdict"] != "closes"]
    assert len(found) == (1 if name == "grid" else 2)
    for row in found:
        assert (row["likely_fault"], row["likely_meter"]) == ("CT ratio", name.replace("_", "-"))
        assert row["equally_likely"] == 1
    shown = f"{1e3 * factor:,.3f} kWh x {round(1 / factor, 3)} = 1,000.000 kWh"
    assert name != "grid" or shown in found[0]["arithmetic"]


def test_what_cannot_be_told_apart_is_said(chain):
    """Row 1 counts half: 495 - (123 + 246) = 126 kWh. Twice row 1, or 1.5 x row 2, closes it.

    Row 1 is named first, for it then counts as its sibling does.
    """
    (row,) = (r for r in balance(chain(row_1=0.5)) if r["verdict"] != "closes")
    assert (row["verdict"], row["residual_wh"]) == ("loses too much", 126e3)
    assert (row["likely_fault"], row["likely_meter"]) == ("CT ratio", "row-1")
    assert row["equally_likely"] == 2
    assert "row-1: 123.000 kWh x 2.0 = 246.000 kWh" in row["arithmetic"]
    assert "or row-2: 246.000 kWh x 1.5 = 369.000 kWh" in row["arithmetic"]


def test_a_register_that_its_power_contradicts_is_no_current_transformer(chain):
    """Hall 2's register is scaled ten times too low; its power is right, and closes it."""
    bench = chain()
    bench.database.execute(
        "update readings set value = 1e6 + (value - 1e6) / 10 "
        "where device = 'hall-2' and quantity = 'energy_imported_wh'"
    )
    found = [row for row in balance(bench) if row["verdict"] != "closes"]
    assert {(r["likely_fault"], r["likely_meter"]) for r in found} == {("register", "hall-2")}
    assert "its power comes to 495.000 kWh, its register to 49.500 kWh" in found[0]["arithmetic"]
    question = "select meter from registers_agree_with_power($a, $b)"
    assert bench.ask(question, {"a": at(0), "b": at(HOUR_S)}) == [{"meter": "hall-2"}]


def test_reversed_current_transformers_by_the_export_register(chain):
    bench = chain(hall_2=0)
    bench.database.execute(
        "update readings set value = -495e3 where device = 'hall-2' and quantity = 'active_power_w'"
    )
    bench.read("hall-2", [(s, 7e3 + 495e3 * s / HOUR_S) for s in POLLED], "energy_exported_wh")
    found = [row for row in balance(bench) if row["verdict"] != "closes"]
    assert {(r["likely_fault"], r["likely_meter"]) for r in found} == {("sign", "hall-2")}
    assert "its export register counted 495.000 kWh" in found[0]["arithmetic"]


def test_reversed_current_transformers_by_the_power_alone(chain):
    bench = chain(hall_2=0)
    bench.database.execute(
        "update readings set value = -495e3 where device = 'hall-2' and quantity = 'active_power_w'"
    )
    found = [row for row in balance(bench) if row["verdict"] != "closes"]
    assert {(r["likely_fault"], r["likely_meter"]) for r in found} == {("sign", "hall-2")}


@pytest.mark.parametrize("words", [2, 4])
def test_swapped_words(chain, words):
    """What the meter shows is packed big-endian and unpacked with its words in reverse.

    The 4-word values lie beyond the catalogue's range, so that they come as uncertain.
    """
    bench = chain()
    bench.database.execute(
        "delete from readings where device = 'hall-2' and quantity = 'energy_imported_wh'"
    )
    shown = [(s, round(1e8 + 495e3 * s / HOUR_S)) for s in POLLED]
    code = {2: "I", 4: "q"}[words]
    swapped = []
    for second, count in shown:
        sent = struct.unpack(f">{words}H", struct.pack(f">{code}", count))[::-1]
        (value,) = struct.unpack(f">{code}", struct.pack(f">{words}H", *sent))
        swapped.append((second, float(value)))
    bench.read("hall-2", swapped, quality=0 if words == 2 else 1)
    bench.database.execute(
        "delete from readings where device = 'hall-2' and quantity = 'active_power_w'"
    )
    found = [row for row in balance(bench) if row["verdict"] != "closes"]
    assert len(found) == 2
    assert {(r["likely_fault"], r["likely_meter"]) for r in found} == {("word order", "hall-2")}
    assert f"read with its {words} words swapped rose by 495.000 kWh" in found[0]["arithmetic"]


def test_a_dead_meter(chain):
    """Main counts nothing: 1,000 in; 990 / (1 - 0.7 %) = 996.979 kWh would close what is below."""
    found = [row for row in balance(chain(main=0)) if row["verdict"] != "closes"]
    assert {(r["likely_fault"], r["likely_meter"]) for r in found} == {("dead", "main")}
    assert "main: it counted nothing; with 996.979 kWh it closes" in found[-1]["arithmetic"]


def test_a_silent_meter_is_no_verdict(chain):
    bench = chain()
    bench.database.execute("delete from readings where device = 'hall-1'")
    found = [row for row in balance(bench) if row["verdict"] != "closes"]
    assert {r["verdict"] for r in found} == {"cannot be told"}
    assert {r["reason"] for r in found} == {"1 of the meters gave too little: hall-1"}
    assert {(r["likely_fault"], r["likely_meter"]) for r in found} == {("dead", "hall-1")}


def test_a_missing_child(bench):
    """Six of 100 kWh under 706: 106 less 0.7 % of 706 = 101.058 kWh is like a seventh."""
    flows(bench, "panel", 706e3)
    for n in range(6):
        flows(bench, f"circuit-{n}", 1e5)
        feed(bench, ("panel", f"circuit-{n}"))
    (row,) = balance(bench)
    assert (row["verdict"], row["likely_fault"]) == ("loses too much", "missing child")
    assert row["likely_meter"] is None
    assert "101.058 kWh are missing, like one more beside the 6 below" in row["arithmetic"]


def test_what_has_no_meter_is_named_instead_of_a_fault(bench):
    flows(bench, "panel", 706e3)
    flows(bench, "circuit", 1e5)
    feed(bench, ("panel", "circuit"), ("panel", "workshop"))
    (row,) = balance(bench)
    assert row["verdict"] == "cannot be told"
    assert row["reason"] == "it also feeds what has no meter: workshop"
    assert row["unmetered"] == ["workshop"]
    assert row["likely_fault"] is None


def test_too_short_a_window_cannot_be_told(bench):
    """Two registers of 1 kWh steps over an hour of 5 kWh are off by 2 kWh and more."""
    for name in ("panel", "circuit"):
        bench.meter(name, "feeder", resolution_wh=1000)
        bench.read(name, [(s, math.floor((1e6 + 5e3 * s / HOUR_S) / 1e3) * 1e3) for s in POLLED])
    feed(bench, ("panel", "circuit"))
    (row,) = balance(bench)
    assert row["verdict"] == "cannot be told"
    assert "more than a tenth of what entered: ask for a longer window" in row["reason"]


def test_export_is_taken_off_what_comes_in(bench):
    """1,000 from the grid, 200 back, 797 to the loads: 3 of 800 kWh are lost."""
    flows(bench, "grid", 1e6, role="utility")
    flows(bench, "back", 2e5, role="export")
    flows(bench, "loads", 7.97e5)
    feed(bench, ("grid", "bus"), ("back", "bus"), ("bus", "loads"))
    (row,) = balance(bench)
    assert (row["in_wh"], row["residual_wh"], row["verdict"]) == (8e5, 3e3, "closes")


def test_a_site_without_a_power_path_has_nothing_to_balance(bench):
    flows(bench, "grid", 1e6)
    assert balance(bench) == []
