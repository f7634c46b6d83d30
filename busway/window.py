"""The window that a question is about, from the options --from, --to and --grain."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from facility.errors import QueryError
from warehouse.lake import Lake
from warehouse.query import run_sql

SPAN = "from data_span"
HAS_DATA = "from has_data($from_at, $to_at)"
IS_GRAIN = (
    "select $grain in ('window', 'minute', 'hour', 'day', 'week', 'month', 'year') "
    "or coalesce(try_cast($grain as interval) > interval '0 seconds', false)"
)
TIME_ZONE = "select any_value(time_zone) as time_zone from current_site"


def window(lake: Lake, from_text: str, to_text: str) -> tuple[datetime, datetime]:
    """The window asked for; where an end is left out, that of what all living meters cover.

    A time without an offset is the site's local time.

    Raises:
        QueryError: a time cannot be read, the window is not one, or nothing was read in it.
    """
    zone = time_zone(lake)
    from_at = moment(from_text, "--from", zone) if from_text else None
    to_at = moment(to_text, "--to", zone) if to_text else None
    if from_at and to_at and from_at >= to_at:
        raise QueryError(f"the window is empty: --from {from_at} is not before --to {to_at}")
    if from_at and to_at and _has_data(lake, from_at, to_at):
        return from_at, to_at
    (span,) = run_sql(lake, SPAN).to_pylist()
    if span["first_at"] is None:
        raise QueryError(f"lake {lake.location} holds no readings yet")
    start_at, end_at = from_at or span["covered_from_at"], to_at or span["covered_to_at"]
    if start_at >= end_at or not _has_data(lake, start_at, end_at):
        asked = [f"from {from_at}"] if from_at else []
        asked += [f"to {to_at}"] if to_at else []
        raise QueryError(
            f"no readings {' '.join(asked)}; the lake holds {span['first_at']} to {span['last_at']}"
        )
    return start_at, end_at


def _has_data(lake: Lake, from_at: datetime, to_at: datetime) -> bool:
    found = run_sql(lake, HAS_DATA, {"from_at": from_at, "to_at": to_at})
    return bool(found["has_data"][0].as_py())


def check_grain(lake: Lake, grain: str) -> None:
    """See that a grain is one.

    Raises:
        QueryError: it is none.
    """
    if not run_sql(lake, IS_GRAIN, {"grain": grain}).column(0)[0].as_py():
        raise QueryError(
            f"--grain {grain!r} is none; write window, minute, hour, day, week, month, year, or a "
            "length such as '15 minutes'"
        )


def time_zone(lake: Lake) -> ZoneInfo:
    """The site's; UTC where there is no site yet."""
    return ZoneInfo(run_sql(lake, TIME_ZONE)["time_zone"][0].as_py() or "UTC")


def moment(text: str, option: str, zone: ZoneInfo) -> datetime:
    """Read a time; one without an offset is of the zone.

    Raises:
        QueryError: it is no time.
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise QueryError(
            f"{option} {text!r} is no time; write 2026-10-01 or 2026-10-01T08:00+09:00"
        ) from None
    return read if read.tzinfo else read.replace(tzinfo=zone)
