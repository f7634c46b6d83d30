"""What a device has, kept up to date: surveyed at first, and looked at again now and then."""

from __future__ import annotations

from collectors.profile import SnmpSection
from collectors.snmp.exchange import Exchange
from collectors.snmp.layout import Layout, build_layout
from collectors.snmp.oid import Oid
from collectors.snmp.survey import Survey
from facility.errors import DeviceError, DeviceRefused

SHORTEST_GAP_POLLS = 5
"""Between surveys of a device whose tables keep changing."""


class Inventory:
    """Holds the layout of one device; `layout` is None until the first survey is done.

    Args:
        section: what its profile offers.
        survey_polls: polls between surveys.
    """

    def __init__(self, section: SnmpSection, survey_polls: int) -> None:
        self.layout: Layout | None = None
        self._section = section
        self._survey_polls = survey_polls
        self._polls = 0
        self._survey: Survey | None = None

    async def take(self, exchange: Exchange) -> Layout:
        """Survey to the end; after a failure the next call goes on where this one stopped.

        Raises:
            DeviceRefused: the agent answers, but has none of the profile's points.
            DeviceError: as the exchange raises it.
        """
        survey = self._survey = self._survey or Survey(self._section)
        while not survey.done:
            await survey.step(exchange)
        self._adopt(survey)
        if self.layout is None:
            raise DeviceRefused(
                f"the agent has none of the profile's {len(self._section.points)} points; "
                "is it another model?"
            )
        return self.layout

    async def refresh(self, exchange: Exchange, *, changed: bool) -> None:
        """One step of a survey where one is due: after so many polls, or when rows have changed.

        A step that fails is taken again at the next poll: the poll itself has been read.
        """
        self._polls += 1
        gap = min(SHORTEST_GAP_POLLS, self._survey_polls) if changed else self._survey_polls
        if self._survey is None and self._polls >= gap:
            self._survey = Survey(self._section)
        if self._survey is None:
            return
        try:
            await self._survey.step(exchange)
        except DeviceError:
            return
        if self._survey.done:
            self._adopt(self._survey)

    def _adopt(self, survey: Survey) -> None:
        """Take over what the survey found; a device that suddenly has nothing keeps its points."""
        kept = self.layout.scalars if self.layout else frozenset[Oid]()
        layout = build_layout(self._section, survey.findings, kept)
        self._survey, self._polls = None, 0
        if layout.oids:
            self.layout = layout
