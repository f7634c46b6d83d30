"""The objects of a simulated SNMP agent: a profile's points, encoded as the device would. Pure.

Encoding is written apart from the collector's decoding, so that a mistake in one shows.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from collectors.profile import Match, SnmpPoint, SnmpSection
from collectors.snmp.index import names_of, parse_pattern, read_component
from collectors.snmp.oid import Oid, parse_oid

Kind = Literal[
    "Integer32",
    "Unsigned32",
    "Counter32",
    "Counter64",
    "TimeTicks",
    "OctetString",
    "ObjectIdentifier",
]
RawValue = int | str
LiveValue = Callable[[str, str], float | None]
"""Value of a component's quantity in its unit; None while there is none."""

RANGES: dict[str, tuple[int, int]] = {
    "Integer32": (-(2**31), 2**31 - 1),
    "Unsigned32": (0, 2**32 - 1),
    "Counter32": (0, 2**32 - 1),
    "Counter64": (0, 2**64 - 1),
    "TimeTicks": (0, 2**32 - 1),
}
TRUE, FALSE = 1, 2
"""TruthValue, RFC 2579."""


@dataclass(frozen=True, slots=True)
class SnmpObject:
    """One instance: how its value is had now, and whose it is. None: no such instance."""

    kind: Kind
    read: Callable[[], RawValue | None]
    component: str = ""


@dataclass(slots=True)
class ObjectTree:
    """Instances in the order that GETNEXT walks them."""

    objects: dict[Oid, SnmpObject]
    order: list[Oid] = field(init=False)

    def __post_init__(self) -> None:
        self.order = sorted(self.objects)

    def after(self, oid: Oid) -> Iterable[Oid]:
        """The OIDs that follow."""
        for position in range(bisect_right(self.order, oid), len(self.order)):
            yield self.order[position]


@dataclass(frozen=True, slots=True)
class Encoder:
    """Turns one component's live value into the point's raw one."""

    point: SnmpPoint
    component: str
    value: LiveValue

    def available(self) -> int:
        """TruthValue: whether there is a value."""
        return FALSE if self.value(self.component, self.point.quantity) is None else TRUE

    def raw(self) -> RawValue | None:
        """What the agent answers; None for noSuchInstance."""
        point = self.point
        value = self.value(self.component, point.quantity)
        if value is None:
            return self._nothing()
        digits = point.digits.typical if point.digits else 0
        factor = point.factor.by_code[point.factor.typical] if point.factor else 1.0
        exact = (value - point.offset) / point.scale / factor * 10**digits
        if point.type == "OctetString":
            return f"{exact:.10g}"
        return self._whole(exact)

    def _whole(self, exact: float) -> int:
        """Gauges are rounded; a register shows only counts that are full, and starts again."""
        low, high = RANGES[self.point.type]
        if self.point.counter is None:
            return min(max(round(exact), low), high)
        count = math.floor(exact + 1e-6)
        modulus = self.point.counter.modulus
        return count % int(modulus) if modulus else min(count, high)

    def _nothing(self) -> RawValue | None:
        point = self.point
        if point.sentinels:
            return int(point.sentinels[0])
        if point.negative_means_missing:
            return -1
        return 0 if point.available_oid is not None else None


def profile_objects(
    section: SnmpSection, components: Iterable[str], value: LiveValue
) -> dict[Oid, SnmpObject]:
    """Every instance that a device with these components has."""
    objects: dict[Oid, SnmpObject] = {}
    labelled: dict[tuple[Match, ...], int] = {}
    names = tuple(components)
    for point in section.points:
        for component in names:
            suffix = _suffix(point, component, value, labelled)
            if suffix is not None:
                objects.update(_instances(Encoder(point, component, value), suffix))
    return objects


def _suffix(
    point: SnmpPoint, component: str, value: LiveValue, labelled: dict[tuple[Match, ...], int]
) -> Oid | None:
    """The row where a component's point stands; None where it has none."""
    if point.index is None:
        return () if component == point.component else None
    names = read_component(point.component, component)
    if names is None:
        return None
    if point.where:
        if value(component, point.quantity) is None:
            return None  # another point's row: this component is of another kind
        if not names_of(point.component):
            row = labelled.setdefault(point.where, len(labelled) + 1)
            pattern = parse_pattern(point.index)
            names = {part: row for part in pattern.parts if isinstance(part, str)}
    return parse_pattern(point.index).suffix(names)


def _instances(encoder: Encoder, suffix: Oid) -> Iterable[tuple[Oid, SnmpObject]]:
    """The value and the columns that tell about it."""
    point, component = encoder.point, encoder.component
    yield parse_oid(point.oid) + suffix, SnmpObject(point.type, encoder.raw, component)
    if point.digits is not None:
        digits = point.digits.typical
        yield (
            parse_oid(point.digits.oid) + suffix,
            SnmpObject("Unsigned32", lambda: digits, component),
        )
    if point.factor is not None:
        code = point.factor.typical
        yield (
            parse_oid(point.factor.oid) + suffix,
            SnmpObject("Integer32", lambda: code, component),
        )
    if point.ok_when is not None:
        yield parse_oid(point.ok_when.oid) + suffix, _label(point.ok_when, component)
    if point.available_oid is not None:
        yield (
            parse_oid(point.available_oid) + suffix,
            SnmpObject("Integer32", encoder.available, component),
        )
    for match in point.where:
        yield parse_oid(match.oid) + suffix, _label(match, component)
    if point.fahrenheit_when is not None:
        celsius = 0 if point.fahrenheit_when.equals else 1
        yield parse_oid(point.fahrenheit_when.oid), SnmpObject("Integer32", lambda: celsius)


def _label(where: Match, component: str) -> SnmpObject:
    """What the row says it is."""
    label = where.equals
    if isinstance(label, int):
        return SnmpObject("Integer32", lambda: label, component)
    is_oid = all(part.isdecimal() for part in label.split(".")) and label.count(".") > 2  # noqa: PLR2004 - no name looks like an OID
    return SnmpObject("ObjectIdentifier" if is_oid else "OctetString", lambda: label, component)


def system_objects(
    sys_descr: str, sys_object_id: str, up_time_s: Callable[[], float]
) -> Mapping[Oid, SnmpObject]:
    """SNMPv2-MIB's system group, as far as devices are known by it."""
    return {
        (1, 3, 6, 1, 2, 1, 1, 1, 0): SnmpObject("OctetString", lambda: sys_descr),
        (1, 3, 6, 1, 2, 1, 1, 2, 0): SnmpObject("ObjectIdentifier", lambda: sys_object_id),
        (1, 3, 6, 1, 2, 1, 1, 3, 0): SnmpObject(
            "TimeTicks", lambda: int(up_time_s() * 100) % 2**32
        ),
    }
