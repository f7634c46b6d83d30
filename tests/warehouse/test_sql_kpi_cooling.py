"""COP, loops, heat balance, free cooling, air, TUE and CER: small numbers, done by hand."""

from __future__ import annotations

import pytest
from sql_bench import SqlBench, at

HOUR = 3600
TIMES = range(-60, HOUR + 61, 60)
WINDOW = {"a": at(0), "b": at(HOUR)}
SLOWEST_OPTIMIZER = "statistics_propagation"
"""Planning is nearly all of what so few rows cost, and this is half of it."""


@pytest.fixture(scope="module")
def database() -> SqlBench:
    bench = SqlBench()
    bench.database.execute(f"set disabled_optimizers = '{SLOWEST_OPTIMIZER}'")
    return bench


@pytest.fixture
def bench(database) -> SqlBench:
    database.clear()
    database.site()
    database.boundary(e_dc=["utility"], e_it_3=["it_input"])
    return database


def unit(bench: SqlBench, name: str, role: str, hall: str = "hall-1", **values: float) -> None:
    """Add a device that says the same all the time."""
    bench.insert("devices", name, "p", role, 60, hall, "", "")
    for quantity, value in values.items():
        bench.read(name, [(s, value) for s in TIMES], quantity)


def metered(bench: SqlBench, name: str, role: str, power_w: float, device: str = "") -> None:
    """Add a meter of constant power, on a device of its own unless one is named."""
    if device:
        bench.insert("meters", name, device, "", role, 0.5, 2e6, None, 1)
    else:
        bench.meter(name, role, interval_s=60, max_power_w=2e6)
    bench.read(device or name, [(s, 1e6 + power_w * s / HOUR) for s in TIMES])


def by(bench: SqlBench, question: str, column: str) -> dict:
    return {row[column]: row for row in bench.ask(question, WINDOW)}


def test_cop_is_of_sums_not_a_mean_of_ratios(bench):
    """600 kW / 100 kW and 100 kW / 50 kW: COP 6 and 2; of the plant 700 / 170, not 4."""
    water = {"chilled_water_supply_temperature_c": 18, "chilled_water_return_temperature_c": 28}
    unit(bench, "chiller-1", "chiller", flow_lpm=6e5 / (70 * 10), **water)
    unit(bench, "chiller-2", "chiller", cooling_power_w=1e5)
    bench.factor("fluid_w_per_lpm_k", "chiller", 70)
    metered(bench, "chiller-1-meter", "feeder", 1e5, "chiller-1")
    metered(bench, "feeder-2", "feeder", 5e4)
    metered(bench, "plant-meter", "cooling", 1.7e5)
    for source, target in (
        ("plant-meter", "chiller-1"),
        ("plant-meter", "feeder-2"),
        ("plant-meter", "cooling/pump"),  # 20 kW, in the plant only
        ("feeder-2", "chiller-2"),
    ):
        bench.insert("feeds", source, target)
    rows = by(bench, "from chiller_efficiency($a, $b)", "unit")
    assert rows["chiller-1"]["cop_ratio"] == pytest.approx(6)
    assert rows["chiller-1"]["kw_per_ton"] == pytest.approx(3.517 / 6)
    assert rows["chiller-1"]["electric_meters"] == ["chiller-1-meter"]
    assert rows["chiller-2"]["cop_ratio"] == pytest.approx(2)
    assert rows["chiller-2"]["electric_meters"] == ["feeder-2"]
    assert rows["plant"]["cop_ratio"] == pytest.approx(700 / 170)
    assert rows["plant"]["electric_meters"] == ["plant-meter"]


def test_polls_need_not_fall_on_the_edges_of_the_window(bench):
    """Read at 30 s past each minute: the edges lie between two readings, and all is covered."""
    unit(bench, "hall-1/cdu", "cdu")
    bench.read("hall-1/cdu", [(s + 30, 4e5) for s in TIMES], "cooling_power_w")
    row = bench.ask("from unit_heat($a, $b)", WINDOW)[0]
    assert (row["heat_wh"], row["coverage_ratio"]) == (pytest.approx(4e5), pytest.approx(1))


