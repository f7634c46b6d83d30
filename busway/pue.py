"""`busway pue`: PUE of the site or its halls, published, as of a time, and its history."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import pyarrow as pa

from busway.format import Format
from busway.output import write_table
from busway.site import lake_location
from busway.window import check_grain, moment, window
from facility.errors import QueryError
from warehouse.connection import WHOLE_MACHINE
from warehouse.lake import Lake
from warehouse.publication import EXACT, publish_pue
from warehouse.query import run_sql

PUE = "from pue($from_at, $to_at, $grain, $category) order by category, period_start_at"
PPUE = (
    "from ppue($from_at, $to_at, $grain, $category, $shared) where hall like $hall "
    "order by hall, category, period_start_at"
)
HISTORY = (
    "from pue_history($from_at, $to_at, $grain) order by period_start_at, category, published_at"
)
CATEGORIES = "select distinct category from current_boundary where total = 'e_it' order by category"
HALLS = "select distinct hall from current_devices where hall <> '' order by hall"
NO_METER = "no meter has the role"
By = Literal["site", "hall"]
Shared = Literal["left out", "by IT energy"]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: which window, cut how, of which category and whom."""

    from_text: str = ""
    to_text: str = ""
    grain: str = "window"
    category: int | None = None
    by: By = "site"
    hall: str = ""
    shared: Shared = "left out"


def print_pue(
    directory: Path, question: Question, output_format: Format, *, as_of: str = ""
) -> None:
    """Print the PUE that is asked for, of the lake as it is or as it was at a time.

    Raises:
        QueryError: the window, grain, category or hall is none, or that time is not kept.
        LakeUnavailable: there is no lake, or it cannot be read.
    """
    then = _as_of(as_of)
    settings = EXACT if then else WHOLE_MACHINE
    location = lake_location(directory)
    with Lake.open_read_only(location, settings=settings, as_of=then) as lake:
        from_at, to_at = _checked(lake, question)
        parameters = {
            "from_at": from_at,
            "to_at": to_at,
            "grain": question.grain,
            "category": "all" if question.category is None else str(question.category),
        }
        if question.by == "hall" or question.hall:
            parameters |= {"shared": question.shared, "hall": question.hall or "%"}
            figures = run_sql(lake, PPUE, parameters)
        else:
            figures = run_sql(lake, PUE, parameters)
    _refuse_empty(figures, question)
    write_table(figures, output_format)


def print_published(
    directory: Path, question: Question, output_format: Format, *, note: str, as_of: str = ""
) -> None:
    """Publish the PUE of the site, print it, and say on standard error how to get it again.

    Raises:
        QueryError: the window or grain is none, only a part was asked for, or there is no PUE.
        LakeUnavailable: there is no lake, or it cannot be written.
    """
    if question.by == "hall" or question.hall or question.category is not None or as_of:
        raise QueryError(
            "--publish keeps every category of the whole site as it is now; leave out --by, "
            "--hall, --category and --as-of"
        )
    location = lake_location(directory)
    Lake.open_read_only(location).close()  # to publish makes no lake where there is none
    with Lake.create_or_open(location, settings=EXACT) as lake:
        from_at, to_at = _checked(lake, question)
        published = publish_pue(lake, from_at, to_at, question.grain, note=note)
    write_table(published.figures, output_format)
    print(
        f"published as {published.number}; --from {from_at.isoformat()} --to {to_at.isoformat()} "
        f"--as-of {published.as_of_at.isoformat()} gives the same digits",
        file=sys.stderr,
    )


def print_history(
    directory: Path, question: Question, output_format: Format, *, as_of: str = ""
) -> None:
    """Print what was published of the periods beside what it is now, and why it differs.

    Raises:
        QueryError: the window or grain is none, or nothing was published of these periods.
        LakeUnavailable: there is no lake, or it cannot be read.
    """
    with Lake.open_read_only(lake_location(directory), as_of=_as_of(as_of)) as lake:
        from_at, to_at = _checked(lake, question)
        parameters = {"from_at": from_at, "to_at": to_at, "grain": question.grain}
        rows = run_sql(lake, HISTORY, parameters)
    if not rows.num_rows:
        raise QueryError(
            f"nothing was published of {from_at} to {to_at} by {question.grain}; the view "
            "pue_publications lists what was"
        )
    write_table(rows, output_format)


def _as_of(text: str) -> datetime | None:
    return moment(text, "--as-of", ZoneInfo("UTC")) if text else None


def _checked(lake: Lake, question: Question) -> tuple[datetime, datetime]:
    """Give the window, and see that there is what else is asked for."""
    check_grain(lake, question.grain)
    if question.category is not None:
        known = run_sql(lake, CATEGORIES)["category"].to_pylist()
        if question.category not in known:
            has = "it has " + _listed(known) if known else "it has none"
            raise QueryError(f"the boundary has no e_it of category {question.category}; {has}")
    if question.hall:
        halls = run_sql(lake, HALLS)["hall"].to_pylist()
        if question.hall not in halls:
            there = "there are " + _listed(halls) if halls else "no device states its hall"
            raise QueryError(f"no hall {question.hall!r}; {there}")
    return window(lake, question.from_text, question.to_text)


def _listed(names: list[object]) -> str:
    return ", ".join(map(str, names))


def _refuse_empty(figures: pa.Table, question: Question) -> None:
    if not figures.num_rows:
        where = question.hall or "any hall"
        raise QueryError(f"no meter of IT energy stands in {where}")
    reasons = figures["reason"].to_pylist()
    if question.category is not None and all(NO_METER in (reason or "") for reason in reasons):
        raise QueryError(f"category {question.category}: {reasons[0]}")
