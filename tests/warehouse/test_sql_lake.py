"""The SQL in a real lake, and its page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sql_bench import SqlBench, at

from warehouse import sql_catalogue
from warehouse.connection import load, open_database
from warehouse.lake import Lake
from warehouse.query import run_sql
from warehouse.sink import ENGINE

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text("utf-8")
DIMENSIONS = (
    "sites",
    "devices",
    "meters",
    "boundary_terms",
    "feeds",
    "factors",
    "loss_bands",
    "quantities",
)
WINDOW = {"a": at(95.5), "b": at(3405.5)}
PUE = "from pue($a, $b, 'minute') order by period_start_at, category"
ENERGY = "from energy($a, $b, '15 minutes') order by period_start_at, meter"


@pytest.fixture(scope="module")
def bench() -> SqlBench:
    """A site with a rollover, a gap, a dip and a meter without a register."""
    bench = SqlBench()
    bench.site(time_zone="Asia/Seoul")
    bench.boundary(e_dc=["utility"], e_it_1=["ups_output"])
    bench.meter("grid", modulus_wh=1e6)
    bench.meter("ups", "ups_output", resolution_wh=None)
    grid = {s: (9e5 + 100.0 * s) % 1e6 for s in range(0, 3601, 10) if not 1200 < s < 1500}
    grid[2000] = 0.0
    bench.read("grid", grid.items())
    bench.read("ups", [(s, 3e5 + s) for s in range(0, 3601, 10)], "active_power_w")
    return bench


@pytest.fixture
def filled(lake: Lake, bench: SqlBench) -> Lake:
    """The same rows in a lake."""
    for table in ("readings", *DIMENSIONS):
        rows = bench.database.execute(f"from {table}").to_arrow_table()
        with lake.connection.given(rows):
            lake.connection.execute(f"insert into {table} select * from given")
    return lake


def rounded(rows: list[dict]) -> list[dict]:
    return [
        {name: round(v, 6) if isinstance(v, float) else v for name, v in row.items()}
        for row in rows
    ]


@pytest.mark.parametrize("question", [PUE, ENERGY])
def test_a_lake_answers_as_plain_tables_do(filled, bench, question):
    rows = rounded(run_sql(filled, question, WINDOW).to_pylist())
    assert rows == rounded(bench.ask(question, WINDOW))
    assert len(rows) > 5


def test_any_duckdb_that_attaches_the_lake_has_the_macros(filled):
    """Under another name than ours, and with nothing of ours but the extensions."""
    expected = rounded(run_sql(filled, ENERGY, WINDOW).to_pylist())
    directory = filled.directory
    filled.close()
    with open_database(ENGINE) as database:
        load(database, ("sqlite_scanner",))
        database.execute(
            f"attach 'ducklake:sqlite:{directory}/catalogue.sqlite' as elsewhere (read_only)"
        )
        database.execute("use elsewhere")
        rows = database.execute(ENERGY, WINDOW).to_arrow_table().to_pylist()
        assert rounded(rows) == expected
        stored = database.execute("select rows from storage where table_name = 'readings'")
        assert stored.fetchone() == (361 * 2 - 29,)


@pytest.mark.parametrize("definition", sql_catalogue.load_definitions(), ids=lambda d: d.name)
def test_every_view_and_macro_is_on_the_page(definition):
    assert f"`{definition.name}" in PAGE


@pytest.mark.parametrize(
    "name",
    [
        "pue",
        "pue_history",
        "ppue",
        "supplies",
        "reconciliation",
        "boundary_energy",
        "energy",
        "power_by_role",
        "per_mw",
        "gpu_activity",
        "balance",
        "ladder",
        "poll_summary",
        "ledger",
        "freshness",
    ],
)
def test_every_column_is_on_the_page(bench, name):
    section = PAGE.split(f"\n## `{name}`\n")[1].split("\n## ")[0]
    arguments = "" if name in ("ledger", "freshness") else "($a, $b)"
    parameters = WINDOW if arguments else {}
    columns = bench.database.execute(f"from {name}{arguments}", parameters).description
    assert [c[0] for c in columns if f"`{c[0]}`" not in section] == []


def test_every_example_on_the_page_answers(bench):
    examples = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    assert len(examples) > 3
    for example in examples:
        bench.database.execute(example)


@pytest.mark.parametrize("definition", sql_catalogue.load_definitions(), ids=lambda d: d.name)
def test_every_file_reads_alike(definition):
    """Lower case, what a row is said first, and rows that end in `final`."""
    code = re.sub(r"--[^\n]*|'[^']*'", "", definition.text)
    assert code == code.lower()
    assert max(map(len, definition.text.splitlines())) <= 100
    assert definition.comment.startswith(("One row: ", "A value: "))
    if definition.kind == "macro table":
        assert re.search(r"select \*\nfrom final|select \* from final", definition.text)
