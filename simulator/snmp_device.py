"""A simulated SNMP device: answers requests from its objects, with faults that can be switched."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Literal

from collectors.profile import Profile
from collectors.snmp.oid import Oid
from simulator.snmp_objects import (
    LiveValue,
    ObjectTree,
    RawValue,
    SnmpObject,
    profile_objects,
    system_objects,
)

Absent = Literal["noSuchObject", "noSuchInstance", "endOfMibView"]
Answer = tuple[Oid, str, RawValue]
"""OID, kind and value; where there is none, the kind is an Absent."""


@dataclass(slots=True)
class SnmpFaults:
    """What is wrong with the device; all off at first."""

    delay_s: float = 0.0
    """Before each answer."""
    silent: bool = False
    garbage: bytes | None = None
    """Sent instead of each answer."""
    hidden: set[str] = field(default_factory=set)
    """Components that have gone: their rows are no longer there."""
    missing: set[Oid] = field(default_factory=set)
    """Instances that are not there any more."""
    wrong_type: set[Oid] = field(default_factory=set)
    """Instances that answer with a text."""
    frozen: bool = False
    """Every value stays as it was."""
    largest_answer: int | None = None
    """Varbinds; a larger one is tooBig."""
    longest_bulk: int | None = None
    """Varbinds at which a GETBULK's answer is cut short."""


class TooBig(Exception):
    """The answer would hold more varbinds than the device can send."""


class SnmpDevice:
    """One device, whatever the protocol's version.

    Args:
        profile: the device model; its `snmp` section is given.
        components: what it has, such as `""`, `inlet.1`, `outlet.7`.
        value: the live value of a component's quantity, asked at each request.
    """

    def __init__(self, profile: Profile, components: Iterable[str], value: LiveValue) -> None:
        assert profile.snmp is not None
        self.faults = SnmpFaults()
        self._value = value
        self._section = profile.snmp
        self._descr = f"{profile.maker} {profile.model}"
        self._started = time.monotonic()
        self._starts: dict[tuple[str, str], float] = {}
        self._kept: dict[Oid, RawValue | None] = {}
        self.set_components(components)

    def set_components(self, components: Iterable[str]) -> None:
        """Change what the device has."""
        identity = self._section.identity.sys_object_id or "0.0"
        up_time = system_objects(self._descr, identity, lambda: time.monotonic() - self._started)
        rows = profile_objects(self._section, components, self._live)
        self._tree = ObjectTree({**up_time, **rows})

    def reset_counters(self) -> None:
        """Start every register at 0 again, as a user or a power loss does."""
        components = {found.component for found in self._tree.objects.values()}
        registers = {point.quantity for point in self._section.points if point.counter is not None}
        for component, quantity in product(components, registers):
            self._starts[component, quantity] = self._value(component, quantity) or 0.0

    def get(self, oids: Sequence[Oid]) -> list[Answer]:
        """GET.

        Raises:
            TooBig: as its fault says.
        """
        self._check_size(len(oids))
        return [self._answer(oid) for oid in oids]

    def get_next(self, oids: Sequence[Oid]) -> list[Answer]:
        """GETNEXT.

        Raises:
            TooBig: as its fault says.
        """
        return self.get_bulk(oids, 0, 1)

    def get_bulk(self, oids: Sequence[Oid], non_repeaters: int, repetitions: int) -> list[Answer]:
        """GETBULK (RFC 3416, 4.2.3).

        Raises:
            TooBig: as its fault says.
        """
        answers = [self._next(oid) for oid in oids[:non_repeaters]]
        cursors = list(oids[non_repeaters:])
        for _ in range(repetitions):
            row = [self._next(oid) for oid in cursors]
            answers += row
            cursors = [oid for oid, _, _ in row]
            if all(kind == "endOfMibView" for _, kind, _ in row):
                break
        self._check_size(len(answers))
        return answers[: self.faults.longest_bulk]

    def _check_size(self, varbinds: int) -> None:
        if self.faults.largest_answer is not None and varbinds > self.faults.largest_answer:
            raise TooBig

    def _next(self, after: Oid) -> Answer:
        for oid in self._tree.after(after):
            if not self._gone(oid):
                kind, value = self._read(oid)
                if kind != "noSuchInstance":
                    return oid, kind, value
        return after, "endOfMibView", 0

    def _answer(self, oid: Oid) -> Answer:
        if oid not in self._tree.objects:
            sibling = next(iter(self._tree.after(oid[:-1])), ())
            known_column = sibling[: len(oid) - 1] == oid[:-1]
            return oid, "noSuchInstance" if known_column else "noSuchObject", 0
        if self._gone(oid):
            return oid, "noSuchInstance", 0
        return (oid, *self._read(oid))

    def _gone(self, oid: Oid) -> bool:
        faults = self.faults
        return oid in faults.missing or self._tree.objects[oid].component in faults.hidden

    def _read(self, oid: Oid) -> tuple[str, RawValue]:
        found: SnmpObject = self._tree.objects[oid]
        if oid in self.faults.wrong_type:
            return "OctetString", "error"
        value = self._kept[oid] if self.faults.frozen and oid in self._kept else found.read()
        self._kept[oid] = value
        return ("noSuchInstance", 0) if value is None else (found.kind, value)

    def _live(self, component: str, quantity: str) -> float | None:
        value = self._value(component, quantity)
        start = self._starts.get((component, quantity), 0.0)
        return value if value is None else value - start
