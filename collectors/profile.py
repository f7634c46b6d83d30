"""What a device model offers and how to read it: one YAML file a model, no Python.

The same profile drives the collector and the simulated device. Everything a driver must convert is
said here; a value that leaves a driver is in the catalogue's unit.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from collectors.snmp.index import names_of, parse_pattern
from facility.catalogue import load_catalogue

WordOrder = Literal["ABCD", "CDAB", "BADC", "DCBA"]
"""Bytes of a value as sent: ABCD is big-endian, CDAB low word first, BADC and DCBA the same with
the two bytes of each register swapped (so they matter for one register too)."""

RegisterType = Literal[
    "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64", "bit"
]
RegisterTable = Literal["holding", "input", "coil", "discrete"]
"""Function codes 3, 4, 1 and 2."""


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from None
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]
"""A regular expression that is to be found anywhere in a text; empty: nothing is asked."""


class Model(BaseModel):
    """Base of the profile models: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Counter(Model):
    """Facts of a counter, in raw counts as the device holds them (before `scale`)."""

    modulus: float | None = Field(default=None, gt=0)
    """The count at which it starts again from 0; None when it never does in a meter's life."""
    resets: Literal["never", "by_user", "on_power_loss", "on_driver_reload", "on_restart"] = "never"
    resolution: float = Field(default=1.0, gt=0)
    """Smallest step."""
    max_rate: float | None = Field(default=None, gt=0)
    """Fastest believable growth, in counts per second; a faster step is `uncertain`."""


def _known_quantity(name: str) -> str:
    if name not in load_catalogue():
        raise ValueError(f"{name!r} is not in facility/quantities.yaml; add it there first")
    return name


class Point(Model):
    """One value of the device: `value = raw * scale + offset`, in the quantity's unit."""

    quantity: Annotated[str, AfterValidator(_known_quantity)]
    component: str = ""
    """Part of the device. In a table, names of the index stand in braces: `outlet.{outlet}`."""
    scale: float = 1.0
    offset: float = 0.0
    sentinels: tuple[float, ...] = ()
    """Raw values that mean "no value"; NaN always does."""
    negative_means_missing: bool = False
    plausible: tuple[float, float] | None = None
    """Narrower than the quantity's own range, in its unit; outside, the reading is `uncertain`."""
    counter: Counter | None = None
    states: dict[int, str] = {}
    """Names of the device's codes, for a person."""
    note: str = ""

    @model_validator(mode="after")
    def _fits_the_catalogue(self) -> Self:
        quantity = load_catalogue()[self.quantity]
        if quantity.kind == "gauge" and self.counter is not None:
            raise ValueError(f"{self.quantity} is a gauge and cannot have counter facts")
        if quantity.kind == "counter" and self.counter is None:
            raise ValueError(f"{self.quantity} is a counter; state its facts under `counter:`")
        return self


class ModbusPoint(Point):
    """A value in one or more registers; `address` is the 0-based one on the wire."""

    address: int = Field(ge=0, le=65535)
    type: RegisterType
    table: RegisterTable | None = None
    word_order: WordOrder | None = None
    bit: int | None = Field(default=None, ge=0, le=15)
    """Which bit of a register, 0 the least significant, where `type` is `bit`."""
    exponent_address: int | None = Field(default=None, ge=0, le=65535)
    """Register with a power of ten (int16) to multiply by, as SunSpec's scale factors."""
    typical_exponent: int = Field(default=0, ge=-10, le=10)
    """What the exponent register holds on devices seen so far; the simulator answers it."""
    coding: Literal["plain", "four_quadrant"] = "plain"
    """`four_quadrant`: a power factor beyond +-1 is leading, counted back from +-2."""


class ModbusLimits(Model):
    """What the device bears."""

    largest_block: int = Field(default=125, ge=1, le=125)
    """Registers in one read."""
    largest_gap: int = Field(default=0, ge=0, le=124)
    """Unwanted registers worth reading along; 0 where undefined registers answer with errors or
    zeros."""
    gap_milliseconds: float = Field(default=0, ge=0)
    """Silence the device needs between requests."""
    connections: int = Field(default=1, ge=1)


class KnownValue(Model):
    """A point whose value is nearly certain, such as a mains frequency."""

    quantity: str
    component: str = ""
    between: tuple[float, float]


