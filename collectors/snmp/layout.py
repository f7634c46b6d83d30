"""Which of a profile's points one device has, row by row, from what its tables showed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from collectors.profile import Match, SnmpPoint, SnmpSection
from collectors.snmp.decode import Conversion
from collectors.snmp.index import parse_pattern
from collectors.snmp.naming import label_cells, name_rows
from collectors.snmp.oid import Oid, format_oid, parse_oid
from collectors.snmp.session import Missing, Value
from facility.point import PointTable

TRUTH_VALUE_FALSE = 2
LARGEST_DIGITS = 15
"""More decimal digits than a 32-bit number has cannot be meant."""


@dataclass(slots=True)
class Findings:
    """What a survey has seen so far: row suffixes by value column, and single objects."""

    rows: dict[Oid, list[Oid]] = field(default_factory=dict)
    cells: dict[Oid, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A point at one row; a scalar's suffix is empty."""

    point: SnmpPoint
    suffix: Oid

    @property
    def oid(self) -> Oid:
        """Where its value stands."""
        return self.at(self.point.oid)

    def at(self, column: str) -> Oid:
        """Another column of the same row."""
        return parse_oid(column) + self.suffix

    def details(self) -> Iterable[Oid]:
        """The objects that say whether the device has this point, and how to read it."""
        point = self.point
        if point.index is None:
            yield self.oid
        if point.available_oid is not None:
            yield self.at(point.available_oid)
        yield from (self.at(match.oid) for match in point.where)
        if point.digits is not None:
            yield self.at(point.digits.oid)
        if point.factor is not None:
            yield self.at(point.factor.oid)
        yield from label_cells(point, self.suffix)
        if point.fahrenheit_when is not None:
            yield parse_oid(point.fahrenheit_when.oid)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Layout:
    """The points of a device in row order, and how to read and convert each.

    Devices that are alike share one, so it is told from another by identity.
    """

    components: tuple[str, ...]
    points: tuple[SnmpPoint, ...]
    oids: tuple[Oid, ...]
    sources: tuple[str, ...]
    digits: tuple[int | None, ...]
    fahrenheit: tuple[bool | None, ...]
    factors: tuple[float | None, ...]
    conditions: Mapping[int, Oid]
    """By row, the object that says whether its value is one; read with the value."""
    polled: tuple[Oid, ...]
    """Every OID that a poll asks for: the values, then the conditions."""
    rows: Mapping[Oid, tuple[Oid, ...]]
    """Every row suffix of every value column, wanted or not, in order."""
    scalars: frozenset[Oid]
    """The OIDs that are no table's."""
    known: frozenset[Oid]
    """Every OID that a poll may meet; another is a new row."""
    conversion: Conversion

    def table(self, device: str) -> PointTable:
        """The points as one device's."""
        quantities = tuple(point.quantity for point in self.points)
        return PointTable(device, self.components, quantities, self.sources)

    def refusals(self, answers: Mapping[Oid, Value]) -> dict[int, str]:
        """Rows whose condition does not hold, and why: they have no value."""
        return {
            row: f"not available: {format_oid(oid)} answers {_shown(answers.get(oid))}"
            for row, oid in self.conditions.items()
            if not _holds(self.points[row].ok_when, answers.get(oid))
        }

    def differs_from(self, answers: Mapping[Oid, Value]) -> bool:
        """Whether rows have gone, or new ones have come, since the survey."""
        if answers.keys() - self.known:
            return True
        gone = [oid for oid, value in answers.items() if isinstance(value, Missing)]
        return any(oid not in self.scalars for oid in gone)


_layouts: WeakValueDictionary[tuple[object, ...], Layout] = WeakValueDictionary()
"""Those in use: a thousand PDUs of one model take the memory of one."""


def value_columns(section: SnmpSection) -> tuple[Oid, ...]:
    """The columns whose rows must be found, each once."""
    return tuple(dict.fromkeys(parse_oid(p.oid) for p in section.points if p.index is not None))


def candidates(section: SnmpSection, rows: Mapping[Oid, Iterable[Oid]]) -> list[Candidate]:
    """Every point at every row that its index fits, in the profile's order."""
    found: list[Candidate] = []
    for point in section.points:
        if point.index is None:
            found.append(Candidate(point, ()))
            continue
        pattern = parse_pattern(point.index)
        found += [
            Candidate(point, suffix)
            for suffix in rows.get(parse_oid(point.oid), ())
            if pattern.bind(suffix) is not None
        ]
    return found


