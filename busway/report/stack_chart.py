"""Energies by day, parts on top of each other, two stacks a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from busway.report.day_axes import HEIGHT, WIDTH, DayAxes
from busway.report.svg import drawing, element, tip

SHARES = ((0.1, 0.48), (0.52, 0.9))
"""Of a day's width, for the stack to the left and the one to the right."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a stack; what is subtracted is below 0."""

    name: str
    energy: float
    is_complete: bool


def stack_chart(
    days: Sequence[date],
    stacks: Mapping[str, Sequence[Sequence[Part]]],
    colours: Mapping[str, int],
    unit: str,
) -> str:
    """Draw up to two stacks a day, by their names; incomplete parts are pale.

    `stacks` has a list of parts for each day; `colours` the number of each part's colour.
    """
    axes = DayAxes(days, *_span(stacks), unit)
    bars = [
        _stack(axes, place, share, (name, parts), colours)
        for (name, series), share in zip(stacks.items(), SHARES, strict=False)
        for place, parts in enumerate(series)
    ]
    zero = element("line", x1=axes.x(0, 0), x2=WIDTH - 8, y1=axes.y(0), y2=axes.y(0), class_="zero")
    label = f"{' and '.join(stacks)} by day in {unit}"
    return drawing(WIDTH, HEIGHT, label, axes.draw(), *bars, zero)


def _span(stacks: Mapping[str, Sequence[Sequence[Part]]]) -> tuple[float, float]:
    days = [parts for series in stacks.values() for parts in series]
    highest = max((sum(max(p.energy, 0) for p in parts) for parts in days), default=0)
    lowest = min((sum(min(p.energy, 0) for p in parts) for parts in days), default=0)
    return lowest * 1.05, highest * 1.05 or 1.0


def _stack(
    axes: DayAxes,
    place: int,
    share: tuple[float, float],
    stack: tuple[str, Sequence[Part]],
    colours: Mapping[str, int],
) -> str:
    name, parts = stack
    ends = {True: 0.0, False: 0.0}
    bars = []
    for part in parts:
        begin = ends[part.energy >= 0]
        end = ends[part.energy >= 0] = begin + part.energy
        said = f"{axes.days[place]}, {name}, {part.name}: {part.energy:,.3f} {axes.unit}"
        look = f"c{colours[part.name]}" + ("" if part.is_complete else " partial")
        bars.append(element("rect", tip(said), **axes.bar(place, share, (begin, end)), class_=look))
    return "".join(bars)