def test_a_chiller_without_flow_or_meter_of_its_own_has_no_cop_and_says_why(bench):
    unit(bench, "chiller-1", "chiller", chilled_water_supply_temperature_c=18)
    rows = by(bench, "from chiller_efficiency($a, $b)", "unit")
    assert rows["chiller-1"]["cop_ratio"] is None
    assert rows["chiller-1"]["reason"] == (
        "the heat of chiller-1 is not told by cooling_energy_wh or cooling_power_w, and for "
        "flow_lpm fluid_w_per_lpm_k is not stated; no meter counts chiller-1 alone"
    )
    assert rows["plant"]["reason"].endswith(
        "no meter of the role cooling feeds a chiller, cooling tower or pump"
    )


def test_a_heat_meter_of_the_plant_goes_before_the_chillers(bench):
    unit(bench, "chiller-1", "chiller")
    unit(bench, "heat/plant", "heat_meter")
    bench.read("heat/plant", [(s, 9e5 * s / HOUR + 1e6) for s in TIMES], "cooling_energy_wh")
    bench.factor("heat_use", "heat/plant", "plant")
    metered(bench, "chiller-meter", "cooling", 1.5e5, "chiller-1")
    plant = by(bench, "from chiller_efficiency($a, $b)", "unit")["plant"]
    assert plant["cop_ratio"] == pytest.approx(900 / 150)
    cer = bench.ask("from cer($a, $b)", WINDOW)[0]
    assert (cer["cer_ratio"], cer["heat_source"]) == (pytest.approx(6), "heat meters")


def test_cer_of_the_units_where_there_is_no_heat_meter(bench):
    """(400 + 100) kW removed with 50 kW."""
    unit(bench, "hall-1/cdu", "cdu", cooling_power_w=4e5)
    unit(bench, "hall-1/fans", "air_handler", cooling_power_w=1e5)
    metered(bench, "cooling", "cooling", 5e4)
    cer = bench.ask("from cer($a, $b)", WINDOW)[0]
    assert cer["cer_ratio"] == pytest.approx(10)
    assert cer["heat_source"] == "heat of CDUs and air handlers"
    bench.database.execute("delete from readings where device = 'hall-1/fans'")
    cer = bench.ask("from cer($a, $b)", WINDOW)[0]
    assert cer["cer_ratio"] is None
    assert cer["reason"].startswith("the heat of hall-1/fans is not told")


def test_delta_t_is_weighted_by_flow(bench):
    """10 K at 300 L/min for half of the polls, 4 K at 100: (10 x 300 + 4 x 100) / 400 = 8.5."""
    unit(bench, "hall-1/cdu", "cdu", supply_temperature_c=35, facility_supply_temperature_c=30)
    half = [s for s in TIMES if 0 <= s < HOUR]
    bench.read("hall-1/cdu", [(s, 45 if s < 1800 else 39) for s in half], "return_temperature_c")
    bench.read("hall-1/cdu", [(s, 300 if s < 1800 else 100) for s in half], "flow_lpm")
    rows = by(bench, "from loops($a, $b)", "loop")
    assert rows["secondary"]["delta_t_k"] == pytest.approx(8.5)
    assert rows["secondary"]["approach_k"] == 5
    assert rows["secondary"]["reason"] is None
    assert rows["facility"]["reason"] == "no return temperature was read"


