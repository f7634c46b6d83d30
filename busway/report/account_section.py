"""KPIs, ledger, what was missing, and what all of it rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape
from importlib.metadata import version
from itertools import groupby

from busway.report.account import Account
from busway.report.tables import Column, Row, number, table

MOST = 40
"""Rows of a table on the page; its CSV file has all."""
KPIS = (
    Column("KPI", "name"),
    Column("Value", "value", ",.6g"),
    Column("Unit", "unit"),
    Column("Coverage", "coverage_ratio", ".4f"),
    Column("No figure, because", "reason", is_wide=True),
    Column("Source", "source", is_wide=True),
)
LEDGER = (
    Column("Device", "device"),
    Column("Scheduled", "scheduled"),
    Column("Stored", "stored"),
    Column("Failed", "failed"),
    Column("Dropped", "dropped"),
    Column("Stored share", "stored_ratio", ".2%"),
    Column("Last error", "last_error", is_wide=True),
)
METERS = (
    Column("Meter", "meter"),
    Column("Role", "meter_role"),
    Column("Hall", "hall"),
    Column("Coverage", "coverage_ratio", ".4f"),
    Column("Measured", "measured_ratio", ".4f"),
    Column("Method", "method"),
    Column("Enough", "is_complete"),
    Column("Flags", "flags", is_wide=True),
)
FACTORS = (
    Column("Factor", "factor"),
    Column("Of", "subject"),
    Column("Values", "values"),
    Column("Lowest", "lowest", ",.6g"),
    Column("Highest", "highest", ",.6g"),
    Column("Word", "text", is_wide=True),
)
BATCHES = (
    Column("Collector", "collector"),
    Column("Topic", "topic"),
    Column("Batches that never came", "missing"),
)


def account_section(account: Account) -> dict[str, str]:
    """What the template has beside PUE and the power path."""
    return {
        "kpis": table(KPIS, account.answers["kpis"], name="kpis"),
        "ledger": _ledger(account),
        "missing": _missing(account),
        "restatements": _restatements(account),
        "boundary": _boundary(account),
        "factors": _factors(account),
        "versions": _versions(account),
    }


def _ledger(account: Account) -> str:
    totals = account.one("poll_totals")
    counts = {name: number(totals[name], ",d") for name in totals if isinstance(totals[name], int)}
    balanced = totals["scheduled"] == totals["stored"] + totals["failed"] + totals["dropped"]
    said = (
        f'<p id="ledger-totals">Polls: scheduled {counts["scheduled"]} = stored '
        f"{counts['stored']} + failed {counts['failed']} + dropped {counts['dropped']}: "
        f"{_verdict(balanced, 'balances', 'does not balance')}. Readings: expected "
        f"{counts['readings_expected']}, good {counts['readings_good']}.</p>"
    )
    batches = account.answers["missing_batches"]
    lost = table(BATCHES, batches, name="batches") if batches else ""
    any_lost = "Batches" if batches else "No batches"
    said += f"<p>{any_lost} are missing from a collector's count.</p>{lost}"
    worst = [row for row in account.answers["ledger"] if row["stored"] < row["scheduled"]]
    whole = len(account.answers["ledger"]) - len(worst)
    said += f"<p>{whole} of {len(account.answers['ledger'])} devices lost no poll.</p>"
    return said + _some(LEDGER, worst, "ledger")


def _missing(account: Account) -> str:
    meters = account.answers["meters"]
    gaps = [row for row in meters if row["coverage_ratio"] < 1 or not row["is_complete"]]
    enough = Counter(row["is_complete"] for row in meters)
    said = (
        f"<p>{number(enough[False], 'd')} of {number(len(meters), 'd')} meters gave too little for "
        f"the month; {len(meters) - len(gaps)} were observed without a gap.</p>"
    )
    return said + _some(METERS, gaps, "meters")


def _restatements(account: Account) -> str:
    """What was published of the month and its days, beside what it is now."""
    rows = account.answers.get("restatements", ())
    if not rows:
        return "<p>No figure of this month was published before.</p>"
    columns = (
        Column("Period from", lambda row: account.local(row["period_start_at"])),
        Column("Hours", _hours),
        Column("Category", "category"),
        Column("Published at", lambda row: account.local(row["published_at"])),
        Column("PUE then", "published_pue_ratio", ".5f"),
        Column("PUE now", "pue_ratio", ".5f"),
        Column("Restated", "is_restated"),
        Column("Why", "why", is_wide=True),
        Column("Changed at", lambda row: row["changed_at"] and account.local(row["changed_at"])),
        Column("Note", "note"),
    )
    restated = sum(bool(row["is_restated"]) for row in rows)
    told = f"<p>{restated} of {len(rows)} figures that were published have changed since.</p>"
    return told + _some(columns, rows, "restatements")


def _hours(row: Row) -> float:
    seconds: float = (row["period_end_at"] - row["period_start_at"]).total_seconds()
    return seconds / 3600


def _boundary(account: Account) -> str:
    lines = [
        {
            "boundary": boundary,
            "total": "E_DC" if total == "e_dc" else f"E_IT, category {category}",
            "roles": " ".join(f"{'+' if r['sign'] > 0 else '-'} {r['meter_role']}" for r in terms),
            "since": account.local(since) if since.timestamp() > 0 else "the first one",
        }
        for (boundary, since, total, category), terms in groupby(
            account.answers["boundary"],
            lambda r: (r["boundary"], r["valid_from_at"], r["total"], r["category"]),
        )
    ]
    columns = (
        Column("Boundary", "boundary"),
        Column("Total", "total"),
        Column("Meters of these roles", "roles", is_wide=True),
        Column("In the site file since", "since"),
    )
    return table(columns, lines, name="boundary")


def _factors(account: Account) -> str:
    """One line a factor and subject, whatever the number of hours it is stated for."""
    rows = account.answers["factors"]
    if not rows:
        return "<p>The site file states no factors.</p>"
    lines = [
        _factor(list(same)) for _, same in groupby(rows, lambda r: (r["factor"], r["subject"]))
    ]
    return (
        table(FACTORS, lines, name="factors")
        + '<p class="note">Each value with its time: factors.csv.</p>'
    )


def _factor(rows: Sequence[Row]) -> Row:
    values = [row["value"] for row in rows if row["value"] is not None]
    return {
        "factor": rows[0]["factor"],
        "subject": rows[0]["subject"],
        "values": len(rows),
        "lowest": min(values, default=None),
        "highest": max(values, default=None),
        "text": ", ".join(dict.fromkeys(row["text"] for row in rows if row["text"])),
    }


def _versions(account: Account) -> str:
    found = account.one("versions")
    facts = {
        "Lake's snapshot": f"{found['snapshot']}, of {account.local(found['snapshot_at'])}",
        "Busway": version("busway"),
        "DuckDB": found["duckdb_version"],
        "Lake's format": str(found["lake_format"]),
        "Definitions": f"{found['definitions']} views and macros, SHA-256 of them "
        f"{found['definitions_sha256']}",
    }
    items = "".join(f"<tr><th>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in facts.items())
    return (
        f'<table id="versions"><tbody>{items}</tbody></table><p class="note">All figures were '
        "asked of one snapshot. The CSV files beside this page have every figure unrounded.</p>"
    )


def _some(columns: Sequence[Column], rows: Sequence[Row], name: str) -> str:
    if not rows:
        return ""
    more = len(rows) - MOST
    note = f'<p class="note">{more} more are in {name}.csv.</p>' if more > 0 else ""
    return table(columns, rows[:MOST], name=name) + note


def _verdict(is_good: bool, good: str, bad: str) -> str:
    return f'<b class="good">{good}</b>' if is_good else f'<b class="bad">{bad}</b>'
