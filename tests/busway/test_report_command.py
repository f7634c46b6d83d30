"""`busway report`: what stands on the page is what SQL answers, and a bad question is told so."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from report_page import Page
from typer.testing import CliRunner, Result

from busway.cli import app
from facility.errors import QueryError
from facility.site import Device, Factor, Feed, Meter, Site
from warehouse.dimensions import store_dimensions
from warehouse.lake import Lake
from warehouse.query import run_sql
from warehouse.sink import ENGINE

CLI = CliRunner()
pytestmark = pytest.mark.timeout(300)  # planning kpi() alone takes half a minute
KILOWATTS = {"grid": 1200, "ups": 1100, "racks-1": 500, "racks-2": 560}
ROLES = {"grid": "utility", "ups": "ups_output", "racks-1": "it_input", "racks-2": "it_input"}
SITE = Site(
    name="seoul & sons",
    time_zone="Asia/Seoul",
    devices=tuple(
        Device(id=name, profile="p", address=f"modbus://10.0.0.{place}", role="feeder_meter")
        for place, name in enumerate(KILOWATTS, start=1)
    ),
    feeds=tuple(
        Feed(source=source, target=target)
        for source, target in (("grid", "ups"), ("ups", "racks-1"), ("ups", "racks-2"))
    ),
    meters=tuple(
        Meter(id=name, device=name, role=role, accuracy_class=0.5) for name, role in ROLES.items()
    ),
    boundary={"e_dc": ["utility"], "e_it": {1: ["ups_output"], 3: ["it_input"]}},
    factors=[Factor(name="demand_limit_kw", value=1500.0)],
)
FROM, TO = "timestamptz '2026-01-31 15:00:00+00'", "timestamptz '2026-02-28 15:00:00+00'"
"""February in Seoul."""
READINGS = f"""
insert into readings
select
    read_at,
    name,
    '',
    'energy_imported_wh',
    1e6 + kilowatts * 1e3 * epoch(read_at - {FROM}) / 3600,
    0
from generate_series({FROM} - interval 1 hour, {TO} + interval 1 hour, interval 30 minute)
    as times(read_at)
cross join (select unnest($names) as name, unnest($kilowatts) as kilowatts)
where
    name <> 'racks-2'
    or read_at not between {FROM} + interval 3 day and {FROM} + interval 6 day
"""
POLLS = f"""
insert into polls
select
    read_at,
    name,
    case when name = 'ups' and hour(read_at) = 3 then 'failed' else 'read' end,
    4,
    case when name = 'ups' and hour(read_at) = 3 then 0 else 4 end,
    0.1,
    case when name = 'ups' and hour(read_at) = 3 then 'timeout: <silent>' end