def test_the_approach_of_a_tower_is_to_the_wet_bulb(bench):
    """By its own 20 °C, else by the weather station's 19; a tower that stands has none."""
    unit(bench, "tower-1", "cooling_tower", supply_temperature_c=24, wet_bulb_temperature_c=20)
    unit(bench, "tower-2", "cooling_tower", supply_temperature_c=24)
    unit(bench, "tower-3", "cooling_tower", supply_temperature_c=24, run_state=0)
    unit(bench, "weather", "weather_station", wet_bulb_temperature_c=18)
    rows = by(bench, "from loops($a, $b)", "device")
    assert rows["tower-1"]["approach_k"] == 4
    assert rows["tower-2"]["approach_k"] == pytest.approx(24 - (20 + 18) / 2)
    assert (rows["tower-3"]["approach_k"], rows["tower-3"]["reason"]) == (
        None,
        "it stood all the time",
    )


def test_heat_of_a_hall_balances_its_electricity(bench):
    """700 + 250 kW of heat of 1,000 kW: 5 % are missing."""
    unit(bench, "hall-1/cdu", "cdu", cooling_power_w=7e5)
    unit(bench, "hall-1/fans", "air_handler", cooling_power_w=2.5e5)
    metered(bench, "it-1", "it_input", 1e6)
    row = bench.ask("from heat_balance($a, $b)", WINDOW)[0]
    assert row["balance_ratio"] == pytest.approx(-0.05)
    assert row["units"] == ["hall-1/cdu", "hall-1/fans"]


