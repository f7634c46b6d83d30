"""`busway permw`, `ladder`, `balance` and `ledger`: thin over the lake's macros."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa

from busway.format import Format
from busway.output import write_table
from busway.site import lake_location
from busway.window import check_grain, moment, time_zone, window
from facility.errors import QueryError
from warehouse.lake import Lake
from warehouse.query import run_sql

PER_MW = (
    "from per_mw($from_at, $to_at, grain := $grain, scope := $scope, ttft_slo_s := $ttft_slo_s, "
    "tpot_slo_s := $tpot_slo_s, peak_arithmetic := $peak_arithmetic) "
    "order by place, period_start_at"
)
LADDER = "from ladder($from_at, $to_at, grain := $grain) order by period_start_at, stage_order"
BALANCE = (
    "select * exclude (upstream_meters, downstream_meters, period_start_at, period_end_at) "
    "from balance($from_at, $to_at) order by verdict = 'closes', in_wh desc, node"
)
LEDGER = (
    "from ledger where device glob $device and hour_start_at between $from_at and $to_at "
    "order by device, hour_start_at"
)


def print_periods(
    directory: Path,
    query: str,
    *,
    from_text: str,
    to_text: str,
    grain: str,
    output_format: Format,
    asked: Mapping[str, str | float] = MappingProxyType({}),
) -> None:
    """Print what a macro of periods, PER_MW or LADDER, answers for a window.

    `asked` are the macro's other parameters.

    Raises:
        QueryError: a time cannot be read, the window is empty or ends before it begins, or there
            is no place of the scope asked for.
        LakeUnavailable: there is no lake, or it cannot be read.
    """
    with Lake.open_read_only(lake_location(directory)) as lake:
        check_grain(lake, grain)
        from_at, to_at = window(lake, from_text, to_text)
        parameters = {"from_at": from_at, "to_at": to_at, "grain": grain, **asked}
        periods = run_sql(lake, query, parameters)
    if not periods.num_rows:
        raise QueryError(f"no device of the site stands in a {asked.get('scope')}")
    write_table(periods, output_format)


def print_balance(
    directory: Path,
    from_text: str,
    to_text: str,
    *,
    with_closing: bool,
    output_format: Format,
) -> None:
    """Print the sections of the power tree that do not balance, or all `with_closing`.

    Raises:
        QueryError: a time cannot be read, or no part of the power path has meters above and below.
        LakeUnavailable: there is no lake, or it cannot be read.
    """
    with Lake.open_read_only(lake_location(directory)) as lake:
        from_at, to_at = window(lake, from_text, to_text)
        sections = run_sql(lake, BALANCE, {"from_at": from_at, "to_at": to_at})
    if not sections.num_rows:
        raise QueryError(
            "nothing to balance: no part of the power path (feeds, fed_by) has meters above and "
            "below it"
        )
    is_open = [verdict != "closes" for verdict in sections["verdict"].to_pylist()]
    shown = sections if with_closing else sections.filter(pa.array(is_open))
    if not shown.num_rows and output_format is Format.TABLE:
        print(f"all {sections.num_rows} sections of the power path close; --all shows them")
    else:
        write_table(shown, output_format)


def print_ledger(
    directory: Path, device: str, from_text: str, to_text: str, output_format: Format
) -> None:
    """Print what became of the polls, by device and hour; `device` may be a pattern.

    An hour counts as within the window when a part of it is. Polls that all failed leave no
    readings, so that the window is not bound to what readings there are.

    Raises:
        QueryError: a time cannot be read, or there are no polls of such a device in the window.
        LakeUnavailable: there is no lake, or it cannot be read.
    """
    with Lake.open_read_only(lake_location(directory)) as lake:
        zone = time_zone(lake)
        from_at = moment(from_text, "--from", zone) if from_text else datetime.fromtimestamp(0, UTC)
        to_at = moment(to_text, "--to", zone) if to_text else datetime.now(UTC)
        if from_at >= to_at:
            raise QueryError(f"the window is empty: --from {from_at} is not before --to {to_at}")
        first_hour = from_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        last = to_at - timedelta(microseconds=1)
        polls = run_sql(lake, LEDGER, {"device": device, "from_at": first_hour, "to_at": last})
        if not polls.num_rows:
            when = f" from {from_at} to {to_at}" if from_text or to_text else ""
            raise QueryError(
                f"no polls of a device '{device}'{when}; the lake's table 'devices' names those "
                "there are"
            )
        write_table(polls, output_format)
