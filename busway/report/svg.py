"""SVG as text: elements, and the scales that place values on them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

Attribute = str | float


def element(name: str, *children: str, **attributes: Attribute) -> str:
    """An element of what is SVG already; `class_` is class, `text_anchor` is text-anchor."""
    written = "".join(
        f' {key.strip("_").replace("_", "-")}="{_written(value)}"'
        for key, value in attributes.items()
    )
    return f"<{name}{written}>{''.join(children)}</{name}>"


def words(x: float, y: float, text: str, **attributes: Attribute) -> str:
    """Text at a point; any text."""
    return element("text", escape(text), x=x, y=y, **attributes)


def tip(text: str) -> str:
    """What a browser shows over the element that this is a child of."""
    return element("title", escape(text))


def drawing(width: float, height: float, label: str, *children: str) -> str:
    """A drawing that scales to the page's width; `label` is what it is read out as."""
    box = f"0 0 {width:g} {height:g}"
    return element("svg", *children, viewBox=box, role="img", aria_label=label)


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from low to high lie evenly from start to end, in the drawing's units."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Where a value lies."""
        span = self.high - self.low
        return self.start + (value - self.low) / span * (self.end - self.start)


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round values from low to high, 1, 2 or 5 times a power of ten apart; `most` at the most."""
    rough = (high - low) / (most - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * times for times in (1, 2, 5, 10) if power * times >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(n * step, 12) for n in range(first, last + 1)]


def tick_text(value: float) -> str:
    """A tick's value, written as briefly as it can be."""
    return f"{value:,.10g}"


def _written(value: Attribute) -> str:
    return escape(value) if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
