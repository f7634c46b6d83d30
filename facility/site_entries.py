"""The form of `site.yaml` as a person writes it; `facility.site` is what comes of it.

Only what differs from the expanded form is declared here: groups, ranges, selections, defaults.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from facility.address import parse_address
from facility.alert_settings import Alerts
from facility.expansion import Value, range_values
from facility.factors import Factors
from facility.model import Model
from facility.roles import DeviceRole, MeterRole
from facility.site import (
    Boundary,
    ExpectedGpus,
    HttpCredential,
    Kafka,
    KnownTimeZone,
    Lake,
    LossBand,
    LossyPart,
    Outbox,
    Place,
    SnmpCredential,
    Tls,
)

Range = Annotated[
    tuple[Value, ...],
    BeforeValidator(range_values, json_schema_input_type=str | int | list[int | str]),
]
"""`1..10`, or a list of values and ranges such as `[a, b]` or `[1..4, 6]`."""

VariableName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
WrittenRanges = dict[VariableName, Range]
Seconds = Annotated[float, Field(strict=True, ge=0.1, le=86400)]


def _sound_unless_template(address: str) -> str:
    if "{" not in address:
        parse_address(address)
    return address


AddressText = Annotated[str, Field(pattern=r"^[a-z+]+://"), AfterValidator(_sound_unless_template)]


def _id_only(value: object) -> object:
    return {"id": value} if isinstance(value, str) else value


class SiteHead(Model):
    """Who the site is."""

    name: str = Field(min_length=1)
    time_zone: KnownTimeZone = "UTC"
    provisioned_mw: float | None = Field(default=None, gt=0, strict=True)
    """Contracted or nameplate power, the denominator of every `_provisioned` figure."""


class Defaults(Model):
    """What a device has where it states nothing itself."""

    interval_seconds: Seconds = 10.0
    timeout_seconds: Seconds = 3.0
    """Never longer than the device's interval."""


class DeviceEntry(Model):
    """One polled device: what to read, where it is, how to log in."""

    id: str
    """Lower-case path such as `hall-1/row-03/rack-12/pdu-a`."""
    profile: str
    """Name of the device profile: what can be read and how."""
    address: AddressText
    """`modbus://HOST[:PORT][?unit=N]`, `modbus+tls://`, `snmp://`, `http://`, `https://`, `nvml://`."""
    role: DeviceRole
    """What it is in the plant."""
    credential: str | None = None
    """Name of an entry of snmp_credentials, http_credentials or modbus_credentials."""
    interval_seconds: Seconds | None = None
    timeout_seconds: Seconds | None = None
    place: Place = Place()
    fed_by: tuple[str, ...] = ()
    """What it draws its power from: devices or nodes upstream."""
    gpus: ExpectedGpus | None = None
    """GPUs that a GPU node must have: how many, or a list of their UUIDs."""


class Group(DeviceEntry):
    """Many like devices: one for every combination of the variables under `for`.

    `id`, `address`, `place` and `fed_by` may hold placeholders such as `{rack:02}`.
    """

    ranges: WrittenRanges = Field(alias="for", min_length=1)


class NodeEntry(Model):
    """A part of the power path that nobody polls, or many of them."""

    id: str
    ranges: WrittenRanges = Field(default={}, alias="for")


class FeedEntry(Model):
    """One step of the power path, or many of them."""

    source: str = Field(alias="from")
    target: str = Field(alias="to")
    ranges: WrittenRanges = Field(default={}, alias="for")


class Selection(Model):
    """Every device of a role, of a profile, or of both."""

    role: DeviceRole | None = None
    profile: str | None = None

    @model_validator(mode="after")
    def _selects_something(self) -> Self:
        if self.role is None and self.profile is None:
            raise ValueError("selects nothing; give role, profile or both")
        return self


class MeterEntry(Model):
    """One meter, or one for each device of a selection."""

    device: str | None = None
    devices: Selection | None = None
    id: str | None = None
    """The device's id, with `:component` where there is one, unless given."""
    role: MeterRole
    """What it counts."""
    component: str = ""
    """Part of the device that is metered, such as `inlet.1`; empty for the device itself."""
    accuracy_class: float = Field(default=1.0, gt=0, le=10, strict=True)
    """Per cent of reading, as in class 0.2S, 0.5, 1."""
    max_power_kw: float | None = Field(default=None, gt=0, strict=True)
    """What can flow at most; bounds a believable register step."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.device is None) == (self.devices is None):
            raise ValueError("give either device: ID or devices: {role: ..., profile: ...}")
        if self.devices is not None and self.id is not None:
            raise ValueError(
                "id: is for a single device; the meters of a selection name themselves"
            )
        return self


class SiteFile(Model):
    """The whole file."""

    site: SiteHead
    defaults: Defaults = Defaults()
    devices: tuple[DeviceEntry, ...] = ()
    groups: tuple[Group, ...] = ()
    inventory: tuple[str, ...] = ()
    """CSV files of devices, relative to this file."""
    nodes: tuple[
        Annotated[NodeEntry, BeforeValidator(_id_only, json_schema_input_type=str | NodeEntry)], ...
    ] = ()
    feeds: tuple[FeedEntry, ...] = ()
    meters: tuple[MeterEntry, ...] = ()
    boundary: Boundary | None = None
    factors: Factors = Factors()
    loss_bands: dict[LossyPart, LossBand] = Field(default={})
    snmp_credentials: dict[str, SnmpCredential] = Field(default={})
    http_credentials: dict[str, HttpCredential] = Field(default={})
    modbus_credentials: dict[str, Tls] = Field(default={})
    kafka: Kafka = Kafka()
    outbox: Outbox = Outbox()
    lake: Lake = Lake()
    alerts: Alerts = Alerts()
