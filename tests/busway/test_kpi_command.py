"""`busway kpi` against a lake with an hour of two meters, and with nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from busway.cli import app
from facility.errors import QueryError
from facility.site import Site
from warehouse.dimensions import store_dimensions
from warehouse.lake import Lake
from warehouse.query import run_sql
from warehouse.sink import ENGINE

CLI = CliRunner()
SITE = Site.model_validate(
    {
        "name": "a",
        "devices": [
            {"id": role, "profile": "p", "address": f"modbus://10.0.0.{n}", "role": "feeder_meter"}
            for n, role in enumerate(("utility", "it_input"), start=1)
        ],
        "meters": [{"id": role, "device": role, "role": role} for role in ("utility", "it_input")],
        "boundary": {"e_dc": ["utility"], "e_it": {3: ["it_input"]}},
        "factors": [{"name": "carbon_kg_per_kwh", "subject": "grid_market", "value": 0.2}],
    }
)
READINGS = """
insert into readings
select ts, device, '', 'active_power_w', watts, 0
from generate_series(
    '2026-10-01 08:00:00+00'::timestamptz, '2026-10-01 09:00:00+00'::timestamptz,
    interval 10 second
)
    as times(ts)
cross join (values ('utility', 1.2e6), ('it_input', 1e6)) as loads(device, watts)
"""


@pytest.fixture(scope="module")
def lake_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("metered") / "lake"
    with Lake.create_or_open(directory, settings=ENGINE) as lake:
        store_dimensions(lake, SITE, lambda *_: None)
        run_sql(lake, READINGS)
    return directory


def rows(lake: Path, *arguments: str) -> dict[str, dict[str, object]]:
    result = CLI.invoke(app, ["kpi", *arguments, "--lake", str(lake), "--format", "json"])
    assert result.exit_code == 0, result.exception
    found = [json.loads(line) for line in result.stdout.splitlines()]
    return {row.get("name") or row["field"]: row for row in found}


def test_each_kpi_has_its_value_or_the_reason(lake_directory: Path) -> None:
    found = rows(lake_directory)
    assert found["iPUE category 3"]["value"] == pytest.approx(1.2)
    assert found["CUE market"]["value"] == pytest.approx(1.2 * 0.2)
    assert found["CUE location"]["reason"] == "carbon_kg_per_kwh of grid_location is not stated"


def test_the_eus_fields(lake_directory: Path) -> None:
    assert rows(lake_directory, "--eu")["E_DC"]["value"] == pytest.approx(1200)


def test_a_window_without_readings_is_one_clear_line(lake_directory: Path) -> None:
    result = CLI.invoke(app, ["kpi", "--lake", str(lake_directory), "--from", "2027-01-01"])
    assert isinstance(result.exception, QueryError)
    assert "2027-01-01" in str(result.exception)
