"""docs/lake.md says what is so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import prometheus_client
from sink_feed import make_sink, message, one_log, run_to_end

from facility.site import Lake as LakeSettings
from warehouse.lake import Lake
from warehouse.maintenance.schedule import jobs_of
from warehouse.sink import ENGINE

PAGE = (Path(__file__).parents[2] / "docs" / "lake.md").read_text("utf-8")


def test_its_queries_run_where_there_is_no_code_of_ours(tmp_path):
    """Extensions come from their wheels here, and from DuckDB's own place for whoever installs."""
    with Lake.create_or_open(tmp_path / "lake", settings=ENGINE) as lake:
        feed = one_log([message(1)])
        run_to_end(make_sink(lake, feed), feed)
    blocks = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    queries = [block.replace("install ducklake;\ninstall sqlite;\n", "") for block in blocks]
    assert len(queries) == 2
    script = (
        "import duckdb, duckdb_extensions, sys\n"
        "for name in ('ducklake', 'sqlite_scanner'):\n"
        "    duckdb_extensions.import_extension(name)\n"
        "for query in sys.argv[1:]:\n"
        "    print(duckdb.execute(query).fetchall())\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, *queries],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("[('active_power_w', 50, ")


def test_a_lake_that_was_moved_is_attached_as_it_says(lake, database, tmp_path):
    lake.connection.execute("insert into feeds select 'a', 'b', now(), null from range(2000)")
    lake.close()
    place = tmp_path / "elsewhere"
    lake.directory.rename(place)
    options = re.search(r"`(\(read_only, data_path .*?\))`", PAGE)
    assert options is not None
    given = options[1].replace("lake/data", f"{place}/data")
    database.execute(f"attach 'ducklake:sqlite:{place}/catalogue.sqlite' as moved {given}")
    assert len(database.execute("from moved.feeds").fetchall()) == 2000
    database.execute("detach moved")


def test_every_metric_of_the_sink_is_listed():
    ours = {
        metric.name
        for metric in prometheus_client.REGISTRY.collect()
        if metric.name.startswith("busway_sink_")
    }
    listed = {name.removesuffix("_total") for name in re.findall(r"`(busway_sink_\w+)`", PAGE)}
    assert listed == ours


def test_every_metric_and_job_of_maintenance_is_listed():
    ours = {
        metric.name
        for metric in prometheus_client.REGISTRY.collect()
        if metric.name.startswith("busway_maintenance_")
    }
    listed = re.findall(r"`(busway_maintenance_\w+)`", PAGE)
    assert {name.removesuffix("_total") for name in listed} == ours
    for job in jobs_of(LakeSettings()):
        assert f"| `{job.name}` |" in PAGE
