"""`busway pue` and its like: thin over the lake's macros."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from busway.output import Format, write_table
from facility.errors import QueryError
from warehouse.lake import Lake
from warehouse.query import run_sql

SPAN = "select min(ts) as from_at, max(ts) as to_at from readings"
TIME_ZONE = "select any_value(time_zone) as time_zone from current_site"
PUE = "from pue($from_at, $to_at, grain := $grain) order by category, period_start_at"


def print_pue(
    directory: Path, from_text: str, to_text: str, grain: str, output_format: Format
) -> None:
    """Print PUE by category and period.

    Raises:
        QueryError: a time cannot be read, or the window is empty or ends before it begins.
        LakeUnavailable: there is no lake, or it cannot be read.
    """
    with Lake.open_read_only(directory) as lake:
        from_at, to_at = window(lake, from_text, to_text)
        answer = run_sql(lake, PUE, {"from_at": from_at, "to_at": to_at, "grain": grain})
        write_table(answer, output_format)


def window(lake: Lake, from_text: str, to_text: str) -> tuple[datetime, datetime]:
    """The window asked for; where an end is left out, the end of what the lake holds.

    A time without an offset is the site's local time.

    Raises:
        QueryError: a time cannot be read, there are no readings, or the window is not one.
    """
    span = run_sql(lake, SPAN).to_pylist()[0]
    if span["from_at"] is None:
        raise QueryError(f"lake {lake.directory} holds no readings yet")
    zone = ZoneInfo(run_sql(lake, TIME_ZONE)["time_zone"][0].as_py() or "UTC")
    from_at = _moment(from_text, "--from", zone) if from_text else span["from_at"]
    to_at = _moment(to_text, "--to", zone) if to_text else span["to_at"]
    if from_at >= to_at:
        raise QueryError(f"the window is empty: --from {from_at} is not before --to {to_at}")
    if from_at > span["to_at"] or to_at < span["from_at"]:
        raise QueryError(
            f"no readings from {from_at} to {to_at}; the lake holds "
            f"{span['from_at']} to {span['to_at']}"
        )
    return from_at, to_at


def _moment(text: str, option: str, zone: ZoneInfo) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise QueryError(
            f"{option} {text!r} is no time; write 2026-10-01 or 2026-10-01T08:00+09:00"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
