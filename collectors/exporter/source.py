"""A device behind an exporter, as a source of polls."""

from __future__ import annotations

import time
from typing import Protocol

import numpy as np

from collectors.exporter.exposition import Exposition, Scrape
from collectors.exporter.polls import Polls
from collectors.exporter.series import Series
from collectors.faults import Faults
from collectors.source import Poll
from facility.errors import DeviceGarbled, DeviceRefused

MOST_LINES = 50_000


class Text(Protocol):
    """Where an exporter's text comes from."""

    async def get(self) -> bytes:
        """The text as it is now. Raises DeviceError."""

    async def close(self) -> None:
        """Let go of the connection."""


class ExporterSource:
    """Rows come with the series that the exporter prints, and give a new PointTable.

    Args:
        device: its id.
        text: the exporter.
        exposition: recognises the profile's series.
        polls: of the device; their series are those of the exposition.
    """

    def __init__(
        self, device: str, text: Text, exposition: Exposition[Series], polls: Polls
    ) -> None:
        self.device = device
        self.points_expected = polls.points_expected
        self._text, self._exposition, self._polls = text, exposition, polls
        self._faults = Faults(device)

    async def read(self) -> Poll:
        """Scrape once. See `collectors.source.Source`."""
        text = await self._text.get()
        sampled_at_us = time.time_ns() // 1000
        if (lines := text.count(b"\n")) > MOST_LINES:
            raise DeviceGarbled(f"{lines} lines; expected at most {MOST_LINES}")
        scrape = self._exposition.read(text)
        self._count(scrape)
        numbers = np.array(scrape.values)
        if np.isnan(numbers).all():
            raise DeviceRefused(f"none of its {lines} lines gives a field of the profile")
        return self._polls.poll(
            numbers,
            sampled_at_us,
            why_none=lambda _: "not printed",
            conflicts=scrape.conflicts,
            is_whole=not scrape.broke_off,
        )

    async def close(self) -> None:
        """Let go of the exporter."""
        await self._text.close()
        self._faults.forget()

    def _count(self, scrape: Scrape) -> None:
        self._faults.count("malformed", scrape.malformed)
        self._faults.count("conflicting", len(scrape.conflicts))
        self._faults.count("broken off", int(scrape.broke_off))
