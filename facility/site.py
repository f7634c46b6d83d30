"""The site: its devices, power path, meters, PUE boundary, and where its data goes.

This is the expanded form that everything else reads: no groups, no inventory, every default filled
in. `facility.site_file` makes it from `site.yaml`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from facility.address import AddressUrl
from facility.alert_settings import Alerts
from facility.lake_address import BucketUrl, CatalogueUrl, EndpointUrl
from facility.model import Model
from facility.roles import DeviceRole, MeterRole
from facility.secret import Secret


def _known_time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(
            f"unknown time zone {name!r}; write an IANA name such as Asia/Seoul"
        ) from None
    return name


KnownTimeZone = Annotated[str, AfterValidator(_known_time_zone)]


def _number_as_text(value: object) -> object:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number else value


PlaceName = Annotated[str, BeforeValidator(_number_as_text, json_schema_input_type=str | int)]
"""Name of a hall, row or rack; a bare number is taken as its text."""

DeviceId = Annotated[str, Field(pattern=r"^[a-z0-9]+([./_-][a-z0-9]+)*$", max_length=200)]
"""Lower-case path such as `hall-1/row-03/rack-12/pdu-a`."""


GpuUuid = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]+$", max_length=80)]
GpuUuids = Annotated[tuple[GpuUuid, ...], Field(min_length=1)]
GpuCount = Annotated[int, Field(strict=True, ge=1, le=1000)]
ExpectedGpus = Annotated[
    Annotated[GpuCount, Tag("count")] | Annotated[GpuUuids, Tag("uuids")],
    Discriminator(lambda value: "uuids" if isinstance(value, (list, tuple)) else "count"),
]
"""How many GPUs a node must have, or which, by UUID as NVIDIA prints it."""


class Place(Model):
    """Where a device stands; empty where it belongs to no hall, row or rack."""

    hall: PlaceName = ""
    row: PlaceName = ""
    rack: PlaceName = ""


class SnmpCredential(Model):
    """How to log in to an SNMP agent."""

    version: Annotated[
        Literal["1", "2c", "3"],
        BeforeValidator(_number_as_text, json_schema_input_type=Literal["1", "2c", "3", 1, 3]),
    ] = "2c"
    community: Secret | Literal["public"] = "public"
    user: str = ""
    auth_protocol: Literal["none", "md5", "sha1", "sha224", "sha256", "sha384", "sha512"] = "none"
    auth_key: Secret | None = None
    privacy_protocol: Literal["none", "des", "aes128", "aes192", "aes256", "aes192c", "aes256c"] = (
        "none"
    )
    """aes192 and aes256 extend the key as draft-blumenthal-aes-usm-04, as net-snmp does; aes192c
    and aes256c as draft-reeder-snmpv3-usm-3desede, as Cisco does."""
    privacy_key: Secret | None = None
    context: str = ""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.version == "3") != bool(self.user):
            raise ValueError("user belongs to version 3, and version 3 needs one")
        for name, protocol, key in (
            ("auth", self.auth_protocol, self.auth_key),
            ("privacy", self.privacy_protocol, self.privacy_key),
        ):
            if (protocol == "none") != (key is None):
                raise ValueError(f"give {name}_protocol and {name}_key together, or neither")
        if self.privacy_key is not None and self.auth_key is None:
            raise ValueError("SNMPv3 has no privacy without authentication; add auth_key")
        return self


class HttpCredential(Model):
    """How to log in to an exporter."""

    user: str = ""
    password: Secret | None = None
    bearer_token: Secret | None = None
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if bool(self.user) != (self.password is not None):
            raise ValueError("give user and password together, or neither")
        if self.user and self.bearer_token is not None:
            raise ValueError("give user and password, or bearer_token, not both")
        return self


class Device(Model):
    """One polled device. Profile (what to read), address (where), credential (how)."""

    id: DeviceId
    profile: str
    address: AddressUrl
    role: DeviceRole
    credential: str | None = None
    interval_seconds: float = Field(default=10.0, ge=0.1, le=86400)
    timeout_seconds: float = Field(default=3.0, gt=0, le=300)
    place: Place = Place()
    fed_by: tuple[DeviceId, ...] = ()
    """What it draws its power from: devices or nodes upstream."""
    gpus: ExpectedGpus | None = None
    """The GPUs it must have; those that are not there are booked missing from the first poll on."""


class Feed(Model):
    """One step of the power path; the ends are devices or nodes."""

    source: DeviceId = Field(alias="from")
    target: DeviceId = Field(alias="to")

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Meter(Model):
    """One measurement of energy in the power tree: a device, or a component of it."""

    id: str
    device: DeviceId
    component: str = ""
    role: MeterRole
    accuracy_class: float = Field(default=1.0, gt=0, le=10)
    """Per cent of reading, as in class 0.2S, 0.5, 1."""
    max_power_kw: float | None = Field(default=None, gt=0)
    """What can flow at most; bounds a believable register step."""


def _add_only(value: object) -> object:
    return {"add": value} if isinstance(value, (list, tuple)) else value


class MeterSum(Model):
    """A sum over meter roles. A file may write just the list of roles to add."""

    add: tuple[MeterRole, ...] = Field(min_length=1)
    subtract: tuple[MeterRole, ...] = ()


RoleSum = Annotated[
    MeterSum,
    BeforeValidator(_add_only, json_schema_input_type=MeterSum | tuple[MeterRole, ...]),
]
Category = Literal[1, 2, 3]
"""Where IT energy is metered, ISO/IEC 30134-2: UPS output, PDU output, IT equipment input."""


class Boundary(Model):
    """Which meters make up the energy of the data centre and, for each category, of its IT."""

    id: str = "site"
    e_dc: RoleSum
    e_it: dict[Category, RoleSum]
    minimum_coverage_ratio: float = Field(default=0.99, ge=0, le=1)
    """Below it no PUE is given."""


class LossBand(Model):
    """What a part of the power path loses, as shares of the energy that enters it."""

    low_ratio: float = Field(ge=0, lt=1)
    typical_ratio: float = Field(ge=0, lt=1)
    high_ratio: float = Field(ge=0, lt=1)
    nodes: tuple[str, ...] = ()
    """Patterns (`transformer*`) for the last part of the id of a node that is such a part."""
    source: str = ""
    """Where the figures come from."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.low_ratio <= self.typical_ratio <= self.high_ratio:
            raise ValueError("low_ratio, typical_ratio and high_ratio must not fall in this order")
        return self


