"""A rule: what is watched, when that is an alert, and what people are told then."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from alerts.condition import (
    KNOWN_OF_SITE,
    Above,
    Below,
    Bits,
    Codes,
    Condition,
    Count,
    Frozen,
    Names,
    NoData,
    PathSum,
    Positive,
    Rate,
    Reference,
    Spread,
    Sql,
)
from alerts.message import NAMES, unknown_names
from facility.alert_settings import ValueName
from facility.catalogue import load_catalogue
from facility.mistakes import did_you_mean
from facility.model import Model
from facility.roles import DeviceRole

ACT_AT_ONCE = 1
"""The priority that must say why it is one."""

NotNegative = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]


def _known_quantity(name: str) -> str:
    if name not in load_catalogue():
        raise ValueError(f"{name!r} is no quantity; {did_you_mean(name, load_catalogue())}")
    return name


def _sound_template(text: str) -> str:
    if unknown := unknown_names(text):
        raise ValueError(
            f"{{{unknown[0]}}} is none of {', '.join(sorted(NAMES))}, "
            "and only numbers may say how they are written: {value:.1f}, {value:.0%}"
        )
    return text


QuantityName = Annotated[str, AfterValidator(_known_quantity)]
RuleName = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
Template = Annotated[str, Field(min_length=1), AfterValidator(_sound_template)]


class Select(Model):
    """Which parts of which devices; what is not given may be anything. `*` stands for any text."""

    role: tuple[DeviceRole, ...] = ()
    profile: Names = ()
    device: Names = ()
    hall: Names = ()
    row: Names = ()
    rack: Names = ()
    component: Names = ()
    quantity: QuantityName | None = None


class Simple(Model):
    """Conditions on the value of one part; exactly one is given."""

    above: Above | None = None
    below: Below | None = None
    rate: Rate | None = None
    codes: Codes | None = None
    bits: Bits | None = None

    @property
    def condition(self) -> Condition:
        """The one that is given."""
        given: list[Condition] = [
            getattr(self, kind) for kind in self._kinds() if getattr(self, kind) is not None
        ]
        return given[0]

    @property
    def kind(self) -> str:
        """Its key."""
        return next(kind for kind in self._kinds() if getattr(self, kind) is not None)

    @classmethod
    def _kinds(cls) -> tuple[str, ...]:
        return ("above", "below", "rate", "codes", "bits")

    def _count(self) -> int:
        return sum(getattr(self, kind) is not None for kind in self._kinds())


class Suppression(Simple):
    """What explains an alert, so that nobody need be told: another rule's alert, or a reading."""

    rule: RuleName | None = None
    quantity: QuantityName | None = None
    component: Names = ()
    at: Literal["device", "upstream"] = "device"
    """On the same device, or on any that feeds it."""

    @model_validator(mode="after")
    def _rule_or_reading(self) -> Self:
        if (self.rule is None) == (self.quantity is None):
            raise ValueError("give either rule: NAME, or quantity: and a condition")
        if self._count() != (self.quantity is not None):
            raise ValueError(f"give one of {', '.join(self._kinds())} with quantity")
        return self


class Rule(Simple):
    """One rule. Exactly one condition is given."""

    name: RuleName
    select: Select = Select()
    spread: Spread | None = None
    path_sum: PathSum | None = None
    no_data: NoData | None = None
    frozen: Frozen | None = None
    count: Count | None = None
    sql: Sql | None = None
    on_delay_seconds: NotNegative = 0.0
    """For so long it must hold without pause."""
    off_delay_seconds: NotNegative = 0.0
    """For so long it must be over without pause."""
    latch: bool = False
    """An alert stays until somebody acknowledges it, even when its cause is over."""
    priority: Literal[1, 2, 3, 4]
    """1: act at once, 4: when there is time."""
    class_: str = Field(alias="class", min_length=1)
    """Whose business it is: power, cooling, leak, it, data."""
    message: Template
    """With {value}, {threshold}, {device}, {component}, {quantity}, {unit}, {place}; numbers also
    as {value:.1f} or, in per cent, {value:.0%}."""
    response: str = ""
    """What to do."""
    owner: str = ""
    """Who does it; floods are counted by owner."""
    suppress_when: tuple[Suppression, ...] = ()
    stale_after_seconds: Positive | None = None
    """After so long without a sample nothing is known; by default 3 intervals of the device."""
    urgent: bool = False
    """Told within half a second."""
    enabled: bool = True
    site_values: tuple[ValueName, ...] = ()
    """Figures that the site must state before the rule is on."""
    rationale: str = ""
    """Why it is an alert, of this priority."""
    source: str = ""
    """Where its figures come from."""

    @classmethod
    def _kinds(cls) -> tuple[str, ...]:
        return (
            *super()._kinds(),
            *("spread", "path_sum", "no_data", "frozen", "count", "sql"),
        )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (count := self._count()) != 1:
            raise ValueError(f"give exactly one of {', '.join(self._kinds())}; found {count}")
        needs_quantity = self.kind not in {"no_data", "sql"}
        if needs_quantity and self.select.quantity is None:
            raise ValueError(f"{self.kind} needs select.quantity")
        if self.kind == "sql" and self.select.quantity is not None:
            raise ValueError("sql takes its values from the query; remove select.quantity")
        if self.priority == ACT_AT_ONCE and not (self.rationale and self.response):
            raise ValueError("priority 1 needs a rationale and a response")
        return self

    @model_validator(mode="after")
    def _names_what_it_refers_to(self) -> Self:
        named = [name for reference in self.references() for name in reference.names]
        known = {*load_catalogue(), *KNOWN_OF_SITE, *self.site_values}
        for name in named:
            if name not in known:
                raise ValueError(
                    f"{name!r} is no quantity, and is not under site_values; "
                    f"{did_you_mean(name, known)}"
                )
        for name in self.site_values:
            if name not in named:
                raise ValueError(f"site_values names {name!r}, which no threshold refers to")
        return self

    def references(self) -> tuple[Reference, ...]:
        """Give all thresholds that may refer to something, those of suppress_when as well."""
        conditions = [
            self.condition,
            *(each.condition for each in self.suppress_when if each.quantity is not None),
        ]
        return tuple(each for each in conditions if isinstance(each, Reference))
