"""Finding out what a device has, a step at a time, so that a slow agent's survey can span reads."""

from __future__ import annotations

from collections import deque

from collectors.profile import SnmpSection
from collectors.snmp.exchange import Exchange
from collectors.snmp.layout import Findings, candidates, value_columns
from collectors.snmp.oid import Oid

MOST_ROWS = 10_000
"""Of one column; an agent with more is held to be mad."""


class Survey:
    """Walks the value columns, then gets the details of the rows found.

    Each `step` is one column or one request; what it found stays when a later one fails.
    """

    def __init__(self, section: SnmpSection) -> None:
        self.findings = Findings()
        self._section = section
        self._columns = deque(value_columns(section))
        self._details: list[Oid] | None = None

    @property
    def done(self) -> bool:
        """Whether every step has been taken."""
        return not self._columns and self._details == []

    async def step(self, exchange: Exchange) -> None:
        """Take the next step.

        Raises:
            DeviceError: as the exchange raises it; the step can be taken again.
        """
        if self._columns:
            column = self._columns[0]
            self.findings.rows[column] = await exchange.walk(column, at_most=MOST_ROWS)
            self._columns.popleft()
            return
        if self._details is None:
            found = candidates(self._section, self.findings.rows)
            self._details = list(dict.fromkeys(oid for c in found for oid in c.details()))
        wanted = self._details[: self._section.limits.varbinds_per_get]
        await exchange.get(wanted)
        self.findings.cells.update(
            (o, exchange.answers[o]) for o in wanted if o in exchange.answers
        )
        self._details = self._details[len(wanted) :]
