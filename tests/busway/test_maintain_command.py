"""`busway maintain --once` and `busway sql --as-of` on a lake of a site file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from busway.cli import app
from facility.errors import LakeUnavailable, QueryError
from warehouse.lake import Lake
from warehouse.query import run_sql
from warehouse.sink import ENGINE

CLI = CliRunner()
SITE = """
site: {name: upkeep}
devices:
  - id: hall-1/pdu-a
    profile: nvidia-dcgm-exporter
    role: gpu_node
    address: http://127.0.0.1
lake: {retention_days: {polls: 1}}
"""
READINGS = """
insert into readings
select timestamptz '2026-10-01' + interval 1 second * i, 'hall-1/pdu-a', '', 'active_power_w', i, 0
from range($first, $first + 2000) as rows (i)
"""

SNAPSHOTS = "select snapshot_time as at from ducklake_snapshots('lake') order by all offset 1"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("upkeep")
    (directory / "site.yaml").write_text(SITE)
    with Lake.create_or_open(directory / "lake", settings=ENGINE) as lake:
        for first in range(0, 8000, 2000):
            run_sql(lake, READINGS, {"first": first})
    return directory / "site.yaml"


def ask(site: Path, *arguments: str) -> Result:
    return CLI.invoke(
        app, ["sql", *arguments, "--lake", str(site.parent / "lake"), "--format", "json"]
    )


def count(site: Path, what: str) -> int:
    result = ask(site, f"select count(*) as n from {what}")
    assert result.exit_code == 0, result.exception
    return int(json.loads(result.stdout)["n"])


def test_once_merges_what_is_there_and_ends(site: Path) -> None:
    before = count(site, "readings")
    result = CLI.invoke(app, ["maintain", "--once", "--site", str(site)])
    assert result.exit_code == 0, result.exception
    assert count(site, "ducklake_list_files('lake', 'readings')") == 1
    assert count(site, "readings") == before == 8000


def test_as_of_a_time_the_lake_is_as_it_was_then(site: Path) -> None:
    with Lake.open_read_only(site.parent / "lake", settings=ENGINE) as lake:
        times = run_sql(lake, SNAPSHOTS)["at"].to_pylist()
    asked = [
        ask(site, "select count(*) as n from readings", "--as-of", at.isoformat()) for at in times
    ]
    counts = [int(json.loads(result.stdout)["n"]) for result in asked]
    assert counts == sorted(counts)
    assert counts[0] == 0
    assert counts[-1] == 8000


@pytest.mark.parametrize(
    ("moment", "message"),
    [
        ("2001-01-01", "not kept any more"),
        ("yesterday", "'yesterday' is no time; write 2026-10-01"),
    ],
)
def test_a_time_that_cannot_be_asked_for_is_named(site: Path, moment: str, message: str) -> None:
    result = ask(site, "select 1", "--as-of", moment)
    assert isinstance(result.exception, QueryError)
    assert message in str(result.exception)


def test_damage_is_named_and_can_be_left_behind(site: Path) -> None:
    for file in (site.parent / "lake/data/main/readings").iterdir():
        file.unlink()
    result = CLI.invoke(app, ["maintain", "--once", "--site", str(site)])
    assert isinstance(result.exception, LakeUnavailable)
    assert "8000 rows are damaged" in str(result.exception)
    result = CLI.invoke(app, ["maintain", "--once", "--forget-damaged", "--site", str(site)])
    assert result.exit_code == 0, result.exception
    assert count(site, "readings") == 0
