"""The fewest requests that read a layout: GETBULK for columns wanted whole, else GET. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from collectors.snmp.layout import Layout
from collectors.snmp.oid import Oid
from collectors.snmp.session import Request
from collectors.snmp.sizes import Sizes

SHORTEST_RUN = 3
"""Below this a GET is no dearer than a GETBULK."""
DENSEST_WASTE = 2
"""A run is read whole where at most one row in so many is unwanted."""


def plan(layout: Layout, sizes: Sizes, *, bulk: bool = True) -> tuple[Request, ...]:
    """Requests that together ask for every OID of the layout; `bulk` is False for SNMPv1."""
    alike: dict[_Run, list[Oid]] = {}
    for column, run in _runs(layout) if bulk else ():
        alike.setdefault(run, []).append(column)
    rest = _not_in(alike, layout)
    for run, columns in sorted(alike.items(), key=_varbinds):
        room = -len(rest) % sizes.get
        if _varbinds((run, columns)) <= room:  # the GET that is asked anyway takes the table along
            del alike[run]
            rest = _not_in(alike, layout)
    return (*_bulk_requests(alike, sizes.bulk), *get_requests(rest, sizes))


def _varbinds(columns_alike: tuple[_Run, list[Oid]]) -> int:
    run, columns = columns_alike
    return len(run.suffixes) * len(columns)


def _not_in(alike: Mapping[_Run, list[Oid]], layout: Layout) -> list[Oid]:
    """What these columns with the same rows do not bring."""
    brought = {
        c + suffix for run, columns in alike.items() for c in columns for suffix in run.suffixes
    }
    return [oid for oid in layout.polled if oid not in brought]


def get_requests(oids: Sequence[Oid], sizes: Sizes) -> tuple[Request, ...]:
    """GETs of so many varbinds each."""
    return tuple(
        Request(tuple(oids[start : start + sizes.get])) for start in range(0, len(oids), sizes.get)
    )


@dataclass(frozen=True, slots=True)
class _Run:
    """Neighbouring rows of a column; `before` is the row that precedes them, empty for none."""

    before: Oid
    suffixes: tuple[Oid, ...]

    def pieces(self, size: int) -> Iterator[_Run]:
        for start in range(0, len(self.suffixes), size):
            before = self.suffixes[start - 1] if start else self.before
            yield _Run(before, self.suffixes[start : start + size])


def _runs(layout: Layout) -> Iterator[tuple[Oid, _Run]]:
    """The columns worth reading whole, from the first wanted row to the last."""
    wanted = set(layout.polled)
    for column, present in layout.rows.items():
        rows = [i for i, suffix in enumerate(present) if column + suffix in wanted]
        if len(rows) < SHORTEST_RUN:
            continue
        first, last = rows[0], rows[-1]
        if (last - first + 1) <= DENSEST_WASTE * len(rows):
            yield column, _Run(present[first - 1] if first else (), present[first : last + 1])


def _bulk_requests(alike: Mapping[_Run, list[Oid]], size: int) -> Iterator[Request]:
    """Columns with the same rows share requests of at most so many varbinds."""
    for run, columns in alike.items():
        together = _columns_together(len(run.suffixes), len(columns), size)
        for piece in run.pieces(size // together):
            for start in range(0, len(columns), together):
                oids = tuple(column + piece.before for column in columns[start : start + together])
                yield Request(oids, len(piece.suffixes))


def _columns_together(rows: int, columns: int, size: int) -> int:
    """How many columns one request takes, so that there are fewest requests."""

    def requests(together: int) -> int:
        return -(-columns // together) * -(-rows // (size // together))

    return min(range(1, min(columns, size) + 1), key=requests)


def unasked(layout: Layout, answered: Collection[Oid]) -> list[Oid]:
    """What the planned requests did not bring, as where a table's rows have moved."""
    return [oid for oid in layout.polled if oid not in answered]
