"""An SNMP device as a source of polls."""

from __future__ import annotations

import asyncio
import time

import numpy as np

from collectors.faults import Faults
from collectors.growth import NO_LIMITS, Limits, fastest_growth
from collectors.profile import SnmpSection
from collectors.quality import Judge
from collectors.snmp.decode import read_numbers
from collectors.snmp.exchange import Exchange
from collectors.snmp.inventory import Inventory
from collectors.snmp.layout import Layout
from collectors.snmp.planner import plan, unasked
from collectors.snmp.session import Request, Session
from collectors.snmp.sizes import Sizes
from collectors.source import SHARE_OF_DEADLINE, PointFailure, Poll
from facility.errors import DeviceGarbled, DeviceRefused, DeviceTimeout
from facility.quality import Quality
from facility.site import Device


class SnmpSource:
    """Surveys the agent once, then reads the rows it has; looks again every so many polls.

    A table that grew or shrank gives a new PointTable. A row that vanishes between surveys is bad,
    and brings the next survey forward.

    Args:
        device: whom to read, how often, within what time.
        section: what to read.
        session: the agent.
        survey_polls: polls between surveys; each poll then carries one step of a survey.
        limits: what the site's meters say can flow.
    """

    def __init__(
        self,
        device: Device,
        section: SnmpSection,
        session: Session,
        *,
        survey_polls: int = 60,
        limits: Limits = NO_LIMITS,
    ) -> None:
        self.device = device.id
        self._interval_s = device.interval_seconds
        self._seconds = device.timeout_seconds * SHARE_OF_DEADLINE
        self._session = session
        self._limits = limits
        self._faults = Faults(device.id)
        self.points_expected = len(section.points)
        self._sizes = Sizes.of(section.limits)
        self._inventory = Inventory(section, survey_polls)
        self._layout: Layout | None = None
        self._planned_for: tuple[int, int] | None = None

    def _use(self, layout: Layout) -> None:
        """Start on a new layout; its counters have no past."""
        self._layout, self._planned_for = layout, None
        self._points = layout.table(self.device)
        scales = layout.conversion.unit_per_count
        rates = fastest_growth(self._points.components, self._points.quantities, self._limits)
        self._judge = Judge(layout.points, self._interval_s, scales=scales, max_rates=rates)

    async def read(self) -> Poll:
        """Read every point once. See `collectors.source.Source`."""
        deadline = asyncio.get_running_loop().time() + self._seconds
        layout = self._inventory.layout
        if layout is None:
            layout = await self._inventory.take(self._exchange(deadline))
        if layout is not self._layout:
            self._use(layout)
        exchange = self._exchange(deadline)
        await self._fetch(layout, exchange)
        poll = self._poll(layout, exchange)
        await self._inventory.refresh(exchange, changed=layout.differs_from(exchange.answers))
        return poll

    async def close(self) -> None:
        """Let go of the agent."""
        await self._session.close()
        self._faults.forget()

    def _exchange(self, deadline: float) -> Exchange:
        return Exchange(self._session, self._sizes, deadline, on_fault=self._faults.count)

    async def _fetch(self, layout: Layout, exchange: Exchange) -> None:
        """Ask for every row; an agent that falls silent midway still gives what it gave.

        Raises:
            DeviceError: it gave nothing.
        """
        try:
            await exchange.run(self._requests(layout))
            await exchange.get(unasked(layout, exchange.answers.keys() | exchange.failures.keys()))
        except (DeviceTimeout, DeviceGarbled):
            if not exchange.answers:
                raise
        if not exchange.answers:
            nothing = "the agent's answers hold nothing of what was asked"
            raise DeviceRefused(next(iter(exchange.failures.values()), nothing))

    def _requests(self, layout: Layout) -> tuple[Request, ...]:
        """The plan, made anew when the layout or the sizes have changed."""
        sizes = (self._sizes.get, self._sizes.bulk)
        if self._planned_for != sizes:
            self._plan = plan(layout, self._sizes, bulk=self._session.can_bulk)
            self._planned_for = sizes
        return self._plan

    def _poll(self, layout: Layout, exchange: Exchange) -> Poll:
        sampled_at_us = time.time_ns() // 1000
        raw, reasons = read_numbers([exchange.answers.get(oid) for oid in layout.oids])
        unavailable = layout.conversion.unavailable(raw)
        refused = layout.refusals(exchange.answers)
        unavailable[list(refused)] = True
        value = layout.conversion.convert(raw)
        quality = self._judge.judge(value, unavailable, sampled_at_us)
        for row in np.flatnonzero(unavailable).tolist():
            reasons[row] = f"not available: the device answers {raw[row]:g}"
        reasons |= refused
        for row in np.flatnonzero(quality == Quality.BAD).tolist():
            reasons.setdefault(row, "the device does not state its decimal digits, factor or unit")
        for row, oid in enumerate(layout.oids):
            if oid in exchange.failures:
                reasons[row] = exchange.failures[oid]
        failures = tuple(PointFailure(row, reason) for row, reason in sorted(reasons.items()))
        return Poll(self._points, sampled_at_us, value, quality, failures)
