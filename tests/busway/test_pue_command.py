"""`busway pue` on a lake of an hour, and what every command answers to a bad question."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from busway.cli import app, run_command
from busway.commands import devices as device_commands
from busway.commands import lake as lake_commands
from facility.errors import QueryError
from facility.site import Site
from warehouse.dimensions import store_dimensions
from warehouse.lake import Lake
from warehouse.query import run_sql
from warehouse.sink import ENGINE

CLI = CliRunner()
KILOWATTS = {"utility": 1300, "ups_output": 1000, "it_input": 980, "cooling": 200}
HALLS = {"ups_output": "hall-1", "it_input": "hall-1"}
SITE = Site.model_validate(
    {
        "name": "a",
        "time_zone": "Asia/Seoul",
        "devices": [
            {
                "id": role,
                "profile": "p",
                "address": f"modbus://10.0.0.{n}",
                "role": "feeder_meter",
                "place": {"hall": HALLS.get(role, "plant")},
            }
            for n, role in enumerate(KILOWATTS, start=1)
        ],
        "meters": [{"id": role, "device": role, "role": role} for role in KILOWATTS],
        "feeds": [
            {"from": "utility", "to": "ups_output"},
            {"from": "ups_output", "to": "it_input"},
        ],
        "boundary": {
            "e_dc": ["utility"],
            "e_it": {1: ["ups_output"], 2: ["pdu_output"], 3: ["it_input"]},
        },
    }
)
READINGS = """
insert into readings
select
    timestamptz '2026-10-01 00:00:00+00' + to_seconds(second),
    $device, '', 'energy_imported_wh', 1e6 + $power_w * second / 3600, 0
from (select unnest(range($first, 3601 - $first, 10)) as second)
"""
POLLS = "insert into polls values ('2026-10-01 00:10:00+00', 'utility', 'read', 1, 1, 0.1, null)"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An hour, at whose ends the meters are read one after the other."""
    directory = tmp_path_factory.mktemp("pue") / "lake"
    with Lake.create_or_open(directory, settings=ENGINE) as opened:
        store_dimensions(opened, SITE, lambda *_: None)
        opened.connection.execute("update meters set energy_resolution_wh = 1")
        for first, (role, kilowatts) in enumerate(KILOWATTS.items()):
            asked = {"device": role, "power_w": kilowatts * 1e3, "first": first}
            run_sql(opened, READINGS, asked)
        run_sql(opened, POLLS)
    return directory


def ask(lake: Path, *arguments: str) -> Result:
    return CLI.invoke(app, [*arguments, "--lake", str(lake)])


def rows(lake: Path, *arguments: str) -> list[dict[str, object]]:
    result = ask(lake, *arguments, "--format", "json")
    assert result.exit_code == 0, result.exception
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_without_a_window_it_is_what_all_meters_cover(lake: Path) -> None:
    """Meters begin at 0 to 3 s and end at 3600 to 3593 s; the latest and the earliest count."""
    (row,) = rows(lake, "pue", "--category", "1")
    assert row["pue_ratio"] == pytest.approx(1.3, rel=1e-9)
    assert row["coverage_ratio"] == pytest.approx(1, abs=1e-12)
    assert row["period_start_at"] == "2026-10-01 00:00:03+00:00"
    assert row["period_end_at"] == "2026-10-01 00:59:51+00:00"


def test_by_hall(lake: Path) -> None:
    (row,) = rows(lake, "pue", "--by", "hall", "--category", "3")
    assert (row["hall"], row["ppue_ratio"]) == ("hall-1", pytest.approx(1000 / 980, rel=1e-9))
    (row,) = rows(lake, "pue", "--hall", "hall-1", "--category", "3", "--shared", "by IT energy")
    assert row["ppue_ratio"] == pytest.approx(1300 / 980, rel=1e-9)


def test_what_is_published_comes_again_and_has_a_history(lake: Path) -> None:
    window = ("--from", "2026-10-01T09:05:06", "--to", "2026-10-01T09:40:00")
    result = ask(lake, "pue", *window, "--publish", "--note", "trial", "--format", "json")
    assert result.exit_code == 0, result.exception
    *figures, told = result.output.splitlines()
    as_of = told.split("--as-of ")[1].split(" ")[0]
    with Lake.create_or_open(lake, settings=ENGINE) as opened:
        run_sql(
            opened,
            "insert into readings select ts + interval '4 seconds', device, component, quantity, "
            "value + 600, quality from readings "
            "where device = 'utility' and ts = '2026-10-01 00:05:00+00'",
        )
    again = ask(lake, "pue", *window, "--as-of", as_of, "--format", "json")
    assert again.exit_code == 0, again.exception
    assert [line for line in again.stdout.splitlines() if '"reason": null' in line] == figures
    local = f"timestamptz '{window[1]}+09:00', timestamptz '{window[3]}+09:00'"
    query = f"from pue({local}) where reason is null"
    by_sql = ask(lake, "sql", query, "--as-of", as_of, "--format", "json")
    assert sorted(by_sql.stdout.splitlines()) == sorted(figures)
    history = rows(lake, "pue", *window, "--history")
    assert [(row["category"], row["note"], row["is_restated"]) for row in history] == [
        (1, "trial", True),
        (3, "trial", True),
    ]
    assert "readings of utility" in str(history[0]["why"])


WINDOWS = ("pue", "permw", "kpi", "ladder", "balance", "ledger")


