"""Mistakes in a file of the site's: where, what was found, what would be right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import NamedTuple, Protocol

Step = str | int
"""One step of a path: a key, or an index from 0."""

SHOWN = 12
"""Names listed in one sentence."""


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One mistake; prints as `site.yaml:41: devices[12].port: expected int, found '5o2'`."""

    file: str
    line: int
    path: str
    text: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: "
        return f"{place}{self.path}: {self.text}" if self.path else f"{place}{self.text}"


class Origin(Protocol):
    """The entry of a file that something was made from. Hashed by identity."""

    def mistake(self, text: str, *field: Step) -> Mistake:
        """Place a mistake at a field of the entry, or at the entry itself."""

    def place(self) -> str:
        """Name the entry in another's mistake: `site.yaml:41`."""


class Finding(NamedTuple):
    """What a check found about a field of an entry."""

    origin: Origin
    field: tuple[Step, ...]
    text: str


def one_per_field(findings: Iterable[Finding]) -> list[Mistake]:
    """Make one mistake of like findings on one field of an entry: a group has thousands."""
    first: dict[tuple[Origin, tuple[Step, ...]], Mistake] = {}
    counts: dict[tuple[Origin, tuple[Step, ...]], int] = {}
    for origin, field, text in findings:
        key = (origin, field)
        counts[key] = counts.get(key, 0) + 1
        if key not in first:
            first[key] = origin.mistake(text, *field)
    return [
        mistake if counts[key] == 1 else replace(mistake, text=_and_more(mistake, counts[key] - 1))
        for key, mistake in first.items()
    ]


def _and_more(mistake: Mistake, number: int) -> str:
    return f"{mistake.text} (and {number:,} more from this entry)"


def did_you_mean(found: str, known: Iterable[str]) -> str:
    """`did you mean 'address'?`, or what there is where nothing comes close."""
    names = sorted(known)
    if close := get_close_matches(found, names, n=1):
        return f"did you mean '{close[0]}'?"
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"known: {', '.join(names[:SHOWN])}{more}" if names else "there are none"


def near(found: str, known: Iterable[str]) -> str:
    """`; did you mean 'address'?`, or nothing where nothing comes very close."""
    close = get_close_matches(found, sorted(known), n=1, cutoff=0.8)
    return f"; did you mean '{close[0]}'?" if close else ""
