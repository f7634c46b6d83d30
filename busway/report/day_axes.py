"""The axes that the charts of a month share: days to the right, a value upward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from busway.report.svg import Scale, element, tick_text, ticks, words

WIDTH, HEIGHT = 720.0, 230.0
LEFT, RIGHT, TOP, BOTTOM = 56.0, 8.0, 20.0, 24.0


@dataclass(frozen=True, slots=True)
class DayAxes:
    """One column a day; values from low to high, in `unit`."""

    days: Sequence[date]
    low: float
    high: float
    unit: str

    @property
    def column(self) -> float:
        """Width of a day."""
        return (WIDTH - LEFT - RIGHT) / len(self.days)

    def x(self, place: int, share: float = 0.5) -> float:
        """Where a share of a day's width is."""
        return LEFT + (place + share) * self.column

    def y(self, value: float) -> float:
        """Where a value is."""
        return Scale(self.low, self.high, HEIGHT - BOTTOM, TOP)(value)

    def draw(self) -> str:
        """Grid, values, days."""
        lines = [
            element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=self.y(v), y2=self.y(v), class_="grid")
            + words(LEFT - 6, self.y(v) + 3.5, tick_text(v), text_anchor="end")
            for v in ticks(self.low, self.high)
        ]
        days = [
            words(self.x(i), HEIGHT - 8, str(day.day), text_anchor="middle")
            for i, day in enumerate(self.days)
        ]
        return "".join([words(LEFT - 6, 10, self.unit, text_anchor="end"), *lines, *days])

    def bar(
        self, place: int, share: tuple[float, float], ends: tuple[float, float]
    ) -> dict[str, float]:
        """A rectangle within a day, from value to value: what `rect` takes."""
        top, bottom = self.y(max(ends)), self.y(min(ends))
        left, right = self.x(place, share[0]), self.x(place, share[1])
        return {"x": left, "y": top, "width": right - left, "height": bottom - top}
