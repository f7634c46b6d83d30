"""KPIs of the simulated plant, by SQL from what its devices show, beside the plant's own truth.

Two summer hours of two racks, read once a minute. Registers are exact at any moment, so what is
made of them must agree to rounding; what is integrated from powers, to what a minute can hide.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sql_bench import BEGINNING, SqlBench

from facility.roles import DeviceRole
from facility.site import Factor, Site
from facility.site_file import load_site
from simulator.demo_site import demo_site_text
from simulator.plant import Plant
from simulator.truth import Truth
from warehouse.dimension_rows import dimension_rows

START = datetime(2026, 8, 10, 3, tzinfo=UTC)
"""Noon in Seoul, where nights are too warm to cool without compressors."""
HOUR, MINUTE, STEP_S = 3600, 60, 5.0
WINDOW = {"a": START, "b": START + timedelta(hours=2)}
LITRES_PER_WH = 3600 / 2.45e6
"""Water that evaporates into the air outside, by its latent heat of 2.45 MJ/kg."""
GAUGES = (
    "cooling_power_w",
    "supply_temperature_c",
    "facility_supply_temperature_c",
    "wet_bulb_temperature_c",
    "compressor_power_ratio",
)


def read_site(folder: Path) -> Site:
    """The demo's, with its tower polled, chillers metered alone, and a grid and a contract."""
    tower = """  - id: cooling/tower-{unit}
    for: {unit: 1..1}
    profile: vertiv-liebert-hpc
    address: modbus://127.40.4.200:15020
    role: cooling_tower
    fed_by: [cooling/plant-meter]
"""
    text = demo_site_text(2)
    text = text.replace("  - cooling/cooling-tower-1\n", "")
    text = text.replace("  - {from: cooling/plant-meter, to: cooling/cooling-tower-1}\n", "")
    text = text.replace("  - id: lighting/{part}", tower + "  - id: lighting/{part}")
    text = text.replace("meters:\n", "meters:\n  - {devices: {role: chiller}, role: feeder}\n")
    (folder / "site.yaml").write_text(text, "utf-8")
    site = load_site(folder / "site.yaml")
    four = START + timedelta(hours=1)
    grid = {"name": "carbon_kg_per_kwh", "subject": "grid_location"}
    factors = (
        Factor(name="demand_limit_kw", value=500.0),
        Factor(name="water_intake", subject="utility/meter", value="potable"),
        Factor(**grid, value=0.3, applies_from=START, applies_to=four),
        Factor(**grid, value=0.7, applies_from=four),
    )
    return site.model_copy(update={"factors": factors})


class Played:
    """The plant's two hours: rows in a bench, and truths."""

    def __init__(self, folder: Path) -> None:
        self.site = read_site(folder)
        self.bench = SqlBench()
        self.plant = Plant(self.site, seed=3, start_at=START.timestamp() - 120, step_s=STEP_S)
        self.heat_wh = self.rejected_wh = 0.0
        self.approaches: list[tuple[float, float]] = []
        self._rows: dict[tuple[str, str, str], list[float]] = {}
        self._store_dimensions()
        self._play()

    def truth(self, from_s: float, to_s: float) -> Truth:
        start = START.timestamp()
        return self.plant.truth(start + to_s) - self.plant.truth(start + from_s)

    def one(self, question: str, **where: object) -> dict:
        rows = self.bench.ask(question, WINDOW)
        found = [row for row in rows if where.items() <= row.items()]
        assert len(found) == 1, rows
        return found[0]

    def _store_dimensions(self) -> None:
        for table, rows in dimension_rows(self.site, lambda *_: None).items():
            times = {} if table == "quantities" else {"valid_from": BEGINNING, "valid_to": None}
            for row in rows:
                values = [*row.values(), *times.values()]
                marks = ", ".join("?" * len(values))
                self.bench.database.execute(f"insert into {table} values ({marks})", values)
        self.bench.database.execute("update meters set energy_resolution_wh = 0.001")

    def _play(self) -> None:
        registers = [(meter.device, meter.component) for meter in self.site.meters]
        nodes = [d.id for d in self.site.devices if d.role is DeviceRole.GPU_NODE]
        registers += [
            (node, part) for node in nodes for part in self.plant.components(node) if part
        ]
        cooling = [
            d.id
            for d in self.site.devices
            if d.role in (DeviceRole.CHILLER, DeviceRole.CDU, DeviceRole.COOLING_TOWER)
        ]
        points = [(*place, "energy_imported_wh") for place in registers]
        points += [(device, "", quantity) for device in cooling for quantity in GAUGES]
        start, water_l = START.timestamp(), 0.0
        for second in np.arange(-MINUTE, 2 * HOUR + MINUTE + STEP_S, STEP_S):
            self.plant.advance(start + second)
            plant = self.plant.cooling
            water_l += plant.rejected_w * STEP_S / HOUR * LITRES_PER_WH
            if 0 <= second < 2 * HOUR:
                self.heat_wh += plant.chillers.heat_w * STEP_S / HOUR
                self.rejected_wh += plant.rejected_w * STEP_S / HOUR
            if second % MINUTE == 0:
                self._read(points, water_l)
        self._store()

    def _read(self, points: list[tuple[str, str, str]], water_l: float) -> None:
        for point in points:
            value = self.plant.value(*point)
            if value is not None:
                self._rows.setdefault(point, []).append(value)
        lost_l = self.plant.cooling.rejected_w * STEP_S / HOUR * LITRES_PER_WH
        self._rows.setdefault(("utility/meter", "", "water_volume_l"), []).append(water_l - lost_l)
        plant = self.plant.cooling
        wet_bulb_c = self.plant.weather.at(self.plant.clock.step_at).wet_bulb_c
        approach_k = float(np.mean(plant.cdu_supply_c - plant.facility_supply_c))
        self.approaches.append((plant.tower_water_c - wet_bulb_c, approach_k))

    def _store(self) -> None:
        shift = (START - datetime(2026, 10, 1, tzinfo=UTC)).total_seconds()
        for (device, component, quantity), values in self._rows.items():
            pairs = [(shift + MINUTE * (n - 1), value) for n, value in enumerate(values)]
            self.bench.read(device, pairs, quantity, component=component)
        self.bench.database.execute("update devices set interval_s = 60")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return Played(tmp_path_factory.mktemp("plant"))


