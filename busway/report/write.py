"""`busway report`: asks the lake once, and writes the page and its CSV files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from busway.output import without_lists
from busway.report.account import Account
from busway.report.month import Month
from busway.report.page import write_page
from busway.report.questions import ask_all, refuse_empty, time_zone
from busway.site import lake_location
from facility.errors import QueryError
from warehouse.lake import Lake

PAGE = "report.html"


def write_report(place: Path, month_text: str, directory: Path | None) -> Path:
    """Write a month's report into `directory`, by default `report-<month>`; gives the page's path.

    Raises:
        QueryError: that is no month, the lake holds nothing of it, or the directory cannot be
            written.
        LakeUnavailable: there is no lake, or it cannot be read.
    """
    month = Month.parse(month_text)
    target = directory or Path(f"report-{month}")
    with Lake.open_read_only(lake_location(place)) as lake:
        zone = time_zone(lake)
        from_at, to_at = month.window(zone)
        refuse_empty(lake, from_at, to_at)
        with _writable(target):
            target.mkdir(parents=True, exist_ok=True)
        answers = ask_all(lake, from_at, to_at)
    rows = {name: table.to_pylist() for name, table in answers.items()}
    page = write_page(Account(str(month), zone, from_at, to_at, rows))
    with _writable(target):
        _write_files(target, answers, page)
    return target / PAGE


def _write_files(target: Path, answers: dict[str, pa.Table], page: str) -> None:
    """The page last: where there is a page, its files are whole."""
    (target / PAGE).unlink(missing_ok=True)
    for name, table in answers.items():
        pyarrow.csv.write_csv(without_lists(table), target / f"{name}.csv")
    (target / PAGE).write_text(page, "utf-8")


@contextmanager
def _writable(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise QueryError(
            f"the report cannot be written into {target}: {error.strerror}; give another --output"
        ) from error
