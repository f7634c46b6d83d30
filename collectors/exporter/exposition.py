"""The Prometheus text of one exporter, scrape after scrape, at a dictionary look-up a line.

Everything of a sample but its number is the same at each scrape, so it is parsed once and known by
its bytes from then on. Pure: bytes in, numbers out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

Series = TypeVar("Series")
Recognise = Callable[[str, Mapping[str, str]], Series | None]
"""(metric name, labels) -> what the series is; None when it is of no interest."""

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)')
_ESCAPE = re.compile(r"\\(.)")
_UNESCAPED = {"n": "\n"}
NOT_WANTED = 0
SPARE_HEADS = 1000


@dataclass(slots=True)
class Scrape:
    """What one text held; `values` by series, NaN where it has none."""

    values: list[float]
    conflicts: list[int]
    """Series that were printed twice with different numbers."""
    malformed: int
    """Lines that are no exposition."""
    broke_off: bool
    """The last line has no end."""


class Exposition(Generic[Series]):
    """Reads the texts of one exporter.

    Series are numbered from 1 in the order they first came; `series` says what each is (number 0
    is nothing). Numbers hold until `restarts` changes: then series that are printed no more have
    been forgotten, so labels that change with every job cost no memory.
    """

    def __init__(self, recognise: Recognise[Series]) -> None:
        self.series: list[Series | None] = [None]
        self.restarts = 0
        self._recognise = recognise
        self._numbers: dict[bytes, int] = {b"": NOT_WANTED}

    def read(self, text: bytes) -> Scrape:
        """Take the samples of one text. Lines of no interest cost no more than others."""
        lines = text.split(b"\n")
        last = lines.pop()
        self._forget_unless_few(len(lines))
        scrape = Scrape([math.nan] * len(self.series), [], 0, broke_off=last != b"")
        known, values, number_of = self._numbers.get, scrape.values, float
        for line in lines:
            head, _, tail = line.rpartition(b"} ")
            if not head and line[:1] != b"#":
                head, _, tail = line.partition(b" ")  # a sample without labels
            number = known(head)
            if not number:
                if number is None:
                    number = self._learn(head, scrape)
                if not number:
                    continue
            try:
                value = number_of(tail)
            except ValueError:
                value = _with_timestamp(tail, scrape)
            before = values[number]
            if before != before:  # noqa: PLR0124 - NaN: not yet printed
                values[number] = value
            elif before != value:
                scrape.conflicts.append(number)
        return scrape

    def restart(self) -> None:
        """Forget all series; the next text numbers them anew."""
        self.series = [None]
        self._numbers = {b"": NOT_WANTED}
        self.restarts += 1

    def _forget_unless_few(self, lines: int) -> None:
        if len(self._numbers) > 2 * lines + SPARE_HEADS:
            self.restart()

    def _learn(self, head: bytes, scrape: Scrape) -> int:
        """Give a new head a number; what is not wanted, or no exposition, is remembered as that."""
        number = NOT_WANTED
        if not head.startswith(b"#"):
            try:
                name, labels = parse_head(head)
            except ValueError:
                scrape.malformed += 1
                return NOT_WANTED
            series = self._recognise(name, labels)
            if series is not None:
                number = len(self.series)
                self.series.append(series)
                scrape.values.append(math.nan)
        self._numbers[head] = number
        return number


def parse_head(head: bytes) -> tuple[str, dict[str, str]]:
    """Split `name{label="value",...` (without the closing brace), or a bare name.

    Returns:
        The name, and the labels.

    Raises:
        ValueError: it is not UTF-8, or not of that form.
    """
    name, _brace, rest = head.decode("utf-8").partition("{")
    if not _NAME.fullmatch(name):
        raise ValueError(f"expected NAME{{LABELS}}, found {name[:40]!r}")
    labels: dict[str, str] = {}
    place = 0
    while place < len(rest):
        label = _LABEL.match(rest, place)
        if label is None:
            raise ValueError(f'expected LABEL="VALUE", found {rest[place : place + 40]!r}')
        labels[label[1]] = _ESCAPE.sub(lambda m: _UNESCAPED.get(m[1], m[1]), label[2])
        place = label.end()
    return name, labels


def _with_timestamp(tail: bytes, scrape: Scrape) -> float:
    """A number that a timestamp may follow; NaN, counted, where there is none."""
    try:
        number, _timestamp = tail.split()
        return float(number)
    except ValueError:
        scrape.malformed += 1
        return math.nan


def samples(text: str) -> Iterator[tuple[str, str]]:
    """Head (as `parse_head` takes it) and number of every sample line; for a text read once."""
    for line in text.splitlines():
        if not line.startswith("#"):
            head, _, number = line.rpartition("} ")
            if not head:
                head, _, number = line.partition(" ")
            if head:
                yield head, number
