"""What a report asks of the lake; each answer is a CSV file of its name, and a part of the page.

`$from_at` and `$to_at` are the month's ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import pyarrow as pa

from facility.errors import QueryError
from warehouse.lake import Lake
from warehouse.query import run_sql

QUESTIONS: Mapping[str, str] = {
    "pue_month": "from pue($from_at, $to_at) order by category",
    "pue_days": "from pue($from_at, $to_at, 'day') order by category, period_start_at",
    "role_days": """
        select
            energy.period_start_at,
            terms.total,
            terms.category,
            energy.meter_role,
            sum(terms.sign * energy.energy_wh) / 1000 as energy_kwh,
            bool_and(energy.is_complete) as is_complete,
        from energy($from_at, $to_at, 'day') as energy
        inner join site_versions as site
            on energy.period_end_at > site.valid_from_at
            and energy.period_end_at <= site.valid_to_at
        inner join boundary_versions as terms
            on site.boundary = terms.boundary
            and energy.meter_role = terms.meter_role
            and energy.period_end_at > terms.valid_from_at
            and energy.period_end_at <= terms.valid_to_at
        group by all
        order by energy.period_start_at, terms.category, energy.meter_role""",
    "ladder": "from ladder($from_at, $to_at) order by stage_order",
    "balance": "from balance($from_at, $to_at) order by verdict = 'closes', in_wh desc, node",
    "per_mw": "from per_mw($from_at, $to_at)",
    "kpis": "from kpi($from_at, $to_at)",
    "demand_days": "from demand($from_at, $to_at, 'day') order by period_start_at",
    "ledger": """
        select
            device,
            count(*) as scheduled,
            count(*) filter (is_stored) as stored,
            count(*) filter (is_failed) as failed,
            count(*) filter (is_dropped) as dropped,
            sum(points_expected)::bigint as points_expected,
            sum(points_good)::bigint as points_good,
            stored / scheduled as stored_ratio,
            arg_max(error, scheduled_at) filter (error is not null) as last_error,
        from scheduled_polls
        where scheduled_at >= $from_at::timestamptz and scheduled_at < $to_at::timestamptz
        group by device
        order by stored_ratio, device""",
    "missing_batches": "from no_batch_is_missing($from_at, $to_at)",
    "meters": """
        select * exclude (energy_wh, period_start_at, period_end_at), energy_wh / 1000 as energy_kwh
        from energy($from_at, $to_at)
        order by is_complete, coverage_ratio, meter""",
    "boundary": """
        select * replace (nullif(valid_to_at, 'infinity') as valid_to_at)
        from boundary_versions
        where valid_from_at < $to_at::timestamptz and valid_to_at > $from_at::timestamptz
        order by boundary, valid_from_at, category, sign desc, meter_role""",
    "factors": """
        select * replace (nullif(applies_to_at, 'infinity') as applies_to_at)
        from factor_versions
        where applies_from_at < $to_at::timestamptz and applies_to_at > $from_at::timestamptz
        order by factor, subject, applies_from_at""",
    "versions": """
        select
            (select max(snapshot_id) from ducklake_snapshots(current_database())) as snapshot,
            (select max(snapshot_time) from ducklake_snapshots(current_database())) as snapshot_at,
            (select max(version) from lake_format) as lake_format,
            (select sha256(string_agg(name || text_sha256, ' ' order by name)) from installed_sql)
                as definitions_sha256,
            (select count(*) from installed_sql) as definitions,
            version() as duckdb_version""",
    "poll_totals": "from poll_summary($from_at, $to_at)",
    "site": """
        select * replace (nullif(valid_to_at, 'infinity') as valid_to_at)
        from site_versions
        where valid_from_at < $to_at::timestamptz and valid_to_at > $from_at::timestamptz
        order by valid_from_at""",
}
RESTATEMENTS = """
    from pue_history($from_at, $to_at)
    union all
    from pue_history($from_at, $to_at, 'day')
    order by period_start_at, period_end_at desc, category, published_at"""
"""Asked where anything was published, for it plans long."""
ANY_PUBLISHED = "select count(*) > 0 as is_so from pue_publications"
TIME_ZONE = "select any_value(time_zone) as time_zone from current_site"
SPAN = """
    select
        min(ts) as from_at,
        max(ts) as to_at,
        max(ts) filter (ts < $to_at::timestamptz) >= $from_at::timestamptz as has_any
    from readings"""


def time_zone(lake: Lake) -> ZoneInfo:
    """Where the site's clocks are; UTC where the lake knows no site."""
    return ZoneInfo(run_sql(lake, TIME_ZONE)["time_zone"][0].as_py() or "UTC")


def refuse_empty(lake: Lake, from_at: datetime, to_at: datetime) -> None:
    """See that there is something to report.

    Raises:
        QueryError: the lake has no readings of that time.
    """
    span = run_sql(lake, SPAN, {"from_at": from_at, "to_at": to_at}).to_pylist()[0]
    if span["from_at"] is None:
        raise QueryError(f"lake {lake.location} holds no readings yet")
    if not span["has_any"]:
        raise QueryError(
            f"no readings from {from_at} to {to_at}; the lake holds {span['from_at']} to "
            f"{span['to_at']}"
        )


def ask_all(lake: Lake, from_at: datetime, to_at: datetime) -> dict[str, pa.Table]:
    """Ask every question of one snapshot of the lake.

    Raises:
        LakeUnavailable: the lake cannot be read.
    """
    window = {"from_at": from_at, "to_at": to_at}
    with lake.connection.transaction():
        answers = {name: _ask(lake, text, window) for name, text in QUESTIONS.items()}
        if run_sql(lake, ANY_PUBLISHED)["is_so"][0].as_py():
            answers["restatements"] = _ask(lake, RESTATEMENTS, window)
        return answers


def _ask(lake: Lake, text: str, window: Mapping[str, datetime]) -> pa.Table:
    return run_sql(lake, text, {name: end for name, end in window.items() if f"${name}" in text})
