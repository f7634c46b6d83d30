"""A recorded walk that answers as its agent would."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping

from collectors.snmp.oid import Oid
from collectors.snmp.session import Missing, Request, Value, Varbind


class CaptureSession:
    """A `collectors.snmp.session.Session` over the values of a walk."""

    can_bulk = True

    def __init__(self, cells: Mapping[Oid, Value]) -> None:
        self._cells = cells
        self._order = sorted(cells)

    async def ask(self, request: Request) -> list[Varbind]:
        """Answer from the walk."""
        if not request.repetitions:
            return [(oid, self._cells.get(oid, Missing.NO_SUCH_INSTANCE)) for oid in request.oids]
        cursors, varbinds = list(request.oids), list[Varbind]()
        for _ in range(request.repetitions):
            row = [self._after(oid) for oid in cursors]
            cursors = [oid for oid, _ in row]
            varbinds += row
        return varbinds

    async def close(self) -> None:
        """Nothing is held."""

    def _after(self, oid: Oid) -> Varbind:
        place = bisect_right(self._order, oid)
        if place == len(self._order):
            return oid, Missing.END_OF_MIB
        return self._order[place], self._cells[self._order[place]]