LossyPart = DeviceRole | Literal["distribution"]
"""Devices of a role, or what lies between any two meters in series."""


class Factor(Model):
    """What the site states for its KPIs, where no meter tells: see `facility.factors`."""

    name: str
    subject: str = ""
    """A fuel, hall or device; empty for the whole site."""
    value: float | str
    applies_from: AwareDatetime | None = None
    """None: from when it first stood in the site file."""
    applies_to: AwareDatetime | None = None
    """None: until something else is stated."""


class Sasl(Model):
    """How to log in to Kafka."""

    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    user: str
    password: Secret


class Tls(Model):
    """How to know the other end, and be known by it."""

    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    check_host_name: bool = True

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("give certificate_file and key_file together, or neither")
        return self


class Kafka(Model):
    """The broker; without `bootstrap_servers`, the embedded one that `busway up` starts."""

    bootstrap_servers: tuple[str, ...] = ()
    sasl: Sasl | None = None
    tls: Tls | None = None
    partitions: int = Field(default=1, ge=1, le=10000)
    replication: int = Field(default=1, ge=1, le=10)
    retention_hours: float = Field(default=168, gt=0)
    max_message_bytes: int = Field(default=1_000_000, ge=10_000)
    session_timeout_seconds: float = Field(default=45.0, ge=1, le=1800)
    """How long a sink may be silent before another of its group takes over its partitions."""
    topic_prefix: str = Field(default="", pattern=r"^[a-zA-Z0-9._-]{0,100}$")
    """Put before every topic's name, so that several sites can share one cluster."""


class Outbox(Model):
    """The collector's bounded store of what the broker has not taken yet."""

    directory: Path = Path("outbox")
    max_megabytes: float = Field(default=2048, gt=0)
    when_full: Literal["drop_oldest", "stop_polling"] = "drop_oldest"


class Catalogue(Model):
    """A PostgreSQL database that holds the lake's catalogue, for sinks on several hosts."""

    url: CatalogueUrl
    password: Secret | None = None
    tls: Tls | None = None


class Bucket(Model):
    """A place in an S3-compatible object store that holds the lake's files."""

    url: BucketUrl
    endpoint: EndpointUrl | None = None
    """None: Amazon's, over TLS."""
    region: str = "us-east-1"
    url_style: Literal["path", "virtual_host"] = "path"
    """Where a request names the bucket."""
    access_key: Secret
    secret_key: Secret
    ca_file: Path | None = None


KeptTable = Literal["readings", "polls", "readings_1m", "energy_15m", "energy_1d"]
"""Tables whose rows may be dropped by age."""


def _url_only(value: object) -> object:
    return {"url": value} if isinstance(value, str) else value


class Lake(Model):
    """Where rows come to rest: by default all of it in one directory, with an SQLite catalogue."""

    directory: Path = Path("lake")
    catalogue: (
        Annotated[Catalogue, BeforeValidator(_url_only, json_schema_input_type=Catalogue | str)]
        | None
    ) = None
    """A file may write just the URL."""
    bucket: Bucket | None = None
    """Where the Parquet files lie instead of in the directory."""
    flush_seconds: float = Field(default=2.0, gt=0)
    flush_rows: int = Field(default=1_000_000, ge=1)
    flush_megabytes: float = Field(default=256, gt=0)
    retention_days: dict[KeptTable, Annotated[float, Field(gt=0)]] = Field(default={})
    """By table: how long a row is kept; one that is not named is kept for ever."""
    history_hours: float = Field(default=24, gt=0)
    """How far back the lake can be asked as it was then; replaced files stay on disk so long."""


class Site(Model):
    """A whole site, expanded."""

    name: str = Field(min_length=1)
    time_zone: KnownTimeZone = "UTC"
    provisioned_mw: float | None = Field(default=None, gt=0)
    """Contracted or nameplate power, the denominator of every `_provisioned` figure."""
    devices: tuple[Device, ...]
    nodes: tuple[DeviceId, ...] = ()
    """Parts of the power path that nobody polls, such as a transformer."""
    feeds: tuple[Feed, ...] = ()
    """The whole power path; from a site file it holds every device's `fed_by` as well."""
    meters: tuple[Meter, ...] = ()
    boundary: Boundary | None = None
    factors: tuple[Factor, ...] = ()
    loss_bands: dict[LossyPart, LossBand] = Field(default={})
    """Instead of the defaults of `facility.loss_bands`."""
    snmp_credentials: dict[str, SnmpCredential] = Field(default={})
    http_credentials: dict[str, HttpCredential] = Field(default={})
    modbus_credentials: dict[str, Tls] = Field(default={})
    """For `modbus+tls`; a device without one is checked against the system's authorities."""
    kafka: Kafka = Kafka()
    outbox: Outbox = Outbox()
    lake: Lake = Lake()
    alerts: Alerts = Alerts()
