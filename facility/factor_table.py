"""A CSV of factors by time: hourly grid carbon, fuel bills, contracts that change in June."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from facility.csv_rows import Cells, CsvRow, read_rows
from facility.factors import BY_SUBJECT, FACTORS, Factors
from facility.mistakes import Mistake, did_you_mean
from facility.site import Factor
from facility.validation import explain

COLUMNS = ("factor", "subject", "from", "to", "value")
REQUIRED = ("factor", "from", "value")


class FactorRow(NamedTuple):
    """One factor, and the row that states it."""

    factor: Factor
    origin: CsvRow


def parse_factor_table(text: str, name: str, zone: ZoneInfo) -> Iterator[FactorRow | Mistake]:
    """Give each row's factor, or what is wrong with it; a time without an offset is in `zone`."""
    for cells in read_rows(text, name, COLUMNS, REQUIRED):
        if isinstance(cells, Mistake):
            yield cells
            continue
        mistake = _names_mistake(cells) or _times_mistake(cells, zone)
        yield mistake or _row(cells, zone)


def with_ends(rows: Iterable[FactorRow]) -> Iterator[FactorRow | Mistake]:
    """Let each row without an end hold until the next begins, and refuse two for one time."""
    by_subject: dict[tuple[str, str], list[FactorRow]] = {}
    for row in rows:
        by_subject.setdefault((row.factor.name, row.factor.subject), []).append(row)
    for of_one in by_subject.values():
        of_one.sort(key=_begin)
        for row, later in pairwise(of_one):
            end = row.factor.applies_to or _begin(later)
            if _begin(later) < end or _begin(later) == _begin(row):
                text = f"begins while {row.origin.place()} still holds; end that, or remove one"
                yield later.origin.mistake(text, "from")
            yield row._replace(factor=row.factor.model_copy(update={"applies_to": end}))
        yield of_one[-1]


def _names_mistake(cells: Cells) -> Mistake | None:
    origin, given = cells
    for column in REQUIRED:
        if column not in given:
            return origin.mistake("is missing; add it", column)
    name = given["factor"]
    if name not in FACTORS:
        return origin.mistake(f"unknown factor; {did_you_mean(name, FACTORS)}", "factor")
    if name in BY_SUBJECT and "subject" not in given:
        return origin.mistake("is missing; add it", "subject")
    if name not in BY_SUBJECT and "subject" in given:
        return origin.mistake(f"{name} is the whole site's; leave it empty", "subject")
    return None


def _times_mistake(cells: Cells, zone: ZoneInfo) -> Mistake | None:
    origin, given = cells
    for column in ("from", "to"):
        try:
            _moment(given.get(column, "2026-10-01"), zone)
        except ValueError:
            text = f"expected a time such as 2026-10-01T14:00+09:00, found {given[column]!r}"
            return origin.mistake(text, column)
    if "to" not in given and given["factor"] == "fuel_used":
        return origin.mistake("is missing; an amount needs the time in which it was used", "to")
    if "to" in given and _moment(given["to"], zone) <= _moment(given["from"], zone):
        return origin.mistake(f"{given['to']} is not after {given['from']}", "to")
    return None


def _row(cells: Cells, zone: ZoneInfo) -> FactorRow | Mistake:
    origin, given = cells
    name, subject, value = given["factor"], given.get("subject", ""), _number(given["value"])
    written: dict[str, Any] = {name: {subject: value} if subject else value}
    try:
        stated = getattr(Factors.model_validate(written), name)
    except ValidationError as error:
        is_subject = error.errors()[0]["loc"][-1] == "[key]"
        _, text = next(explain(error, written))
        return origin.mistake(text, "subject" if is_subject else "value")
    factor = Factor(
        name=name,
        subject=subject,
        value=stated[subject] if isinstance(stated, Mapping) else stated,
        applies_from=_moment(given["from"], zone),
        applies_to=_moment(given["to"], zone) if "to" in given else None,
    )
    return FactorRow(factor, origin)


def _number(cell: str) -> float | str:
    if cell.isdecimal():
        return int(cell)
    try:
        return float(cell)
    except ValueError:
        return cell  # the factor's model says whether it may be a word


def _moment(text: str, zone: ZoneInfo) -> datetime:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _begin(row: FactorRow) -> datetime:
    assert row.factor.applies_from is not None
    return row.factor.applies_from
