"""`busway report` of a month that was published before all of it had come, and of what GPUs did."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from report_page import Page
from typer.testing import CliRunner

from busway.cli import app
from facility.site import Site
from warehouse.dimensions import store_dimensions
from warehouse.lake import Lake
from warehouse.publication import publish_pue
from warehouse.query import run_sql
from warehouse.sink import ENGINE

pytestmark = pytest.mark.timeout(300)
KILOWATTS = {"grid": 1200.0, "racks": 1000.0}
GPUS = 4
ZONE = ZoneInfo("Asia/Seoul")
FROM, TO = datetime(2026, 2, 1, tzinfo=ZONE), datetime(2026, 3, 1, tzinfo=ZONE)
SITE = Site.model_validate(
    {
        "name": "seoul",
        "time_zone": "Asia/Seoul",
        "provisioned_mw": 2.0,
        "devices": [
            {"id": "grid", "profile": "p", "address": "modbus://10.0.0.1", "role": "utility_meter"},
            {"id": "racks", "profile": "p", "address": "modbus://10.0.0.2", "role": "feeder_meter"},
            {"id": "node", "profile": "p", "address": "http://10.0.0.3", "role": "gpu_node"},
        ],
        "feeds": [{"from": "grid", "to": "racks"}],
        "meters": [
            {"id": "grid", "device": "grid", "role": "utility", "accuracy_class": 0.5},
            {"id": "racks", "device": "racks", "role": "it_input", "accuracy_class": 0.5},
        ],
        "boundary": {"e_dc": ["utility"], "e_it": {3: ["it_input"]}, "minimum_coverage_ratio": 0.9},
        "factors": [{"name": "gpu_model", "subject": "gpu_node", "value": "GB200"}],
    }
)
METERS = """
insert into readings
select read_at, name, '', 'energy_imported_wh',
    1e6 + kilowatts * 1e3 * epoch(read_at - $from_at) / 3600, 0
from generate_series($from_at - interval 1 hour, $to_at + interval 1 hour, interval 30 minute)
    as times(read_at)
cross join (select unnest($names) as name, unnest($kilowatts) as kilowatts)
where (name = 'grid' and read_at >= $from_at + interval 27 day + interval 12 hour) = $late
"""
GPU_READINGS = """
insert into readings
select read_at, 'node', 'gpu.' || gpu, quantity, value, 0
from generate_series($from_at, $to_at, interval 30 minute) as times(read_at)
cross join generate_series(0, 3) as gpus(gpu)
cross join (
    select
        unnest(['active_power_w', 'sm_active_ratio', 'tensor_active_ratio']) as quantity,
        unnest([800.0, 0.5, 0.25]) as value
)
"""
"""Four GPUs of 800 W, whose pipes are busy half and a quarter of the time."""
ARRIVAL = """
insert into arrivals
select distinct time_bucket(interval 15 minute, ts), 'readings', now(), uuid()
from readings where device = 'grid' and ts >= $from_at + interval 27 day
"""


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A report of February: published without the utility's last half day, which came after."""
    directory = tmp_path_factory.mktemp("restated")
    window = {"from_at": FROM, "to_at": TO}
    given = {**window, "names": list(KILOWATTS), "kilowatts": list(KILOWATTS.values())}
    with Lake.create_or_open(directory / "lake", settings=ENGINE) as lake:
        store_dimensions(lake, SITE, lambda *_: None)
        lake.connection.execute("update meters set energy_resolution_wh = 1")
        lake.connection.execute("update devices set interval_s = 1800")
        run_sql(lake, METERS, {**given, "late": False})
        run_sql(lake, GPU_READINGS, window)
        publish_pue(lake, FROM, TO, "window", note="to the owner")
        run_sql(lake, METERS, {**given, "late": True})
        run_sql(lake, ARRIVAL, {"from_at": FROM})
        publish_pue(lake, FROM, TO, "window", note="once more")
    arguments = ["report", "--month", "2026-02", "--lake", str(directory / "lake")]
    result = CliRunner().invoke(app, [*arguments, "--output", str(directory / "february")])
    assert result.exit_code == 0, result.exception
    return directory / "february"


@pytest.fixture(scope="module")
def page(output: Path) -> Page:
    return Page((output / "report.html").read_text("utf-8"))


def test_the_page_shows_what_was_published_what_it_is_now_and_why(page: Page) -> None:
    first, again = page.rows("restatements")
    assert (first["Note"], first["Restated"]) == ("to the owner", "yes")
    assert float(first["PUE then"]) == pytest.approx(1.2 * 27.5 / 28, rel=1e-3)
    assert float(first["PUE now"]) == pytest.approx(1.2, rel=1e-9)
    assert first["Why"].startswith("late readings of grid (+")
    assert first["Category"] == "3"
    assert first["Period from"] == "2026-02-01 00:00"
    assert first["Published at"] <= first["Changed at"] <= again["Published at"]
    assert (again["Note"], again["Restated"], again["Why"]) == ("once more", "no", "-")
    assert again["PUE then"] == again["PUE now"] == first["PUE now"]
    assert "1 of 2 figures that were published have changed since." in "".join(page.text)


def test_the_csv_file_has_the_restatements_whole(output: Path, page: Page) -> None:
    with (output / "restatements.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    shown = page.rows("restatements")
    assert [float(row["pue_ratio"]) for row in rows] == [float(row["PUE now"]) for row in shown]
    assert [row["note"] for row in rows] == ["to the owner", "once more"]
    assert rows[0]["why"] == shown[0]["Why"]
    assert rows[0]["published_at"] < rows[0]["changed_at"]


def test_each_figure_per_megawatt_stands_under_its_denominator(page: Page) -> None:
    figures = {row["Figure"]: row for row in page.rows("per-mw")}
    gpus = figures["GPUs powered per MW"]
    assert float(gpus["Provisioned"]) == GPUS / 2.0
    assert float(gpus["IT, category 3"]) == pytest.approx(GPUS / 1.0, rel=1e-9)
    assert gpus["IT, category 1"] == "-"
    assert float(figures["Mean MW"]["IT, category 3"]) == pytest.approx(1.0, rel=1e-9)
    assert float(figures["Peak PFLOPS per MW"]["Provisioned"]) > 0


def test_what_the_gpus_energy_went_into(page: Page) -> None:
    values = {row["Figure"]: row["Value"] for row in page.rows("gpu-energy")}
    assert float(values["GPU energy while multiprocessors were active"]) == pytest.approx(0.5)
    assert float(values["GPU energy while tensor pipes were active"]) == pytest.approx(0.25)
    assert float(values["GPU energy while idle"]) == 0
    assert float(values["GPUs powered"]) == GPUS


def test_a_figure_that_is_not_known_has_its_reason(page: Page) -> None:
    figures = {row["Figure"]: row for row in page.rows("per-mw")}
    assert figures["Output tokens per kWh"]["Utility"] == "-"
    text = " ".join("".join(page.text).split())
    assert (
        "No figure, because: IT, category 1: the boundary has no e_it of category 1; IT, category "
        "2: the boundary has no e_it of category 2; tokens: no inference server stands here; power "
        "limit: no GPU told whether it held it down; ramp: no meter's power was read twice."
    ) in text


def test_the_csv_file_has_every_column_of_per_mw(output: Path) -> None:
    with (output / "per_mw.csv").open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert float(row["tensor_active_kwh_share"]) == pytest.approx(0.25)
    assert float(row["stranded_mw"]) == pytest.approx(2.0 - 1.2, rel=1e-6)
