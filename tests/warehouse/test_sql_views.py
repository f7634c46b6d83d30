"""Power by role, per MW, the ledger and freshness, on small numbers done by hand."""

from __future__ import annotations

import pytest
from sql_bench import SqlBench, at


@pytest.fixture(scope="module")
def database() -> SqlBench:
    return SqlBench()


@pytest.fixture
def bench(database) -> SqlBench:
    """Give utility 1.2 MW, two IT inputs of 0.5 MW, and a node of three GPUs, for an hour."""
    database.clear()
    database.site()
    database.boundary(e_dc=["utility"], e_it_3=["it_input"])
    loads = {"grid": 1.2e6, "it-1": 5e5, "it-2": 5e5}
    for (name, power_w), role in zip(
        loads.items(), ["utility", "it_input", "it_input"], strict=True
    ):
        database.meter(name, role, max_power_w=2e6)
        database.read(name, [(s, 1e6 + power_w * s / 3600) for s in range(-60, 3661, 10)])
        database.read(name, [(s, power_w) for s in range(-60, 3661, 10)], "active_power_w")
    database.insert("devices", "node-1", "p", "gpu_node", 10, "hall-1", "", "rack-1")
    # watts, multiprocessors active, tensor pipes active
    gpus = {"gpu.GPU-a": (1000, 0.9, 0.5), "gpu.GPU-b": (500, 0.5, 0.1), "gpu.GPU-c": (100, 0, 0)}
    names = ("active_power_w", "sm_active_ratio", "tensor_active_ratio")
    for gpu, values in gpus.items():
        for quantity, value in zip(names, values, strict=True):
            readings = [(s, float(value)) for s in range(0, 3600, 60)]
            database.read("node-1", readings, quantity, component=gpu)
    return database


def book(bench: SqlBench, device: str, second: float, outcome: str, **facts: float | str) -> None:
    row = {"points_expected": 4, "points_good": 4, "latency_s": 0.02, "error": None, **facts}
    values = (at(second), device, outcome, *row.values())
    bench.database.execute("insert into polls values (?, ?, ?, ?, ?, ?, ?)", values)


WINDOW = {"a": at(0), "b": at(3600)}


def test_power_by_role(bench):
    rows = bench.ask("from power_by_role($a, $b) order by meter_role", WINDOW)
    it, utility = rows
    assert (it["meter_role"], it["meters"], it["meters_reporting"]) == ("it_input", 2, 2)
    assert (it["latest_mw"], it["average_mw"]) == (1, pytest.approx(1))
    assert utility["latest_mw"] == 1.2
    assert utility["oldest_reading_at"] == at(3600)


def test_power_of_a_silent_meter_is_not_its_last(bench):
    bench.database.execute(
        "delete from readings where device = 'it-1' and ts > '2026-10-01 00:50:00+00'"
    )
    it = bench.ask("from power_by_role($a, $b) order by meter_role", WINDOW)[0]
    assert (it["meters_reporting"], it["latest_mw"], it["average_mw"]) == (1, 0.5, None)


def test_gpus_per_mw(bench):
    row = bench.ask("from per_mw($a, $b)", WINDOW)[0]
    assert row["gpus_powered"] == 3
    assert row["mw_utility_avg"] == pytest.approx(1.2, rel=1e-12)
    assert (row["mw_it_1_avg"], row["mw_it_3_avg"]) == (None, pytest.approx(1, rel=1e-12))
    assert row["gpus_per_mw_utility"] == pytest.approx(3 / 1.2, rel=1e-12)
    assert row["gpus_per_mw_it_3"] == pytest.approx(3, rel=1e-12)
    assert row["gpus_per_mw_provisioned"] == 3 / 2  # 2 MW provisioned
    assert row["gpu_mw_avg"] == pytest.approx(1600e-6)
    assert row["stranded_mw"] == pytest.approx(2 - 1.2, rel=1e-9)
    assert row["missing_meters"] == []


def test_shares_are_of_energy_not_of_gpus(bench):
    row = bench.ask("from per_mw($a, $b)", WINDOW)[0]
    assert row["tensor_active_kwh_share"] == pytest.approx((1000 * 0.5 + 500 * 0.1) / 1600)
    assert row["sm_active_kwh_share"] == pytest.approx((1000 * 0.9 + 500 * 0.5) / 1600)
    assert row["gpu_idle_kwh_share"] == pytest.approx(100 / 1600)


def test_the_highest_quarter_of_an_hour_decides_what_is_stranded(bench):
    """From 900 s to 1800 s 1.6 MW flow instead of 1.2: 0.4 MW of 2 are left."""
    bench.database.execute(
        "update readings set value = value + 4e5 / 3600 * least(epoch(ts - $1), 900) "
        "where device = 'grid' and quantity = 'energy_imported_wh' and ts > $1",
        [at(900)],
    )
    row = bench.ask("from per_mw($a, $b)", WINDOW)[0]
    assert row["stranded_mw"] == pytest.approx(0.4, rel=1e-9)
    shorter = bench.ask("from per_mw($a, $b)", {"a": at(0), "b": at(600)})[0]
    assert shorter["stranded_mw"] is None


def test_a_dead_utility_meter_leaves_no_figure_per_mw(bench):
    bench.database.execute("delete from readings where device = 'grid'")
    row = bench.ask("from per_mw($a, $b)", WINDOW)[0]
    assert (row["mw_utility_avg"], row["gpus_per_mw_utility"]) == (None, None)
    assert row["missing_meters"] == ["grid"]
    assert row["gpus_per_mw_it_3"] == pytest.approx(3)


def test_ledger(bench):
    """Ten polls in an hour: 6 read, 1 partial, 2 failed, 1 dropped; the next is in another hour."""
    for n in range(6):
        book(bench, "it-1", 10 * n, "read", latency_s=0.01 * (n + 1))
    book(bench, "it-1", 60, "partial", points_good=3, error="missing: 1 of 4 points")
    book(bench, "it-1", 70, "failed", points_good=0, error="timeout: no answer in 3 s")
    book(bench, "it-1", 80, "failed", points_good=0, error="timeout: no answer in 3 s")
    book(bench, "it-1", 90, "dropped", points_good=0, latency_s=None, error="shutdown")
    book(bench, "it-1", 3600, "read")
    first, second = bench.ask("from ledger order by hour_start_at")
    counts = ("scheduled", "stored", "partial", "failed", "dropped")
    assert [first[name] for name in counts] == [10, 7, 1, 2, 1]
    assert (first["points_expected"], first["points_good"]) == (40, 27)
    assert first["last_error"] == "shutdown"
    assert first["stored_ratio"] == 0.7
    assert first["latency_p50_s"] == pytest.approx(0.02)
    assert (second["scheduled"], second["hour_start_at"]) == (1, at(3600))


def test_freshness(bench):
    bench.database.execute(
        "delete from readings where device = 'it-2' and ts > '2026-10-01 01:00:20+00'"
    )
    book(bench, "it-2", 3650, "failed", points_good=0, error="timeout")
    rows = {row["device"]: row for row in bench.ask("from freshness")}
    assert (rows["it-1"]["lag_s"], rows["it-1"]["missed_polls"]) == (0, 0)
    assert (rows["it-2"]["lag_s"], rows["it-2"]["missed_polls"]) == (40, 4)
    assert rows["it-2"]["latest_outcome"] == "failed"
