"""The GPUs of a node, through its exporter, as a source of polls."""

from __future__ import annotations

import time
from typing import Protocol

import numpy as np

from collectors.dcgm.exposition import Exposition, Scrape
from collectors.dcgm.fields import Fields
from collectors.dcgm.polls import Polls
from collectors.faults import Faults
from collectors.profile import DcgmSection
from collectors.source import Poll
from facility.errors import DeviceGarbled, DeviceRefused
from facility.site import Device

MOST_LINES = 50_000


class Text(Protocol):
    """Where an exporter's text comes from."""

    async def get(self) -> bytes:
        """The text as it is now. Raises DeviceError."""

    async def close(self) -> None:
        """Let go of the connection."""


class DcgmSource:
    """Rows come with the series that the exporter prints, and give a new PointTable.

    Args:
        device: whom to read, how often, and the GPUs it must have.
        section: the fields.
        text: the exporter.
    """

    def __init__(self, device: Device, section: DcgmSection, text: Text) -> None:
        self.device = device.id
        self._text = text
        self._faults = Faults(device.id)
        self._exposition = Exposition(Fields(section.points).recognise)
        self._polls = Polls(device, section, self._exposition)
        self.points_expected = self._polls.points_expected

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
        )

    async def close(self) -> None:
        """Let go of the exporter."""
        await self._text.close()
        self._faults.forget()

    def _count(self, scrape: Scrape) -> None:
        self._faults.count("malformed", scrape.malformed)
        self._faults.count("conflicting", len(scrape.conflicts))
        self._faults.count("broken off", int(scrape.broke_off))
