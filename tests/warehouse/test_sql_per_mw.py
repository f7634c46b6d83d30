"""What a place gets from its megawatts, on small numbers done by hand."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from sql_bench import SqlBench, at

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text("utf-8")
HOUR = {"a": at(0), "b": at(3600)}
MODEL = "model.llama"
TTFT, TPOT, ITL = (
    "time_to_first_token_bucket_count",
    "time_per_output_token_bucket_count",
    "inter_token_latency_bucket_count",
)


@pytest.fixture(scope="module")
def database() -> SqlBench:
    return SqlBench()


@pytest.fixture
def bench(database) -> SqlBench:
    """Two racks in two halls, 0.6 and 0.4 MW of IT on 1.25 MW; 2 MW are provisioned."""
    database.clear()
    database.site()
    database.boundary(e_dc=["utility"], e_it_3=["it_input"])
    database.meter("grid", "utility", max_power_w=2e6)
    ramp(database, "grid", 1.25e6)
    for n, power_w in (1, 6e5), (2, 4e5):
        database.insert("devices", f"it-{n}", "p", "rack_pdu", 10, f"hall-{n}", "r1", f"k{n}")
        database.insert("meters", f"it-{n}", f"it-{n}", "", "it_input", 0.5, 2e6, None, 1.0)
        ramp(database, f"it-{n}", power_w)
        place = (f"hall-{n}", "r1", f"k{n}")
        database.insert("devices", f"node-{n}", "p", "gpu_node", 10, *place)
        database.insert("devices", f"llm-{n}", "vllm", "inference_server", 10, *place)
    return database


def ramp(bench: SqlBench, device: str, power_w: float) -> None:
    """An energy register and the power, both every 10 s."""
    seconds = range(-60, 3661, 10)
    bench.read(device, [(s, 1e6 + power_w * s / 3600) for s in seconds])
    bench.read(device, [(s, power_w) for s in seconds], "active_power_w")


def serve(
    bench: SqlBench,
    device: str,
    per_hour: float,
    quantity: str = "output_tokens_count",
    *,
    part: str = "",
    start: float = 5000.0,
) -> None:
    """A counter that grows evenly."""
    readings = [(s, start + per_hour * s / 3600) for s in range(0, 3601, 10)]
    bench.read(device, readings, quantity, component=MODEL + part)


def latencies(bench: SqlBench, device: str, quantity: str, within: dict[str, float]) -> None:
    """Requests of an hour, cumulated by bound."""
    for bound, per_hour in within.items():
        serve(bench, device, per_hour, quantity, part=f"/le.{bound}", start=0)


def gpu(bench: SqlBench, device: str, name: str, **values: float) -> None:
    """A GPU that reports the same every minute."""
    for quantity, value in values.items():
        readings = [(s, value) for s in range(0, 3600, 60)]
        bench.read(device, readings, quantity, component=f"gpu.{name}")


def per_mw(bench: SqlBench, **asked: object) -> list[dict]:
    options = "".join(f", {name} := ${name}" for name in asked)
    question = f"from per_mw($a, $b{options}) order by place, period_start_at"
    return bench.ask(question, {**HOUR, **asked})


def test_tokens_over_energy_by_every_denominator(bench):
    """18 million tokens in the hour: 5,000 a second, of 1.25 MWh, 1 MWh of IT and 2 MW."""
    serve(bench, "llm-1", 10.8e6)
    serve(bench, "llm-2", 7.2e6)
    (row,) = per_mw(bench)
    assert row["tokens_per_s"] == pytest.approx(5000)
    assert row["tokens_per_s_per_mw_utility"] == pytest.approx(5000 / 1.25)
    assert row["tokens_per_s_per_mw_it_3"] == pytest.approx(5000)
    assert row["tokens_per_s_per_mw_provisioned"] == 2500
    assert row["tokens_per_s_per_mw_it_1"] is None
    assert row["tokens_per_kwh_utility"] == pytest.approx(18e6 / 1250)
    assert row["j_per_token_utility"] == pytest.approx(1250 * 3.6e6 / 18e6)  # 250 J
    assert row["j_per_token_it_3"] == pytest.approx(200)


def test_halls_rows_and_racks_have_what_is_metered_in_them(bench):
    """Hall 1: 10.8 million tokens of 0.6 MWh are 3,000 a second, and 200 J each."""
    serve(bench, "llm-1", 10.8e6)
    serve(bench, "llm-2", 7.2e6)
    halls = per_mw(bench, scope="hall")
    assert [row["place"] for row in halls] == ["hall-1", "hall-2"]
    one, two = halls
    assert one["mw_it_3_avg"] == pytest.approx(0.6)
    assert one["tokens_per_s_per_mw_it_3"] == pytest.approx(5000)
    assert one["j_per_token_it_3"] == pytest.approx(0.6e6 * 3600 / 10.8e6)
    assert two["mw_it_3_avg"] == pytest.approx(0.4)
    for row in halls:
        site_only = ("mw_utility_avg", "mw_provisioned", "stranded_mw", "mw_it_1_avg")
        assert {row[name] for name in site_only} == {None}
    assert [row["place"] for row in per_mw(bench, scope="row")] == ["hall-1/r1", "hall-2/r1"]
    racks = per_mw(bench, scope="rack", grain="30 minutes")
    assert [row["place"] for row in racks] == ["hall-1/r1/k1"] * 2 + ["hall-2/r1/k2"] * 2
    assert racks[0]["tokens_per_s"] == pytest.approx(3000)


def test_a_restart_counts_from_zero_and_loses_no_more_than_a_poll(bench):
    """1 token a second to 1800 s (5000 to 6800), then from 0 again: 0, 10, ... 1800.

    The step across the restart, 6800 to 0 at 1810 s, counts for what it shows, 0: 10 of 3,600
    tokens are lost.
    """
    before = [(s, 5000.0 + s) for s in range(0, 1801, 10)]
    after = [(s, float(s - 1810)) for s in range(1810, 3601, 10)]
    bench.read("llm-1", before + after, "output_tokens_count", component=MODEL)
    (row,) = bench.ask("from inference_counts($a, $b)", HOUR)
    assert (row["amount"], row["restarts"]) == (pytest.approx(1800 + 1790), 1)
    assert row["measured_s"] == 3600


def test_splitting_a_window_changes_no_sum(bench):
    serve(bench, "llm-1", 3.6e6)
    parts = bench.ask("from inference_counts($a, $b, '7 minutes')", HOUR)
    assert len(parts) == 9
    assert sum(row["amount"] for row in parts) == pytest.approx(3.6e6, rel=1e-12)


def test_a_server_that_was_not_read_leaves_no_tokens_and_is_named(bench):
    """Never a better number per token, and never a worse one per MW, for want of readings."""
    serve(bench, "llm-1", 10.8e6)
    (row,) = per_mw(bench)
    assert (row["tokens_per_s"], row["j_per_token_utility"]) == (None, None)
    assert row["reason"].startswith("tokens: too little was read of llm-2")
    one, two = per_mw(bench, scope="hall")
    assert one["tokens_per_s"] == pytest.approx(3000)
    assert two["tokens_per_s"] is None


def test_goodput_lies_between_what_two_histograms_allow(bench):
    """Of 1000 requests 900 have their first token in 1 s, 800 a token in 50 ms on average.

    Both hold for 700 to 800 of them: of 3.6 million tokens, 1,000 a second, 700 to 800 a second.
    """
    serve(bench, "llm-1", 3.6e6)
    serve(bench, "llm-2", 0)
    latencies(bench, "llm-1", TTFT, {"0.5": 100, "1": 900, "2.5": 990, "inf": 1000})
    latencies(bench, "llm-1", TPOT, {"0.05": 800, "0.1": 950, "inf": 1000})
    (row,) = per_mw(bench, ttft_slo_s=2.0, tpot_slo_s=0.05)
    # 2 s is no bound of the histogram: 1 s is the highest that is not above it
    assert row["ttft_in_slo_ratio"] == pytest.approx(0.9)
    assert row["tpot_in_slo_ratio"] == pytest.approx(0.8)
    assert row["goodput_low_per_mw_it_3"] == pytest.approx(700)
    assert row["goodput_high_per_mw_it_3"] == pytest.approx(800)
    assert row["goodput_low_per_mw_provisioned"] == pytest.approx(350)
    assert (row["ttft_slo_s"], row["tpot_slo_s"]) == (2.0, 0.05)


def test_a_server_that_times_single_tokens_gives_their_share(bench):
    """Of 3.6 million gaps between tokens 90 % are within 40 ms; every first token in time."""
    serve(bench, "llm-1", 3.6e6)
    serve(bench, "llm-2", 0)
    latencies(bench, "llm-1", TTFT, {"1": 1000, "inf": 1000})
    latencies(bench, "llm-1", ITL, {"0.04": 3.24e6, "inf": 3.6e6})
    (row,) = per_mw(bench, tpot_slo_s=0.05)
    assert row["tpot_in_slo_ratio"] == pytest.approx(0.9)
    assert row["goodput_low_per_mw_it_3"] == pytest.approx(900)
    assert row["goodput_high_per_mw_it_3"] == pytest.approx(900)


def test_no_goodput_where_no_bound_is_low_enough_or_there_is_no_histogram(bench):
    serve(bench, "llm-1", 3.6e6)
    serve(bench, "llm-2", 0)
    latencies(bench, "llm-1", TTFT, {"1": 900, "inf": 1000})
    (row,) = per_mw(bench, ttft_slo_s=0.5)
    assert row["goodput_low_per_mw_it_3"] is None
    assert "goodput: no time to first token within the SLO's reach from llm-1" in row["reason"]
    (row,) = per_mw(bench)
    assert "goodput: no time per output token within the SLO's reach from llm-1" in row["reason"]


def test_pflops_at_peak_and_as_much_as_tensor_pipes_were_active(bench):
    """GB200 2.5, GB300 2.5 PFLOPS in bf16, active for 40 and 20 % of the time: 1 + 0.5 PFLOPS."""
    bench.factor("gpu_model", "gpu_node", "GB200")
    bench.factor("gpu_model", "node-2", "GB300")
    gpu(bench, "node-1", "a", active_power_w=1000.0, tensor_active_ratio=0.4)
    gpu(bench, "node-2", "b", active_power_w=1000.0, tensor_active_ratio=0.2)
    (row,) = per_mw(bench)
    assert row["peak_arithmetic"] == "bf16"
    assert row["pflops_peak_per_mw_it_3"] == pytest.approx(5)
    assert row["pflops_est_per_mw_it_3"] == pytest.approx(1.5)
    assert row["pflops_est_per_mw_utility"] == pytest.approx(1.5 / 1.25)
    (fp4,) = per_mw(bench, peak_arithmetic="fp4")
    assert fp4["pflops_peak_per_mw_it_3"] == pytest.approx(10 + 15)


def test_the_site_corrects_a_peak_and_what_is_not_known_is_named(bench):
    gpu(bench, "node-1", "a", active_power_w=1000.0, tensor_active_ratio=0.4)
    (row,) = per_mw(bench)
    assert row["pflops_peak_per_mw_it_3"] is None
    assert "pflops: no gpu_model is stated for node-1" in row["reason"]
    bench.factor("gpu_model", "gpu_node", "X9")
    assert "no peak at bf16 is known of X9" in per_mw(bench)[0]["reason"]
    bench.factor("gpu_peak_pflops", "X9/bf16", 7)
    assert per_mw(bench)[0]["pflops_peak_per_mw_it_3"] == pytest.approx(7)


def test_no_estimate_without_the_activity_of_every_gpu(bench):
    bench.factor("gpu_model", "gpu_node", "GB200")
    gpu(bench, "node-1", "a", active_power_w=1000.0, tensor_active_ratio=0.4)
    gpu(bench, "node-1", "b", active_power_w=1000.0)
    (row,) = per_mw(bench)
    assert (row["pflops_peak_per_mw_it_3"], row["pflops_est_per_mw_it_3"]) == (5, None)
    assert "pflops: no tensor_active_ratio of 1 of the GPUs" in row["reason"]


def test_power_cap_loss_is_by_the_counter_or_else_by_the_reasons_seen(bench):
    """GPU a: its counter grew by 900 s in 3540 s. GPU b: bit 4 in 15 of 60 polls. Mean of both."""
    gpu(bench, "node-1", "a", active_power_w=1000.0, clock_event_reasons_code=0.0)
    gpu(bench, "node-1", "b", active_power_w=1000.0)
    counter = [(s, 50 + 900 * s / 3540) for s in range(0, 3600, 60)]
    bench.read("node-1", counter, "power_violation_s", component="gpu.a")
    reasons = [(60 * n, 5.0 if n < 15 else 1.0) for n in range(60)]
    bench.read("node-1", reasons, "clock_event_reasons_code", component="gpu.b")
    (row,) = per_mw(bench)
    assert row["power_cap_loss_ratio"] == pytest.approx((900 / 3540 + 15 / 60) / 2)


def test_chip_fraction_is_of_counters_and_of_power_where_there_is_none(bench):
    """GPU a: 900 Wh by its counter, whatever its power says; GPU b: 1000 W; the CPU: 200 W.

    Of b and the CPU there are readings from 0 to 3590 s. An edge of at most an interval goes on at
    the same rate: b has the whole hour. A gauge is integrated between readings: 3590 s of the CPU.
    """
    seconds = range(0, 3600, 10)
    gpu(bench, "node-1", "a", active_power_w=1.0)
    counter = [(s, 900 * s / 3600) for s in range(0, 3601, 10)]
    bench.read("node-1", counter, "energy_imported_wh", component="gpu.a")
    bench.read("node-1", [(s, 1000.0) for s in seconds], "active_power_w", component="gpu.b")
    bench.read("node-1", [(s, 200.0) for s in seconds], "cpu_power_w", component="cpu.0")
    (energy,) = bench.ask("from chip_energy($a, $b)", HOUR)
    cpu_wh = 200 * 3590 / 3600
    assert energy["gpu_wh"] == pytest.approx(900 + 1000)
    assert energy["cpu_wh"] == pytest.approx(cpu_wh)
    assert energy["gpus_by_power"] == 1
    (row,) = per_mw(bench)
    assert row["chip_fraction_utility"] == pytest.approx((1900 + cpu_wh) / 1.25e6)
    assert row["chip_fraction_it_3"] == pytest.approx((1900 + cpu_wh) / 1e6)
    one, two = per_mw(bench, scope="hall")
    assert one["chip_fraction_it_3"] == pytest.approx((1900 + cpu_wh) / 0.6e6)
    assert two["chip_fraction_it_3"] is None


def test_the_fastest_ramp_of_the_feeder_is_named(bench):
    """At 1800 s the utility's power falls by 0.3 MW in 10 s: 0.03 MW/s."""
    bench.database.execute(
        "update readings set value = value - 3e5 "
        "where device = 'grid' and quantity = 'active_power_w' and ts >= $1",
        [at(1800)],
    )
    (row,) = per_mw(bench)
    assert (row["ramp_mw_per_s"], row["ramp_meter"]) == (pytest.approx(0.03), "grid")
    assert [r["ramp_meter"] for r in per_mw(bench, scope="hall")] == ["it-1", "it-2"]


def test_a_site_without_inference_servers_says_so(bench):
    bench.database.execute("delete from devices where device_role = 'inference_server'")
    (row,) = per_mw(bench)
    assert row["tokens_per_s"] is None
    assert "tokens: no inference server stands here" in row["reason"]


@pytest.mark.parametrize(
    ("scope", "words"),
    [("job", "no reading tells which job ran where"), ("pod", "there is no scope pod; ask for")],
)
def test_a_scope_that_there_is_not_is_refused_with_those_there_are(bench, scope, words):
    with pytest.raises(duckdb.Error, match=words):
        per_mw(bench, scope=scope)


@pytest.mark.parametrize("name", ["inference_service", "gpu_peaks"])
def test_every_column_is_on_the_page(bench, name):
    section = PAGE.split(f"\n## `{name}`\n")[1].split("\n## ")[0]
    call = name if name == "gpu_peaks" else f"{name}('2026-10-01', '2026-10-02')"
    columns = bench.database.execute(f"from {call}").description
    assert [c[0] for c in columns if f"`{c[0]}`" not in section] == []