def build_layout(
    section: SnmpSection, findings: Findings, keep: frozenset[Oid] = frozenset()
) -> Layout:
    """The points that a device with these findings has; the same one for the same findings.

    Scalars that do not answer are left out unless they are among `keep`, those that answered once:
    a device may lack what its family offers, but must not silently lose what it gave.
    """
    taken = _chosen(section, findings, keep)
    chosen, components = tuple(taken.values()), tuple(component for component, _ in taken)
    digits = tuple(_digits(candidate, findings.cells) for candidate in chosen)
    fahrenheit = tuple(_fahrenheit(candidate.point, findings.cells) for candidate in chosen)
    factors = tuple(_factor(candidate, findings.cells) for candidate in chosen)
    oids = tuple(candidate.oid for candidate in chosen)
    conditions = {row: oid for row, c in enumerate(chosen) if (oid := _condition(c)) is not None}
    rows = _rows(findings.rows, chosen)
    stated = (digits, fahrenheit, factors)
    key = (tuple(id(c.point) for c in chosen), components, oids, stated, tuple(rows.items()))
    if (known := _layouts.get(key)) is not None:
        return known
    points = tuple(candidate.point for candidate in chosen)
    layout = _layouts[key] = Layout(
        components=components,
        points=points,
        oids=oids,
        sources=tuple(format_oid(oid) for oid in oids),
        digits=digits,
        fahrenheit=fahrenheit,
        factors=factors,
        conditions=conditions,
        polled=(*oids, *dict.fromkeys(conditions.values())),
        rows=rows,
        scalars=frozenset(candidate.oid for candidate in chosen if not candidate.suffix),
        known=frozenset(oids) | {c + suffix for c, suffixes in rows.items() for suffix in suffixes},
        conversion=Conversion.for_rows(points, *stated),
    )
    return layout


def _chosen(
    section: SnmpSection, findings: Findings, keep: frozenset[Oid]
) -> dict[tuple[str, str], Candidate]:
    """What the device has, by component and quantity; the first in the profile's order wins."""
    there = [
        candidate
        for candidate in candidates(section, findings.rows)
        if candidate.oid in keep or _exists(candidate, findings.cells)
    ]
    names = name_rows([(c.point, c.suffix) for c in there], findings.cells)
    taken: dict[tuple[str, str], Candidate] = {}
    for component, candidate in zip(names, there, strict=True):
        taken.setdefault((component, candidate.point.quantity), candidate)
    return taken


def _rows(
    found: Mapping[Oid, list[Oid]], chosen: Iterable[Candidate]
) -> dict[Oid, tuple[Oid, ...]]:
    """Row suffixes by column: of the values, and of the conditions beside them."""
    rows = {column: tuple(sorted(suffixes)) for column, suffixes in found.items()}
    for candidate in chosen:
        point = candidate.point
        if point.ok_when is not None and point.index is not None:
            rows[parse_oid(point.ok_when.oid)] = rows.get(parse_oid(point.oid), ())
    return rows


def _condition(candidate: Candidate) -> Oid | None:
    ok_when = candidate.point.ok_when
    return None if ok_when is None else candidate.at(ok_when.oid)


def _factor(candidate: Candidate, cells: Mapping[Oid, Value]) -> float | None:
    factor = candidate.point.factor
    if factor is None:
        return 1.0
    code = cells.get(candidate.at(factor.oid))
    return factor.by_code.get(code) if isinstance(code, int) else None


def _exists(candidate: Candidate, cells: Mapping[Oid, Value]) -> bool:
    point = candidate.point
    if point.index is None:
        return not isinstance(cells.get(candidate.oid, Missing.NO_SUCH_OBJECT), Missing)
    if point.available_oid is not None:
        available = cells.get(candidate.at(point.available_oid))
        if available == TRUTH_VALUE_FALSE:
            return False
    return all(_is(cells, match, candidate.suffix) for match in point.where)


def _digits(candidate: Candidate, cells: Mapping[Oid, Value]) -> int | None:
    if candidate.point.digits is None:
        return 0
    stated = cells.get(candidate.at(candidate.point.digits.oid))
    if not isinstance(stated, int) or stated > LARGEST_DIGITS:
        return None
    return max(stated, 0)  # a negative one says how many digits are accurate: RFC 3433


def _fahrenheit(point: SnmpPoint, cells: Mapping[Oid, Value]) -> bool | None:
    return False if point.fahrenheit_when is None else _is(cells, point.fahrenheit_when)


def _is(cells: Mapping[Oid, Value], match: Match, suffix: Oid = ()) -> bool | None:
    """Whether the device says so; None where it says nothing."""
    return _holds(match, cells.get(parse_oid(match.oid) + suffix))


def _holds(match: Match | None, found: Value | None) -> bool | None:
    if match is None or found is None or isinstance(found, Missing):
        return None
    if isinstance(found, bytes):
        return found.decode("utf-8", "replace") == match.equals
    if isinstance(found, tuple):
        return format_oid(found) == match.equals
    return found == match.equals


def _shown(found: Value | None) -> str:
    """A cell in a sentence for a person."""
    if found is None:
        return "nothing"
    if isinstance(found, Missing):
        return found.value
    if isinstance(found, bytes):
        return repr(found.decode("utf-8", "replace")[:40])
    return format_oid(found) if isinstance(found, tuple) else str(found)
