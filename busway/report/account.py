"""What the lake answered for a month, as the page takes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from busway.report.tables import Row

MEGA = 10_000.0
"""Kilowatt hours from which charts are in megawatt hours."""


@dataclass(frozen=True, slots=True)
class Account:
    """A month's answers by question, and where the site's clocks are."""

    month: str
    zone: ZoneInfo
    from_at: datetime
    to_at: datetime
    answers: Mapping[str, Sequence[Row]]

    def one(self, question: str) -> Row:
        """The answer's last row: what was in force at the month's end."""
        return self.answers[question][-1]

    def local(self, moment: datetime) -> str:
        """A moment in the site's time."""
        return moment.astimezone(self.zone).strftime("%Y-%m-%d %H:%M")

    def day(self, row: Row) -> date:
        """The day that a row is of."""
        start: datetime = row["period_start_at"]
        return start.astimezone(self.zone).date()

    @property
    def days(self) -> list[date]:
        """The month's days, in order."""
        return list(dict.fromkeys(self.day(row) for row in self.answers["demand_days"]))


def energy_unit(highest_kwh: float) -> tuple[str, float]:
    """The unit in which energies up to this are drawn, and how many kWh it is."""
    return ("MWh", 1000.0) if highest_kwh >= MEGA else ("kWh", 1.0)


def spans(days: Sequence[date]) -> str:
    """Days in words: those that follow each other as one span."""
    runs: list[list[date]] = []
    for day in days:
        if runs and (day - runs[-1][-1]).days == 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ", ".join(
        str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]:%m-%d}" for run in runs
    )
