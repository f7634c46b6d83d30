"""The report's drawings: what is drawn where, parsed from the SVG."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import date, timedelta

import pytest

from busway.report.account import spans
from busway.report.bar_chart import NAMES, Stage, ladder_chart, peak_chart
from busway.report.day_axes import BOTTOM, HEIGHT, TOP, DayAxes
from busway.report.pue_chart import Ratio, pue_chart
from busway.report.stack_chart import Part, stack_chart
from busway.report.svg import Scale, drawing, element, tick_text, ticks, words

DAYS = [date(2026, 10, 1) + timedelta(days=n) for n in range(3)]


def elements(svg: str, name: str, look: str | None = None) -> list[dict[str, str]]:
    found = ET.fromstring(svg).iter(name)
    return [e.attrib for e in found if look is None or e.get("class") == look]


def texts(svg: str) -> list[str]:
    return [e.text or "" for e in ET.fromstring(svg).iter("text")]


def test_a_scale_is_even_and_may_fall() -> None:
    scale = Scale(1, 3, 100, 0)
    assert [scale(value) for value in (1, 2, 3)] == [100, 50, 0]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 100, [0, 20, 40, 60, 80, 100]),
        (1.052, 1.118, [1.06, 1.08, 1.1]),
        (-3, 9, [0, 5]),
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
    ],
)
def test_ticks_are_round_and_inside(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == expected


def test_a_tick_is_written_briefly() -> None:
    assert [tick_text(value) for value in (1.1, 12_000, -0.5)] == ["1.1", "12,000", "-0.5"]


def test_text_cannot_become_markup() -> None:
    svg = drawing(10, 10, 'a "b" <c>', words(1, 2, "<script>&"), element("g", fill="<"))
    root = ET.fromstring(svg)
    assert root.get("aria-label") == 'a "b" <c>'
    assert root[0].text == "<script>&"
    assert root[1].get("fill") == "<"


def test_a_ratio_stands_between_the_ends_of_its_band() -> None:
    svg = pue_chart(DAYS, {1: [Ratio(1.1, 0.02), None, Ratio(1.2, 0.01)]})
    circles, bands = elements(svg, "circle"), elements(svg, "line", "band")
    assert len(circles) == len(bands) == 2
    axes = DayAxes(DAYS, 1.08 - 0.0065, 1.21 + 0.0065, "PUE")
    assert float(circles[0]["cy"]) == pytest.approx(axes.y(1.1), abs=0.01)
    assert float(bands[0]["y1"]) == pytest.approx(axes.y(1.08), abs=0.01)
    assert float(bands[0]["y2"]) == pytest.approx(axes.y(1.12), abs=0.01)


def test_a_day_without_a_ratio_is_grey_and_breaks_the_line() -> None:
    svg = pue_chart(DAYS, {1: [Ratio(1.1, 0.02), None, Ratio(1.2, 0.01)]})
    assert len(elements(svg, "rect", "none")) == 1
    assert elements(svg, "line", "course") == []
    joined = pue_chart(DAYS, {1: [Ratio(1.1, 0.02)] * 3})
    assert len(elements(joined, "line", "course")) == 2


def test_a_month_without_any_ratio_is_all_grey() -> None:
    assert len(elements(pue_chart(DAYS, {1: [None] * 3}), "rect", "none")) == 3


def test_steady_ratios_are_not_blown_up() -> None:
    ends = elements(pue_chart(DAYS, {1: [Ratio(1.1, 0)] * 3}), "circle")
    assert float(ends[0]["cy"]) == pytest.approx((TOP + HEIGHT - BOTTOM) / 2, abs=0.01)


def test_parts_stand_on_each_other_and_what_is_subtracted_below_zero() -> None:
    parts = [Part("ups", 80, True), Part("more", 20, False), Part("pumps", -10, True)]
    svg = stack_chart(DAYS[:1], {"E_IT": [parts]}, {"ups": 0, "more": 1, "pumps": 2}, "kWh")
    axes = DayAxes(DAYS[:1], -10.5, 105, "kWh")
    first, second, third = (
        {key: float(value) for key, value in e.items() if key != "class"}
        for e in elements(svg, "rect")
    )
    assert first["y"] == pytest.approx(axes.y(80), abs=0.02)
    assert second["y"] + second["height"] == pytest.approx(first["y"], abs=0.02)
    assert third["y"] == pytest.approx(axes.y(0), abs=0.02)
    assert first["height"] / third["height"] == pytest.approx(8, rel=0.01)
    assert [e["class"] for e in elements(svg, "rect")] == ["c0", "c1 partial", "c2"]


def test_the_highest_peak_is_marked_and_the_limit_drawn() -> None:
    svg = peak_chart(DAYS, [300, None, 400], 500, "kW")
    assert [e["class"] for e in elements(svg, "rect")] == ["c0", "c1"]
    limit = elements(svg, "line", "limit")[0]
    assert float(limit["y1"]) == pytest.approx(DayAxes(DAYS, 0, 540, "kW").y(500), abs=0.01)
    assert elements(peak_chart(DAYS, [300, None, 400], None, "kW"), "line", "limit") == []


def test_the_ladders_bars_are_in_proportion() -> None:
    stages = [
        Stage("utility", 200, "", is_open=False),
        Stage("MV", None, "not metered", is_open=False),
        Stage("UPS out", 100, "", is_open=True),
    ]
    svg = ladder_chart(stages, "kWh")
    full, half = elements(svg, "rect")
    assert float(full["width"]) == pytest.approx(2 * float(half["width"]), abs=0.02)
    assert float(full["x"]) == NAMES
    assert [full["class"], half["class"]] == ["c0", "c1"]
    assert "not metered" in texts(svg)


def test_days_that_follow_each_other_are_one_span() -> None:
    assert spans([*DAYS, date(2026, 10, 7)]) == "2026-10-01 to 10-03, 2026-10-07"