from generate_series({FROM}, {TO} - interval 30 minute, interval 30 minute) as t(read_at)
cross join (select unnest($names) as name)
"""


@pytest.fixture(scope="module")
def lake_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("reported") / "lake"
    with Lake.create_or_open(directory, settings=ENGINE) as lake:
        store_dimensions(lake, SITE, lambda *_: None)
        lake.connection.execute("update meters set energy_resolution_wh = 1")
        lake.connection.execute("update devices set interval_s = 1800")
        given = {"names": list(KILOWATTS), "kilowatts": list(KILOWATTS.values())}
        run_sql(lake, READINGS, given)
        run_sql(lake, POLLS, {"names": list(KILOWATTS)})
    return directory


@pytest.fixture(scope="module")
def output(lake_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("report") / "february"
    result = report(lake_directory, "2026-02", directory)
    assert result.exit_code == 0, result.exception
    assert result.stdout == f"wrote {directory / 'report.html'}\n"
    return directory


@pytest.fixture(scope="module")
def page(output: Path) -> Page:
    return Page((output / "report.html").read_text("utf-8"))


def report(lake: Path, month: str, directory: Path) -> Result:
    arguments = ["report", "--month", month, "--lake", str(lake), "--output", str(directory)]
    return CLI.invoke(app, arguments)


def ask(lake: Path, macro: str, more: str = "") -> list[dict]:
    with Lake.open_read_only(lake, settings=ENGINE) as opened:
        return run_sql(opened, f"from {macro}({FROM}, {TO}{more})").to_pylist()


def known(value: float | None) -> str:
    return "-" if value is None else repr(value)


def test_the_months_pue_is_what_sql_answers(page: Page, lake_directory: Path) -> None:
    asked = sorted(ask(lake_directory, "pue"), key=lambda row: row["category"])
    shown = page.rows("pue-month")
    columns = {
        "E_DC kWh": "e_dc_kwh",
        "E_IT kWh": "e_it_kwh",
        "PUE": "pue_ratio",
        "± accuracy": "accuracy_band_ratio",
        "± resolution": "resolution_band_ratio",
        "Coverage": "coverage_ratio",
    }
    for heading, column in columns.items():
        assert [row[heading] for row in shown] == [known(row[column]) for row in asked], heading
    assert float(shown[0]["PUE"]) == pytest.approx(1200 / 1100)
    assert "coverage" in shown[2]["No figure, because"]


def test_each_days_pue_is_what_sql_answers(page: Page, lake_directory: Path) -> None:
    asked = [row for row in ask(lake_directory, "pue", ", 'day'") if row["category"] == 3]
    asked.sort(key=lambda row: row["period_start_at"])
    shown = page.rows("pue-days")
    assert [row["Day"] for row in shown] == [f"2026-02-{day:02}" for day in range(1, 29)]
    assert [row["PUE 3"] for row in shown] == [known(row["pue_ratio"]) for row in asked]
    assert "-" in [row["PUE 3"] for row in shown]
    assert float(shown[0]["PUE 3"]) == pytest.approx(1200 / 1060)


def test_ladder_demand_and_balance_are_what_sql_answers(page: Page, lake_directory: Path) -> None:
    ladder = sorted(ask(lake_directory, "ladder"), key=lambda row: row["stage_order"])
    assert [row["Energy kWh"] for row in page.rows("ladder")] == [
        known(row["energy_kwh"]) for row in ladder
    ]
    (demand,) = ask(lake_directory, "demand")
    kpis = {row["KPI"]: row for row in page.rows("kpis")}
    assert kpis["demand peak"]["Value"] == known(demand["peak_kw"])
    assert kpis["CUE location"]["Value"] == "-"
    assert "is not stated" in kpis["CUE location"]["No figure, because"]
    open_sections = [row for row in ask(lake_directory, "balance") if row["verdict"] != "closes"]
    assert open_sections
    assert {row["Section"]: row["Verdict"] for row in page.rows("balance")} == {
        row["node"]: row["verdict"] for row in open_sections
    }


def test_the_ledger_adds_up_on_the_page(page: Page, lake_directory: Path) -> None:
    (totals,) = ask(lake_directory, "poll_summary")
    assert totals["failed"] == 28 * 2
    sentence = " ".join("".join(page.text).split())
    assert (
        f"scheduled {totals['scheduled']} = stored {totals['stored']} + failed 56 + dropped 0: "
        "balances"
    ) in sentence
    (row,) = page.rows("ledger")
    assert (row["Device"], row["Failed"], row["Last error"]) == ("ups", "56", "timeout: <silent>")


def test_what_was_missing_is_named(page: Page) -> None:
    (row,) = page.rows("meters")
    assert (row["Meter"], row["Flags"]) == ("racks-2", "gap")
    assert float(row["Coverage"]) == pytest.approx(25 / 28, abs=0.005)


def test_boundary_factors_and_versions_stand_on_the_page(page: Page, lake_directory: Path) -> None:
    assert [(row["Total"], row["Meters of these roles"]) for row in page.rows("boundary")] == [
        ("E_DC", "+ utility"),
        ("E_IT, category 1", "+ ups_output"),
        ("E_IT, category 3", "+ it_input"),
    ]
    (factor,) = page.rows("factors")
    assert (factor["Factor"], factor["Highest"]) == ("demand_limit_kw", "1500.0")
    with Lake.open_read_only(lake_directory, settings=ENGINE) as lake:
        snapshot = run_sql(lake, "select max(snapshot_id) as id from ducklake_snapshots('lake')")
    assert page.tables["versions"][0][1].startswith(f"{snapshot['id'][0].as_py()}, of ")


def test_a_month_of_which_nothing_was_published_says_so(page: Page) -> None:
    assert "No figure of this month was published before." in page.text


def test_the_page_needs_nothing_from_elsewhere(page: Page, output: Path) -> None:
    assert page.links == []
    assert {"script", "link", "img", "iframe", "object"} & set(page.tags) == set()
    text = (output / "report.html").read_text("utf-8")
    assert "url(" not in text
    assert "http" not in text
    assert "<h1>seoul &amp; sons: energy account of 2026-02</h1>" in text


def test_the_charts_have_every_day(page: Page) -> None:
    assert page.tags.count("svg") == 4
    assert page.tags.count("circle") == 28 + page_days_with_category_3(page)


def page_days_with_category_3(page: Page) -> int:
    return sum(row["PUE 3"] != "-" for row in page.rows("pue-days"))


def test_the_csv_files_have_all_that_is_on_the_page(output: Path, page: Page) -> None:
    with (output / "pue_days.csv").open(encoding="utf-8") as file:
        days = [row for row in csv.DictReader(file) if row["category"] == "1"]
    assert [float(row["pue_ratio"]) for row in days] == [
        float(row["PUE 1"]) for row in page.rows("pue-days")
    ]
    names = {file.stem for file in output.glob("*.csv")}
    assert {"pue_month", "ladder", "balance", "kpis", "ledger", "meters", "factors"} <= names


def test_a_month_without_readings_is_one_clear_line(lake_directory: Path, tmp_path: Path) -> None:
    result = report(lake_directory, "2026-06", tmp_path / "june")
    assert isinstance(result.exception, QueryError)
    assert str(result.exception).startswith("no readings from 2026-06-01 00:00:00+09:00 to ")
    assert not (tmp_path / "june").exists()


@pytest.mark.parametrize("month", ["2026-13", "october", "2026-1", ""])
def test_what_is_no_month_is_told_so(lake_directory: Path, tmp_path: Path, month: str) -> None:
    result = report(lake_directory, month, tmp_path)
    assert isinstance(result.exception, QueryError)
    assert str(result.exception) == f"--month {month!r} is no month; write 2026-10"


def test_a_lake_without_readings_is_told_so(tmp_path: Path) -> None:
    Lake.create_or_open(tmp_path / "lake", settings=ENGINE).close()
    result = report(tmp_path / "lake", "2026-02", tmp_path / "out")
    assert isinstance(result.exception, QueryError)
    assert "holds no readings yet" in str(result.exception)


def test_a_directory_that_cannot_be_written_is_named(lake_directory: Path, tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    result = report(lake_directory, "2026-02", in_the_way)
    assert isinstance(result.exception, QueryError)
    assert f"cannot be written into {in_the_way}: {os.strerror(17)}" in str(result.exception)