@pytest.mark.parametrize("command", WINDOWS)
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--from", "2026-10-02", "--to", "2026-10-01"), "the window is empty: --from 2026-10-02"),
        (("--from", "2027-01-01", "--to", "2027-01-02"), "2027-01-01 00:00:00+09:00"),
        (("--from", "2027-01-01"), "2027-01-01 00:00:00+09:00"),
        (("--to", "yesterday"), "--to 'yesterday' is no time; write 2026-10-01"),
    ],
)
def test_a_window_that_is_none_is_one_clear_line(
    lake: Path, command: str, options: tuple[str, ...], words: str
) -> None:
    refused(ask(lake, command, *options), words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("pue", "--category", "2"), "category 2: no meter has the role pdu_output"),
        (("pue", "--hall", "hall-9"), "no hall 'hall-9'; there are hall-1, plant"),
        (("pue", "--hall", "plant"), "no meter of IT energy stands in plant"),
        (("pue", "--grain", "fortnightly"), "--grain 'fortnightly' is none; write window, minute"),
        (("ladder", "--grain", "0 hours"), "--grain '0 hours' is none"),
        (("pue", "--publish", "--by", "hall"), "leave out --by"),
        (("pue", "--history", "--grain", "minute"), "nothing was published of"),
        (("pue", "--as-of", "2020-01-01"), "is not kept any more"),
        (("permw", "--by", "cage"), "there is no scope cage"),
        (("ledger", "--device", "hall-9/*"), "no polls of a device 'hall-9/*'"),
    ],
)
def test_a_question_about_what_is_not_there(
    lake: Path, arguments: tuple[str, ...], words: str
) -> None:
    refused(ask(lake, *arguments), words)


def test_a_category_that_the_boundary_has_not(tmp_path: Path) -> None:
    assert SITE.boundary is not None
    e_it = {1: SITE.boundary.e_it[1], 3: SITE.boundary.e_it[3]}
    boundary = SITE.boundary.model_copy(update={"e_it": e_it})
    with Lake.create_or_open(tmp_path / "lake", settings=ENGINE) as opened:
        store_dimensions(opened, SITE.model_copy(update={"boundary": boundary}), lambda *_: None)
    answer = ask(tmp_path / "lake", "pue", "--category", "2")
    refused(answer, "the boundary has no e_it of category 2; it has 1, 3")


def refused(result: Result, words: str) -> None:
    """One line, of the kind that ends with status 2 (`busway.cli.run_command`)."""
    assert isinstance(result.exception, QueryError), result.exception
    assert words in str(result.exception)
    assert "\n" not in str(result.exception)


@pytest.mark.parametrize("output_format", ["parquet", "arrow"])
def test_a_binary_answer_goes_to_a_file_and_to_no_terminal(
    lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output_format: str
) -> None:
    file = tmp_path / "answer"
    asked = ("pue", "--category", "1", "--format", output_format)
    result = ask(lake, *asked, "--output", str(file))
    assert (result.exit_code, result.stdout) == (0, "")
    read = (
        pyarrow.parquet.read_table(file)
        if output_format == "parquet"
        else pa.ipc.open_stream(file.read_bytes()).read_all()
    )
    assert read["category"].to_pylist() == [1]
    assert [path.name for path in tmp_path.iterdir()] == ["answer"]
    monkeypatch.setattr("busway.format.is_terminal", lambda: True)
    refused(ask(lake, *asked), f"--format {output_format} is binary and would garble the terminal")
    refused(ask(lake, *asked, "--output", str(tmp_path / "no" / "file")), "cannot be written")


@pytest.mark.parametrize(
    "command",
    [
        ("permw",),
        ("ladder",),
        ("balance", "--all"),
        ("ledger",),
        ("sql", "from quantities"),
    ],
)
def test_every_table_of_the_lake_can_be_parquet(
    lake: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    file = tmp_path / "answer.parquet"
    result = ask(lake, *command, "--format", "parquet", "--output", str(file))
    assert result.exit_code == 0, result.exception
    assert pyarrow.parquet.read_table(file).num_rows > 0


def test_every_command_with_a_format_takes_a_file() -> None:
    """Of the lake and of devices."""
    apps = (lake_commands.app, device_commands.app, device_commands.profile_app)
    options = {
        name: {option for parameter in command.params for option in parameter.opts}
        for group in apps
        for name, command in get_command(group).commands.items()  # type: ignore[attr-defined]
    }
    tabular = {name for name, has in options.items() if "--format" in has}
    assert {"kpi", "identify", "probe"} <= tabular
    assert {name for name in tabular if "--output" not in options[name]} == set()


def test_an_answer_that_failed_leaves_no_file_and_the_old_one(lake: Path, tmp_path: Path) -> None:
    file = tmp_path / "answer.csv"
    file.write_text("old")
    refused(ask(lake, "pue", "--hall", "hall-9", "--output", str(file)), "no hall")
    assert [path.read_text("utf-8") for path in tmp_path.iterdir()] == ["old"]


def test_a_bad_question_ends_with_status_2(
    lake: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["busway", "pue", "--lake", str(lake), "--hall", "hall-9"]
    monkeypatch.setattr(sys, "argv", asked)
    assert run_command() == 2
    assert capsys.readouterr().err.splitlines() == [
        "busway: no hall 'hall-9'; there are hall-1, plant"
    ]
