"""`busway ledger` and `busway permw` against a lake with polls, and with nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from busway.cli import app
from facility.errors import QueryError
from warehouse.lake import Lake
from warehouse.query import run_sql
from warehouse.sink import ENGINE

CLI = CliRunner()
POLLS = """
insert into polls values
    ('2026-10-01 08:10:00+00', 'hall-1/pdu-a', 'read', 10, 10, 0.1, null),
    ('2026-10-01 08:20:00+00', 'hall-1/pdu-a', 'failed', 10, 0, null, 'timeout: silent'),
    ('2026-10-01 09:10:00+00', 'hall-1/pdu-a', 'dropped', 10, 0, null, null),
    ('2026-10-01 08:10:00+00', 'hall-2/pdu-a', 'partial', 10, 7, 0.3, 'three are missing')
"""


@pytest.fixture(scope="module")
def lake_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("polled") / "lake"
    with Lake.create_or_open(directory, settings=ENGINE) as lake:
        run_sql(lake, POLLS)
    return directory


def ask(lake: Path, *arguments: str) -> Result:
    return CLI.invoke(app, [*arguments, "--lake", str(lake), "--format", "json"])


def rows(lake: Path, *arguments: str) -> list[dict[str, object]]:
    result = ask(lake, *arguments)
    assert result.exit_code == 0, result.exception
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_every_poll_is_in_one_row_of_the_ledger(lake_directory: Path) -> None:
    found = [
        (row["device"], row["stored"], row["partial"], row["failed"], row["dropped"])
        for row in rows(lake_directory, "ledger")
    ]
    assert found == [
        ("hall-1/pdu-a", 1, 0, 1, 0),
        ("hall-1/pdu-a", 0, 0, 0, 1),
        ("hall-2/pdu-a", 1, 1, 0, 0),
    ]


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (("--device", "hall-2/pdu-a"), 1),
        (("--device", "hall-1/*"), 2),
        (("--from", "2026-10-01T08:30+00:00"), 3),
        (("--from", "2026-10-01T09:00+00:00"), 1),
        (("--to", "2026-10-01T09:00+00:00"), 2),
        (("--from", "2026-10-01T17:00+09:00", "--to", "2026-10-01T18:00+09:00"), 2),
    ],
)
def test_the_ledger_is_cut_by_device_and_by_hours(
    lake_directory: Path, arguments: tuple[str, ...], count: int
) -> None:
    assert len(rows(lake_directory, "ledger", *arguments)) == count


def test_a_device_without_polls_is_an_error_not_an_empty_answer(lake_directory: Path) -> None:
    result = ask(lake_directory, "ledger", "--device", "hall-3/pdu-a")
    assert isinstance(result.exception, QueryError)
    assert "hall-3/pdu-a" in str(result.exception)


def test_per_mw_says_that_there_are_no_readings_yet(lake_directory: Path) -> None:
    result = ask(lake_directory, "permw")
    assert isinstance(result.exception, QueryError)
    assert "holds no readings yet" in str(result.exception)


def test_per_mw_gives_a_row_a_period(tmp_path: Path) -> None:
    with Lake.create_or_open(tmp_path / "lake", settings=ENGINE) as lake:
        run_sql(
            lake,
            "insert into readings values"
            " ('2026-10-01 08:00:00+00', 'gpu-1', 'gpu.a', 'active_power_w', 500, 0),"
            " ('2026-10-01 10:00:00+00', 'gpu-1', 'gpu.a', 'active_power_w', 500, 0)",
        )
    found = rows(tmp_path / "lake", "permw", "--grain", "1 hour")
    assert [row["period_start_at"] for row in found] == [
        "2026-10-01 08:00:00+00:00",
        "2026-10-01 09:00:00+00:00",
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--by", "rack"), "no device of the site stands in a rack"),
        (("--by", "job"), "no reading tells which job ran where"),
        (("--by", "pod"), "there is no scope pod; ask for site, hall, row or rack"),
    ],
)
def test_per_mw_of_places_that_there_are_not_is_one_clear_line(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    with Lake.create_or_open(tmp_path / "lake", settings=ENGINE) as lake:
        run_sql(
            lake,
            "insert into readings values"
            " ('2026-10-01 08:00:00+00', 'gpu-1', 'gpu.a', 'active_power_w', 500, 0),"
            " ('2026-10-01 10:00:00+00', 'gpu-1', 'gpu.a', 'active_power_w', 500, 0)",
        )
    result = ask(tmp_path / "lake", "permw", *arguments)
    assert isinstance(result.exception, QueryError)
    assert words in str(result.exception)
