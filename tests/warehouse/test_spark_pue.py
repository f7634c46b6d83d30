"""The lake's Parquet files give the same PUE under Spark, from the same definition."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from rollup_bench import RollupBench
from sql_bench import at

import warehouse
from warehouse.query import run_sql

PYTHON = Path(__file__).parents[2] / ".venv-spark/bin/python"
CHILD = Path(__file__).with_name("spark_child.py")
PUE = (Path(warehouse.__file__).parent / "portable/pue.sql").read_text("utf-8")
WINDOW = {"from_at": at(3607.5), "to_at": at(4 * 3600 + 3.25)}
"""Both ends cut steps."""
METERS = {"grid": "utility", "generator": "utility", "ups": "ups_output", "racks": "it_input"}
WATTS = {"grid": 4.1e8, "generator": 2.3e5, "ups": 3.7e8, "racks": 3.6e8}
MODULUS_WH = 2**30
"""Each register but the generator's passes it within the window."""


@pytest.fixture
def bench(lake) -> RollupBench:
    bench = RollupBench(lake)
    bench.insert("sites", "demo", "UTC", 5e8, "site", 0.99)
    for total, category, role in (
        ("e_dc", 0, "utility"),
        ("e_it", 1, "ups_output"),
        ("e_it", 3, "it_input"),
    ):
        bench.insert("boundary_terms", "site", total, category, role, 1)
    for name, role in METERS.items():
        bench.meter(name, role, max_power_w=5e8, modulus_wh=MODULUS_WH)
    for first, last in ((0, 9000), (9000, 5 * 3600)):
        bench.commit(rows(first, last))
    return bench


def rows(first: int, last: int) -> Iterator[tuple[float, str, str, float, int]]:
    """Loads that swing; a gap that registers bridge, and readings that do not count."""
    for second in range(first, last, 10):
        for place, (name, watts) in enumerate(WATTS.items()):
            if name == "racks" and 7000 <= second < 7050:
                continue
            moment = second + place * 0.37
            wh = watts * (moment - 180 * math.cos(moment / 600)) / 3600 + MODULUS_WH * 0.9
            quality = 4 if second % 3000 == 20 else 0
            value = 0.0 if quality else float(int(wh) % MODULUS_WH)
            yield moment, name, "energy_imported_wh", value, quality


def spark_python() -> Path:
    """Where pyspark is; where it is not its test is skipped, and fails in CI."""
    missing = [
        name
        for name, found in (
            ("pyspark (in .venv-spark)", PYTHON.exists()),
            ("java", shutil.which("java")),
        )
        if not found
    ]
    if missing and os.environ.get("CI"):
        pytest.fail(f"missing: {', '.join(missing)}; .ci/run installs them")
    if missing:
        pytest.skip(f"missing: {', '.join(missing)}; .ci/run installs them")
    return PYTHON


def parquet_files(bench: RollupBench, directory: Path) -> dict[str, list[str]]:
    """The readings' own files, and what the lake knows of the site as Parquet."""
    files = bench.ask("select data_file from ducklake_list_files('lake', 'readings')")
    tables = {"readings": [row["data_file"] for row in files]}
    for name in ("sites", "meters", "boundary_terms"):
        pq.write_table(run_sql(bench.lake, f"from {name}"), directory / f"{name}.parquet")
        tables[name] = [str(directory / f"{name}.parquet")]
    return tables


def by_category(rows: list[dict]) -> dict[int, dict]:
    return {row["category"]: row for row in rows if row["pue_ratio"] is not None}


def in_duckdb(bench: RollupBench) -> dict[int, dict]:
    window = (
        "with asked_window as (select $from_at::timestamptz from_at, $to_at::timestamptz to_at)"
    )
    return by_category(bench.ask(PUE.replace("with\n", f"{window},\n", 1), WINDOW))


def test_the_portable_pue_is_that_of_the_macro(bench: RollupBench) -> None:
    portable = in_duckdb(bench)
    macro = by_category(bench.ask("from pue($from_at, $to_at)", WINDOW))
    assert portable.keys() == macro.keys() == {1, 3}
    for category, row in macro.items():
        for column in ("e_dc_kwh", "e_it_kwh", "pue_ratio"):
            assert portable[category][column] == pytest.approx(row[column], rel=1e-9), column
    falls = "select count(*) as n from register_steps($from_at, $to_at) where kind = 'rollover'"
    assert bench.ask(falls, WINDOW)[0]["n"] >= 2


def test_spark_gives_the_same_from_the_same_files(bench: RollupBench, tmp_path: Path) -> None:
    python = spark_python()
    tables = parquet_files(bench, tmp_path)
    assert len(tables["readings"]) == 2
    ends = {name: moment.isoformat() for name, moment in WINDOW.items()}
    done = subprocess.run(
        [python, CHILD],
        input=json.dumps({"sql": PUE, "tables": tables, **ends}),
        capture_output=True,
        text=True,
        timeout=100,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    spark = by_category(json.loads(done.stdout))
    macro = by_category(bench.ask("from pue($from_at, $to_at)", WINDOW))
    assert spark.keys() == macro.keys() == {1, 3}
    for category, row in macro.items():
        for column in ("e_dc_kwh", "e_it_kwh", "pue_ratio"):
            assert spark[category][column] == pytest.approx(row[column], rel=1e-9), column


def test_what_the_portable_pue_cannot_judge_gives_no_ratio(bench: RollupBench) -> None:
    bench.commit([(8001.5, "racks", "energy_imported_wh", 5e8, 0)])
    assert in_duckdb(bench).keys() == {1}
