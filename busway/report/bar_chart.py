"""Bars: a value a day with its limit, and the stages of the ladder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from busway.report.day_axes import HEIGHT, RIGHT, WIDTH, DayAxes
from busway.report.svg import Scale, drawing, element, tip, words

ROW, NAMES, BARS = 26.0, 74.0, 400.0
"""Height of a stage, and where its bar begins and ends."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of the ladder: its energy, and what is said beside it."""

    name: str
    energy: float | None
    said: str
    is_open: bool


def peak_chart(
    days: Sequence[date], peaks: Sequence[float | None], limit: float | None, unit: str
) -> str:
    """Draw the highest demand of each day, the month's highest marked, and the contract's limit."""
    known = [peak for peak in peaks if peak is not None]
    axes = DayAxes(days, 0, max([*known, limit or 0, 0]) * 1.08 or 1.0, unit)
    highest = max(known, default=0)
    bars = [
        element(
            "rect",
            tip(f"{days[i]}: {peak:,.1f} {unit}"),
            **axes.bar(i, (0.2, 0.8), (0, peak)),
            class_="c1" if peak == highest else "c0",
        )
        for i, peak in enumerate(peaks)
        if peak is not None
    ]
    if limit is not None:
        y = axes.y(limit)
        bars.append(element("line", x1=axes.x(0, 0), x2=WIDTH - RIGHT, y1=y, y2=y, class_="limit"))
        bars.append(words(WIDTH - RIGHT, y - 4, "contract", text_anchor="end"))
    return drawing(WIDTH, HEIGHT, f"Demand peak by day in {unit}", axes.draw(), *bars)


def ladder_chart(stages: Sequence[Stage], unit: str) -> str:
    """Draw a bar a stage, from 0; `said` stands to the right of the bars."""
    highest = max((stage.energy or 0 for stage in stages), default=0) or 1.0
    length = Scale(0, highest, NAMES, BARS)
    rows = [_stage(stage, place * ROW, length) for place, stage in enumerate(stages)]
    return drawing(WIDTH, len(stages) * ROW, f"Energy by stage in {unit}", *rows)


def _stage(stage: Stage, y: float, length: Scale) -> str:
    name = words(NAMES - 8, y + 17, stage.name, text_anchor="end", class_="name")
    said = words(BARS + 10, y + 17, stage.said)
    if stage.energy is None:
        return name + said
    width = max(length(stage.energy) - NAMES, 0)
    look = "c1" if stage.is_open else "c0"
    return name + element("rect", x=NAMES, y=y + 5, width=width, height=ROW - 9, class_=look) + said
