"""PUE by day and category, each with its band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from busway.report.day_axes import HEIGHT, WIDTH, DayAxes
from busway.report.svg import drawing, element, tip

LEAST_SPAN = 0.01
"""The axis shows no less, or the noise of a steady plant would look like a storm."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A day's PUE, known to plus or minus its band."""

    value: float
    band: float


def pue_chart(days: Sequence[date], ratios: Mapping[int, Sequence[Ratio | None]]) -> str:
    """Draw a series a category; a day that lacks a category's ratio has a grey column."""
    axes = DayAxes(days, *_span(ratios), "PUE")
    open_days = [
        i for i in range(len(days)) if any(series[i] is None for series in ratios.values())
    ]
    grey = [
        element("rect", **axes.bar(i, (0, 1), (axes.low, axes.high)), class_="none")
        for i in open_days
    ]
    drawn = [
        _series(axes, category, series, (place + 1) / (len(ratios) + 1))
        for place, (category, series) in enumerate(ratios.items())
    ]
    return drawing(WIDTH, HEIGHT, "PUE by day and category", *grey, axes.draw(), *drawn)


def _span(ratios: Mapping[int, Sequence[Ratio | None]]) -> tuple[float, float]:
    known = [ratio for series in ratios.values() for ratio in series if ratio is not None]
    if not known:
        return 1.0, 2.0
    low = min(ratio.value - ratio.band for ratio in known)
    high = max(ratio.value + ratio.band for ratio in known)
    margin = max((high - low) * 0.05, (LEAST_SPAN - (high - low)) / 2)
    return low - margin, high + margin


def _series(axes: DayAxes, category: int, series: Sequence[Ratio | None], share: float) -> str:
    places = [(i, ratio) for i, ratio in enumerate(series) if ratio is not None]
    lines = [
        element(
            "line",
            x1=axes.x(i, share),
            y1=axes.y(one.value),
            x2=axes.x(j, share),
            y2=axes.y(other.value),
            class_="course",
        )
        for (i, one), (j, other) in pairwise(places)
        if j == i + 1
    ]
    marks = [_mark(axes, category, i, ratio, share) for i, ratio in places]
    return element("g", *lines, *marks, class_=f"series s{category}")


def _mark(axes: DayAxes, category: int, place: int, ratio: Ratio, share: float) -> str:
    x = axes.x(place, share)
    band = element(
        "line",
        x1=x,
        x2=x,
        y1=axes.y(ratio.value - ratio.band),
        y2=axes.y(ratio.value + ratio.band),
        class_="band",
    )
    said = f"{axes.days[place]}, category {category}: {ratio.value:.5f} ± {ratio.band:.5f}"
    return element("g", band, element("circle", cx=x, cy=axes.y(ratio.value), r=2.4), tip(said))
