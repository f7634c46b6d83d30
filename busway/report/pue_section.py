"""PUE on the page: the month's figures, and each day's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from html import escape

from busway.report.account import Account, energy_unit, spans
from busway.report.pue_chart import Ratio, pue_chart
from busway.report.stack_chart import Part, stack_chart
from busway.report.tables import Column, Row, number, table

PLACES = {1: "UPS output", 2: "PDU output", 3: "IT equipment input"}
COLOURS = 6
TOTALS = {"e_dc": "E_DC", "e_it": "E_IT"}


def pue_section(account: Account) -> dict[str, str]:
    """What the template has for PUE."""
    days = account.answers["pue_days"]
    categories = [row["category"] for row in _asked(account)]
    return {
        "headline": "".join(_card(row) for row in _asked(account)),
        "pue_month": table(MONTH, account.answers["pue_month"], name="pue-month"),
        "pue_chart": _chart(account, categories),
        "pue_legend": _legend((f"category {c}, {PLACES[c]}", c - 1) for c in categories)
        + '<i class="kn"></i>a category without a figure',
        "pue_days": _days(account, categories),
        "pue_reasons": _reasons(account, [row for row in days if row["category"] in categories]),
        **_stacks(account),
    }


def _asked(account: Account) -> list[Row]:
    """The categories that the boundary has, or all of them where it has none."""
    has = {row["category"] for row in account.answers["boundary"] if row["total"] == "e_it"}
    rows = account.answers["pue_month"]
    return [row for row in rows if row["category"] in has] or list(rows)


def band(row: Row) -> float | None:
    """Accuracy and resolution together."""
    parts = row["accuracy_band_ratio"], row["resolution_band_ratio"]
    return None if None in parts else sum(parts)


MONTH = (
    Column("Category", lambda row: f"{row['category']} {PLACES[row['category']]}"),
    Column("E_DC kWh", "e_dc_kwh", ",.1f"),
    Column("E_IT kWh", "e_it_kwh", ",.1f"),
    Column("PUE", "pue_ratio", ".5f"),
    Column("± accuracy", "accuracy_band_ratio", ".5f"),
    Column("± resolution", "resolution_band_ratio", ".5f"),
    Column("Coverage", "coverage_ratio", ".4f"),
    Column("No figure, because", "reason", is_wide=True),
)


def _card(row: Row) -> str:
    title = f"{row['name']}, category {row['category']} ({PLACES[row['category']]})"
    if row["pue_ratio"] is None:
        said, under = "no figure", escape(row["reason"])
    else:
        said = number(row["pue_ratio"], ".4f")
        said += f" <small>± {number(band(row), '.4f')}</small>"
        under = f"coverage {number(row['coverage_ratio'], '.2%')}"
        if row["pue_ratio"] + (band(row) or 0) < 1:
            under += (
                '<br><span class="bad">No PUE is below 1: a meter is wrong, see Balance.</span>'
            )
    return f'<div class="card">{title}<b>{said}</b><p>{under}</p></div>'


def _chart(account: Account, categories: Sequence[int]) -> str:
    found = {(account.day(row), row["category"]): row for row in account.answers["pue_days"]}
    days = account.days
    return pue_chart(days, {c: [_ratio(found[day, c]) for day in days] for c in categories})


def _ratio(row: Row) -> Ratio | None:
    known = row["pue_ratio"], band(row)
    return None if known[0] is None else Ratio(known[0], known[1] or 0.0)


def _days(account: Account, categories: Sequence[int]) -> str:
    """A row a day; its categories side by side."""
    days: dict[date, dict[str, object]] = {}
    for row in account.answers["pue_days"]:
        category, day = row["category"], days.setdefault(account.day(row), {})
        day["day"] = account.day(row)
        day[f"PUE {category}"] = row["pue_ratio"]
        day[f"band {category}"] = band(row)
        day[f"coverage {category}"] = row["coverage_ratio"]
    columns = [Column("Day", "day")]
    for category in categories:
        columns += [
            Column(f"PUE {category}", f"PUE {category}", ".5f"),
            Column("± band", f"band {category}", ".5f"),
            Column("Coverage", f"coverage {category}", ".4f"),
        ]
    return table(columns, days.values(), name="pue-days")


def _reasons(account: Account, rows: Iterable[Row]) -> str:
    """Why days have no figure: days and categories of one reason together."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        if row["reason"]:
            found.setdefault(row["reason"], []).append(row)
    lines = [
        {
            "days": spans(sorted({account.day(row) for row in same})),
            "categories": ", ".join(map(str, sorted({row["category"] for row in same}))),
            "reason": reason,
        }
        for reason, same in found.items()
    ]
    columns = (
        Column("No figure on", "days"),
        Column("Categories", "categories"),
        Column("Because", "reason", is_wide=True),
    )
    return table(columns, lines, name="pue-reasons") if lines else ""


def _stacks(account: Account) -> dict[str, str]:
    rows = [row for row in account.answers["role_days"] if row["energy_kwh"] is not None]
    category = max((row["category"] for row in rows), default=0)
    shown = [row for row in rows if row["category"] in {0, category}]
    roles = dict.fromkeys(row["meter_role"] for row in shown)
    colours = {role: place % COLOURS for place, role in enumerate(roles)}
    unit, kwh = energy_unit(max((row["energy_kwh"] for row in shown), default=0))
    stacks = {
        name: [
            [
                Part(row["meter_role"], row["energy_kwh"] / kwh, row["is_complete"])
                for row in shown
                if row["total"] == total and account.day(row) == day
            ]
            for day in account.days
        ]
        for total, name in TOTALS.items()
    }
    return {
        "it_category": str(category or "not stated"),
        "stack_chart": stack_chart(account.days, stacks, colours, unit),
        "stack_legend": _legend(colours.items()) + "; pale: meters missing",
    }


def _legend(names: Iterable[tuple[str, int]]) -> str:
    return "".join(f'<i class="k{colour}"></i>{escape(name)}' for name, colour in names)
