"""Ladder, balance and demand on the page."""

from __future__ import annotations

from html import escape

from busway.report.account import Account, energy_unit
from busway.report.bar_chart import Stage, ladder_chart, peak_chart
from busway.report.tables import Column, Row, number, table


def _kilo(value: float | None) -> float | None:
    return None if value is None else value / 1000


def _likely(row: Row) -> str | None:
    return None if row["likely_fault"] is None else f"{row['likely_fault']}: {row['likely_meter']}"


def _why(row: Row) -> str | None:
    said: str | None = row["reason"] or row["arithmetic"]
    return said


LADDER = (
    Column("Stage", "stage"),
    Column("Energy kWh", "energy_kwh", ",.1f"),
    Column("From", "from_stage"),
    Column("Loss kWh", "loss_kwh", ",.1f"),
    Column("Efficiency", "efficiency_ratio", ".4f"),
    Column("Cumulative", "cumulative_ratio", ".4f"),
    Column("Expected loss", "expected_loss_ratio", ".4f"),
    Column("± kWh", "error_kwh", ",.1f"),
    Column("Closes", "closes"),
    Column("No figure, because", "reason", is_wide=True),
)
BALANCE = (
    Column("Section", "node"),
    Column("In kWh", lambda row: _kilo(row["in_wh"]), ",.1f"),
    Column("Out kWh", lambda row: _kilo(row["out_wh"]), ",.1f"),
    Column("Residual", "residual_ratio", ".2%"),
    Column("± kWh", lambda row: _kilo(row["error_wh"]), ",.1f"),
    Column("Verdict", "verdict"),
    Column("Likely", _likely),
    Column("Arithmetic, or why it cannot be told", _why, is_wide=True),
)
SECTIONS = 60
"""Findings on the page; the CSV file has every section."""


def power_section(account: Account) -> dict[str, str]:
    """What the template has for the way of the power."""
    answers = account.answers
    return {
        "ladder_chart": _ladder_chart(account),
        "ladder": table(LADDER, answers["ladder"], name="ladder"),
        "balance": _balance(account),
        **_demand(account),
    }


def _ladder_chart(account: Account) -> str:
    rows = account.answers["ladder"]
    unit, kwh = energy_unit(max((row["energy_kwh"] or 0 for row in rows), default=0))
    stages = [
        Stage(
            row["stage"],
            None if row["energy_kwh"] is None else row["energy_kwh"] / kwh,
            _said(row, unit, kwh),
            row["closes"] is False,
        )
        for row in rows
    ]
    return ladder_chart(stages, unit)


def _said(row: Row, unit: str, kwh: float) -> str:
    if row["energy_kwh"] is None:
        return "not metered"
    said = f"{row['energy_kwh'] / kwh:,.1f} {unit}"
    if row["reason"]:
        return f"{said}, in part"
    if row["efficiency_ratio"] is None:
        return said
    loss = 1 - row["efficiency_ratio"]
    said += f", {abs(loss):.2%} {'lost' if loss >= 0 else 'gained'} after {row['from_stage']}"
    return said + (": does not close" if row["closes"] is False else "")


def _balance(account: Account) -> str:
    rows = account.answers["balance"]
    if not rows:
        return "<p>No part of the power path has meters above and below it.</p>"
    found = [row for row in rows if row["verdict"] != "closes"]
    told = (
        f"<p>{number(len(rows) - len(found), 'd')} of {number(len(rows), 'd')} sections close.</p>"
    )
    if not found:
        return told
    more = (
        f"<p>{len(found) - SECTIONS} more are in balance.csv.</p>" if len(found) > SECTIONS else ""
    )
    return told + table(BALANCE, found[:SECTIONS], name="balance") + more


def _demand(account: Account) -> dict[str, str]:
    by_day = {account.day(row): row for row in account.answers["demand_days"]}
    rows = [by_day[day] for day in account.days]
    limit = rows[-1]["limit_kw"] if rows else None
    known = [row for row in rows if row["peak_kw"] is not None]
    if not known:
        said = escape(rows[0]["reason"]) if rows else ""
        return {"demand_chart": "", "demand": f"<p>No demand is known: {said}.</p>"}
    peak = max(known, key=lambda row: row["peak_kw"])
    said = (
        f"<p>Peak {number(peak['peak_kw'], ',.1f')} kW from {account.local(peak['peak_start_at'])}"
    )
    if limit is None:
        said += "; no contract's limit is stated (demand_limit_kw).</p>"
    else:
        share = peak["peak_kw"] / limit
        said += f"; {number(share, '.1%')} of the contract's {number(limit, ',.0f')} kW.</p>"
    chart = peak_chart(account.days, [row["peak_kw"] for row in rows], limit, "kW")
    missing = len(rows) - len(known)
    note = f'<p class="note">{missing} days have none.</p>' if missing else ""
    return {"demand_chart": chart, "demand": said + note}
