"""`busway balance` and `busway ladder` against a lake in which one meter counts double."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from busway.cli import app
from facility.errors import QueryError
from facility.site import Device, Feed, Meter, Site
from warehouse.dimensions import store_dimensions
from warehouse.lake import Lake
from warehouse.query import run_sql
from warehouse.sink import ENGINE

CLI = CliRunner()
KILOWATTS = {"grid": 1000, "main": 995, "hall-1": 495, "hall-2": 990}
"""Hall 2 takes 495 kW, and counts twice that."""
ROLES = {"grid": "utility", "main": "ups_output", "hall-1": "pdu_output", "hall-2": "pdu_output"}
SITE = Site(
    name="demo",
    devices=tuple(
        Device(id=name, profile="p", address=f"modbus://10.0.0.{place}", role="feeder_meter")
        for place, name in enumerate(KILOWATTS, start=1)
    ),
    feeds=(
        Feed(source="grid", target="main"),
        Feed(source="main", target="hall-1"),
        Feed(source="main", target="hall-2"),
    ),
    meters=tuple(
        Meter(id=name, device=name, role=role, accuracy_class=0.5) for name, role in ROLES.items()
    ),
)
READINGS = """
insert into readings
select
    timestamptz '2026-10-01 00:00:00+00' + to_seconds(second),
    $device, '', 'energy_imported_wh', 1e6 + $power_w * second / 3600, 0
from (select unnest(range(0, 3610, 10)) as second)
"""


def lake_of(directory: Path, site: Site, *names: str) -> Path:
    with Lake.create_or_open(directory, settings=ENGINE) as lake:
        store_dimensions(lake, site, lambda *_: None)
        lake.connection.execute("update meters set energy_resolution_wh = 1")
        for name in names:
            run_sql(lake, READINGS, {"device": name, "power_w": KILOWATTS[name] * 1e3})
    return directory


@pytest.fixture(scope="module")
def lake_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    return lake_of(tmp_path_factory.mktemp("balanced") / "lake", SITE, *KILOWATTS)


def ask(lake: Path, *arguments: str) -> Result:
    return CLI.invoke(app, [*arguments, "--lake", str(lake)])


def rows(lake: Path, *arguments: str) -> list[dict[str, object]]:
    result = ask(lake, *arguments, "--format", "json")
    assert result.exit_code == 0, result.exception
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_the_balance_names_the_meter_and_shows_the_arithmetic(lake_directory: Path) -> None:
    (row,) = rows(lake_directory, "balance")
    assert (row["node"], row["verdict"]) == ("main to 2 meters", "gains energy")
    assert (row["likely_fault"], row["likely_meter"]) == ("CT ratio", "hall-2")
    assert "hall-2: 990.000 kWh x 0.5 = 495.000 kWh" in str(row["arithmetic"])
    assert len(rows(lake_directory, "balance", "--all")) == 2


def test_where_all_closes_one_line_says_so(tmp_path: Path) -> None:
    lake = lake_of(tmp_path / "lake", SITE.model_copy(update={"feeds": SITE.feeds[:1]}), *KILOWATTS)
    result = ask(lake, "balance")
    assert result.stdout == "all 1 sections of the power path close; --all shows them\n"
    assert rows(lake, "balance") == []


def test_a_site_without_a_power_path_is_told_so(tmp_path: Path) -> None:
    lake = lake_of(tmp_path / "lake", SITE.model_copy(update={"feeds": ()}), *KILOWATTS)
    result = ask(lake, "balance")
    assert isinstance(result.exception, QueryError)
    assert "no part of the power path (feeds, fed_by) has meters above and" in str(result.exception)


def test_the_ladder_has_every_stage(lake_directory: Path) -> None:
    found = rows(lake_directory, "ladder")
    assert [row["stage"] for row in found][2:4] == ["UPS out", "PDU out"]
    assert len(found) == 7
    assert found[2]["efficiency_ratio"] == pytest.approx(0.995)
    assert (found[2]["closes"], found[3]["closes"]) == (True, False)
    assert len(rows(lake_directory, "ladder", "--grain", "15 minutes")) == 4 * 7


@pytest.mark.parametrize("command", ["balance", "ladder"])
def test_a_window_without_readings_is_told_so(lake_directory: Path, command: str) -> None:
    result = ask(lake_directory, command, "--from", "2027-01-01", "--to", "2027-01-02")
    assert isinstance(result.exception, QueryError)
    assert "no readings from 2027-01-01" in str(result.exception)
