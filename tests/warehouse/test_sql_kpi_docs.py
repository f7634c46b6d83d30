"""docs/metrics.md says what the KPI macros give."""

from __future__ import annotations

from pathlib import Path

import pytest
from sql_bench import SqlBench, at

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text("utf-8")
OF_ALL = {"coverage_ratio", "reason", "period_start_at", "period_end_at"}


@pytest.fixture(scope="module")
def bench() -> SqlBench:
    bench = SqlBench()
    bench.database.execute("set disabled_optimizers = 'statistics_propagation'")  # the slowest
    return bench


@pytest.mark.parametrize(
    "name",
    [
        "kpi",
        "wue",
        "cue",
        "erf",
        "ere",
        "ref",
        "cer",
        "itue",
        "tue",
        "mlc_elc",
        "chiller_efficiency",
        "loops",
        "heat_balance",
        "free_cooling",
        "air",
        "demand",
        "eu_2024_1364",
    ],
)
def test_every_column_of_a_kpi_is_on_the_page(bench, name):
    section = PAGE.split(f"\n## `{name}`\n")[1].split("\n## ")[0]
    question = f"describe select * from {name}('2026-10-01', '2026-10-02')"
    columns = {row["column_name"] for row in bench.ask(question)}
    assert {column for column in columns - OF_ALL if f"`{column}`" not in section} == set()


def test_all_kpis_of_a_site_that_states_nothing_have_reasons(bench):
    rows = bench.ask("from kpi($a, $b)", {"a": at(0), "b": at(3600)})
    assert [row["name"] for row in rows if row["value"] is not None or not row["reason"]] == []