def test_free_cooling_hours_are_by_the_load_of_all_compressors(bench):
    """Means of the two by quarters: 0.01 (the rise at its end), 0.3, 0.59 and 0.01."""
    loads = {"chiller-1": [0, 0.6, 0.6, 0.02], "chiller-2": [0, 0, 0.6, 0]}
    for name, quarters in loads.items():
        unit(bench, name, "chiller")
        readings = [(s, quarters[min(max(s, 0) // 900, 3)]) for s in TIMES]
        bench.read(name, readings, "compressor_power_ratio")
    row = bench.ask("from free_cooling($a, $b)", WINDOW)[0]
    assert (row["full_h"], row["partial_h"], row["none_h"]) == (0.5, 0.25, 0.25)
    strict = bench.ask("from free_cooling($a, $b, full_below := 0.005)", WINDOW)[0]
    assert (strict["full_h"], strict["partial_h"]) == (0, 0.75)
    bench.database.execute(
        "delete from readings where device = 'chiller-2' and ts > $1", [at(1800)]
    )
    row = bench.ask("from free_cooling($a, $b)", WINDOW)[0]
    assert (row["unknown_h"], row["coverage_ratio"]) == (0.5, 0.5)


def test_rci_counts_what_is_over_the_recommended_of_what_is_allowed(bench):
    """A1: 29.5 °C is half of the way from 27 to 32, 24 is none: 1 - 0.5 / 2; 16.5 half from 18."""
    for name, inlet_c in (("rack-1", 29.5), ("rack-2", 24.0)):
        unit(bench, name, "environment", inlet_temperature_c=inlet_c, outlet_temperature_c=38.75)
    bench.factor("air_class", "hall-1", "A1")
    row = bench.ask("from air($a, $b)", WINDOW)[0]
    assert (row["rci_hi_ratio"], row["rci_lo_ratio"]) == (pytest.approx(0.75), 1)
    assert row["reason"].startswith("rti, shi: no supply_temperature_c")
    unit(bench, "fans", "air_handler", supply_temperature_c=22, return_temperature_c=35)
    row = bench.ask("from air($a, $b)", WINDOW)[0]
    inlet_c = (29.5 + 24) / 2
    assert row["rti_ratio"] == pytest.approx((35 - 22) / (38.75 - inlet_c))
    assert row["shi_ratio"] == pytest.approx((inlet_c - 22) / (38.75 - 22))
    assert row["reason"] is None


def test_an_intake_may_be_a_sensor_of_a_rack_pdu(bench):
    unit(bench, "pdu", "rack_pdu")
    bench.read("pdu", [(s, 16.5) for s in TIMES], "temperature_c", component="sensor.1")
    bench.read("pdu", [(s, 40) for s in TIMES], "temperature_c", component="sensor.2")
    bench.factor("air_class", "hall-1", "A1")
    assert bench.ask("from air($a, $b)", WINDOW)[0]["intakes"] == 0
    bench.factor("intake_sensor", "p", "sensor.1")
    row = bench.ask("from air($a, $b)", WINDOW)[0]
    assert (row["intakes"], row["rci_lo_ratio"]) == (1, pytest.approx(0.5))


def test_tue_is_to_the_chips(bench):
    """1.3 MW, 1.0 MW of IT, GPUs 0.7 MW, CPUs 0.1: TUE 1.3 / 0.8, ITUE 1 / 0.8."""
    metered(bench, "grid", "utility", 1.3e6)
    metered(bench, "it", "it_input", 1e6)
    unit(bench, "node-1", "gpu_node")
    for gpu, power_w in (("gpu.GPU-a", 4e5), ("gpu.GPU-b", 3e5), ("gpu.GPU-b/mig.1", 1e5)):
        register = [(s, 1e6 + power_w * s / HOUR) for s in TIMES]
        bench.read("node-1", register, component=gpu)
    row = bench.ask("from itue($a, $b)", WINDOW)[0]
    assert row["itue_ratio"] == pytest.approx(1 / 0.7)
    assert row["denominator"] == "registers of 2 GPUs"
    bench.read("node-1", [(s, 1e5) for s in TIMES], "cpu_power_w", component="cpu.0")
    assert bench.ask("from itue($a, $b)", WINDOW)[0]["itue_ratio"] == pytest.approx(1 / 0.8)
    tue = bench.ask("from tue($a, $b)", WINDOW)[0]
    assert tue["tue_ratio"] == pytest.approx(1.3 / 0.8)
    assert tue["denominator"] == "registers of 2 GPUs, CPU power of 1 nodes"
    unit(bench, "node-2", "gpu_node")
    tue = bench.ask("from tue($a, $b)", WINDOW)[0]
    assert (tue["tue_ratio"], tue["reason"]) == (None, "too little was read of node-2")


def test_the_eu_list_has_every_field_with_its_value_or_why_not(bench):
    metered(bench, "grid", "utility", 1.3e6)
    metered(bench, "it", "it_input", 1e6)
    unit(bench, "fans", "air_handler", supply_setpoint_c=24, facility_return_temperature_c=26)
    bench.factor("eu_2024_1364", "s_dc_m2", 9000)
    bench.factor("eu_2024_1364", "refrigerants", "R-1234ze")
    rows = by(bench, "from eu_2024_1364($a, $b)", "field")
    assert (rows["S_DC"]["value"], rows["S_DC"]["unit"]) == (9000, "m2")
    assert rows["refrigerants"]["text"] == "R-1234ze"
    assert (rows["E_DC"]["value"], rows["PUE"]["value"]) == (
        pytest.approx(1300),
        pytest.approx(1.3),
    )
    assert (rows["T_IN"]["value"], rows["T_WH"]["value"]) == (24, 26)
    assert [
        r["field"] for r in rows.values() if (r["value"], r["text"], r["reason"]) == (None,) * 3
    ] == []
    assert rows["C_SERV"]["reason"] == (
        "no telemetry gives it: state c_serv under factors.eu_2024_1364"
    )


def test_kpi_has_a_value_or_a_reason_for_each(bench):
    metered(bench, "grid", "utility", 1.3e6)
    metered(bench, "it", "it_input", 1e6)
    unit(bench, "hall-1/cdu", "cdu", supply_temperature_c=35, facility_supply_temperature_c=31)
    rows = by(bench, "from kpi($a, $b)", "name")
    assert rows["iPUE category 3"]["value"] == pytest.approx(1.3)
    assert (rows["CDU approach"]["value"], rows["CDU approach"]["unit"]) == (4, "K")
    assert [r["name"] for r in rows.values() if (r["value"] is None) == (r["reason"] is None)] == [
        "CDU approach"  # a value, and what else is missing of the loop
    ]
    assert len(rows) > 30