class SunSpecModel(Model):
    """A SunSpec information model, and the address of its ID register that the profile expects."""

    model: int = Field(ge=1, le=65534)
    address: int = Field(ge=0, le=65535)


class ModbusIdentity(Model):
    """How to know the device, from strongest to weakest.

    By its identification objects (function code 43/14), upper or lower case; a SunSpec model; a
    value nearly certain. Leave empty what no document states: a unit that gives an object which
    does not fit is not taken for this device.
    """

    vendor_name: Pattern = ""
    product_code: Pattern = ""
    revision: Pattern = ""
    model_name: Pattern = ""
    sunspec: SunSpecModel | None = None
    known_value: KnownValue | None = None


class ModbusSection(Model):
    """The device over Modbus TCP."""

    table: RegisterTable = "holding"
    word_order: WordOrder = "ABCD"
    limits: ModbusLimits = ModbusLimits()
    identity: ModbusIdentity = ModbusIdentity()
    points: tuple[ModbusPoint, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _reads_its_known_value(self) -> Self:
        known = self.identity.known_value
        read = {(point.component, point.quantity) for point in self.points}
        if known is not None and (known.component, known.quantity) not in read:
            raise ValueError(
                f"identity.known_value: no point gives {known.quantity} of component "
                f"{known.component!r}"
            )
        return self


class Digits(Model):
    """Decimal digits that the device itself states, row by row: value = raw / 10^digits."""

    oid: str
    typical: int = 0
    """What the devices seen so far answer; the simulator answers it too."""


class Factor(Model):
    """A factor that the device itself states, row by row, by a code: value = raw * factor."""

    oid: str
    by_code: dict[int, Annotated[float, Field(gt=0)]] = Field(min_length=1)
    typical: int
    """A code that devices seen so far answer; the simulator answers it too."""

    @model_validator(mode="after")
    def _knows_its_typical_code(self) -> Self:
        if self.typical not in self.by_code:
            raise ValueError(f"typical: {self.typical} is not among by_code")
        return self


class Match(Model):
    """What the device itself says: its object `oid` answers `equals`."""

    oid: Annotated[str, Field(pattern=r"^1(\.\d+)+$")]
    equals: int | str
    """A number, a text, or an OBJECT IDENTIFIER in dotted form."""


def _as_tuple(value: object) -> object:
    return value if isinstance(value, (list, tuple)) else (value,)


Matches = Annotated[
    tuple[Match, ...],
    BeforeValidator(_as_tuple, json_schema_input_type=Match | tuple[Match, ...]),
]
"""All must hold. A file may write just one."""


class SnmpPoint(Point):
    """A scalar (`oid` with its instance) or a table column (`index` says how rows are named)."""

    oid: Annotated[str, Field(pattern=r"^1(\.\d+)+$")]
    index: str | None = None
    """Row suffix by parts: numbers must match, `{name}` binds one part: `{pdu}.{outlet}.5`."""
    digits: Digits | None = None
    """OID of the digits, a column with the same index."""
    factor: Factor | None = None
    """Column with the same index that says by what to multiply, before `scale`."""
    ok_when: Match | None = None
    """Column, or a scalar's neighbour, read with the value: else the row has no value now."""
    labels: dict[str, tuple[str, ...]] = {}
    """Columns of text by index name: the first that holds one names the row instead of its number;
    where several rows have the same text, the number is added."""
    available_oid: str | None = None
    """Column (TruthValue) that says whether the row has a sensor at all."""
    where: Matches = ()
    """Columns that say which row this is, where rows stand in no fixed order; the first wins."""
    fahrenheit_when: Match | None = None
    """Scalar that says the value, after `scale`, is in degrees Fahrenheit; without it there is no
    value."""
    fallback: bool = False
    """Read where the device lacks the point above of the same component and quantity."""
    type: Literal[
        "Integer32", "Unsigned32", "Counter32", "Counter64", "TimeTicks", "OctetString"
    ] = "Integer32"
    """As the MIB declares it; what the simulator serves."""

    @model_validator(mode="after")
    def _names_its_rows(self) -> Self:
        if self.index is None:
            if self.available_oid is not None or self.where:
                raise ValueError("available_oid and where are columns: give the index, too")
            return self
        bound = {part for part in parse_pattern(self.index).parts if isinstance(part, str)}
        named = set(names_of(self.component))
        if unnamed := self.labels.keys() - named:
            raise ValueError(
                f"labels: component {self.component!r} does not name {{{min(unnamed)}}}"
            )
        if named - bound:
            raise ValueError(
                f"component {self.component!r} names {{{min(named - bound)}}}, which index "
                f"{self.index!r} does not bind"
            )
        if bound - named and not self.where:
            raise ValueError(
                f"index {self.index!r} binds {{{min(bound - named)}}}, which component "
                f"{self.component!r} does not name: several rows would be one component"
            )
        return self


class SnmpIdentity(Model):
    """How to know the agent."""

    sys_object_id: str = ""
    """Prefix of sysObjectID.0."""
    sys_descr: Pattern = ""
    """Regular expression found in sysDescr.0."""
    subtree: Annotated[str, Field(pattern=r"^(1(\.\d+)+)?$")] = ""
    """Objects that speak for the profile by being there: a standard's, of any maker's agent. Asked
    for only where no profile fits by what the agent says of itself."""


class SnmpLimits(Model):
    """What the agent bears."""

    varbinds_per_get: int = Field(default=24, ge=1, le=200)
    max_repetitions: int = Field(default=20, ge=1, le=200)


class SnmpSection(Model):
    """The device over SNMP."""

    identity: SnmpIdentity = SnmpIdentity()
    limits: SnmpLimits = SnmpLimits()
    points: tuple[SnmpPoint, ...] = Field(min_length=1)


class DcgmPoint(Point):
    """A DCGM field, by id; `names` are all it has gone by, as exporters print them."""

    field: int
    names: tuple[str, ...] = Field(min_length=1)


class DcgmSection(Model):
    """GPUs behind dcgm-exporter's text, or NVML."""

    points: tuple[DcgmPoint, ...] = Field(min_length=1)


class SeriesPoint(Point):
    """A series of an exporter's text, by name; several of one row are added up.

    `component` names labels in braces, as in `model.{model_name}/le.{le}`: parts after a `/` whose
    label a series lacks are left out. A histogram's buckets are points of their own, by `le`.
    """

    names: tuple[str, ...] = Field(min_length=1)
    """All it has gone by, today's first; where several are printed, the first counts."""
    labels: dict[str, tuple[str, ...]] = {}
    """Label and the values it may have, "" where a series lacks it; series with others are not of
    this point."""


class ExporterSection(Model):
    """A program behind Prometheus text over HTTP."""

    points: tuple[SeriesPoint, ...] = Field(min_length=1)


class Source(Model):
    """Where the map came from: whoever doubts a value starts here."""

    document: str
    licence: str = ""
    verified_with: str = ""
    """What the decode was checked against: a capture, a vendor's worked value. Empty: nothing."""


class Profile(Model):
    """A device model. Exactly one of `modbus`, `snmp`, `dcgm` and `exporter` is given."""

    name: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    maker: str
    model: str
    kind: Literal[
        "meter",
        "pdu",
        "ups",
        "chiller",
        "cdu",
        "air_handler",
        "gpu_node",
        "inference_server",
        "sensor",
        "pump",
    ]
    source: Source
    modbus: ModbusSection | None = None
    snmp: SnmpSection | None = None
    dcgm: DcgmSection | None = None
    exporter: ExporterSection | None = None

    @model_validator(mode="after")
    def _one_protocol(self) -> Self:
        sections = (self.modbus, self.snmp, self.dcgm, self.exporter)
        if (given := sum(section is not None for section in sections)) != 1:
            raise ValueError(f"give exactly one of modbus, snmp, dcgm and exporter; found {given}")
        seen: set[tuple[str, str]] = set()
        for point in self.points:
            key = (point.component, point.quantity)
            if isinstance(point, SnmpPoint) and point.fallback:
                continue
            if key in seen:
                raise ValueError(
                    f"two points give {point.quantity} of component {point.component!r}"
                )
            seen.add(key)
        return self

    @property
    def protocol(self) -> Literal["modbus", "snmp", "dcgm", "exporter"]:
        """Which of the sections is given."""
        if self.modbus is not None:
            return "modbus"
        if self.snmp is not None:
            return "snmp"
        return "dcgm" if self.dcgm is not None else "exporter"

    @property
    def points(self) -> tuple[Point, ...]:
        """The points, whatever the protocol."""
        section = self.modbus or self.snmp or self.dcgm or self.exporter
        assert section is not None
        return section.points