def test_cue(played):
    first, second = played.truth(0, HOUR), played.truth(HOUR, 2 * HOUR)
    kg = (first.utility_wh * 0.3 + second.utility_wh * 0.7) / 1000
    row = played.one("from cue($a, $b)", basis="location")
    assert row["reason"] is None
    assert row["carbon_kg"] == pytest.approx(kg, rel=1e-9)
    it_kwh = (first.it_3_wh + second.it_3_wh) / 1000
    assert row["cue_kg_per_kwh"] == pytest.approx(kg / it_kwh, rel=1e-6)


def test_wue_of_the_water_that_its_towers_evaporate(played):
    row = played.one("from wue($a, $b)", basis="site")
    assert row["water_l"] == pytest.approx(played.rejected_wh * LITRES_PER_WH, rel=1e-9)
    it_kwh = played.truth(0, 2 * HOUR).it_3_wh / 1000
    assert row["wue_l_per_kwh"] == pytest.approx(row["water_l"] / it_kwh, rel=1e-6)


def test_cop_of_plant_and_chiller(played):
    truth = played.truth(0, 2 * HOUR)
    plant = played.one("from chiller_efficiency($a, $b)", unit="plant")
    electric_wh = truth.chiller_wh + truth.pump_wh + truth.cooling_tower_wh
    assert plant["reason"] is None
    assert plant["electric_meters"] == ["cooling/plant-meter"]
    # cables between the meter and its loads lose a little
    assert plant["e_kwh"] == pytest.approx(electric_wh / 1000, rel=0.01)
    assert plant["heat_kwh"] == pytest.approx(played.heat_wh / 1000, rel=0.005)
    assert plant["cop_ratio"] == pytest.approx(played.heat_wh / electric_wh, rel=0.015)
    chillers = played.bench.ask("from chiller_efficiency($a, $b) where unit <> 'plant'", WINDOW)
    assert sum(row["e_kwh"] for row in chillers) == pytest.approx(truth.chiller_wh / 1000)
    first = next(row for row in chillers if row["unit"] == "cooling/chiller-1")
    assert 3 < first["cop_ratio"] < 12


def test_approach(played):
    tower_k, cdu_k = np.mean(played.approaches[1:-2], axis=0)
    rows = played.bench.ask("from loops($a, $b)", WINDOW)
    towers = [r["approach_k"] for r in rows if r["loop"] == "water"]
    cdus = [r["approach_k"] for r in rows if r["loop"] == "secondary"]
    assert towers == [pytest.approx(tower_k, abs=1e-9)]
    assert np.mean(cdus) == pytest.approx(cdu_k, abs=1e-9)


def test_demand_peak(played):
    quarters = [played.truth(s, s + 900).utility_wh / 0.25 / 1000 for s in range(0, 2 * HOUR, 900)]
    row = played.one("from demand($a, $b)")
    assert row["peak_kw"] == pytest.approx(max(quarters), rel=1e-9)
    assert row["load_factor_ratio"] == pytest.approx(np.mean(quarters) / max(quarters), rel=1e-9)
    assert row["peak_ratio"] == pytest.approx(max(quarters) / 500, rel=1e-9)


def test_mlc_and_tue(played):
    truth = played.truth(0, 2 * HOUR)
    parts = played.one("from mlc_elc($a, $b)", component="mlc")
    assert parts["ratio"] == pytest.approx(truth.cooling_wh / truth.it_3_wh, rel=0.01)
    tue = played.one("from tue($a, $b)")
    assert tue["tue_ratio"] == pytest.approx(truth.utility_wh / truth.gpu_wh, rel=1e-6)


def test_no_hour_of_such_a_day_is_free(played):
    row = played.one("from free_cooling($a, $b)")
    assert (row["full_h"], row["coverage_ratio"]) == (0, 1)
