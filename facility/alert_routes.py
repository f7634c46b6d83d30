"""Which alerts are told to which hooks, when, and when not: routes, silences, maintenance."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BeforeValidator, Field, model_validator

from facility.alert_hooks import HookName, Seconds
from facility.model import Model


def _listed(value: object) -> object:
    return (value,) if isinstance(value, (str, int)) and not isinstance(value, bool) else value


def _number_as_text(value: object) -> object:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number else value


Pattern = Annotated[str, BeforeValidator(_number_as_text, json_schema_input_type=str | int)]
Patterns = Annotated[
    tuple[Pattern, ...],
    BeforeValidator(_listed, json_schema_input_type=str | int | tuple[Pattern, ...]),
]
"""One or more; `*` stands for any text."""
Priorities = Annotated[
    tuple[Annotated[int, Field(ge=1, le=4)], ...],
    BeforeValidator(_listed, json_schema_input_type=int | tuple[int, ...]),
]
GroupLabel = Literal[
    "rule", "device", "component", "quantity", "priority", "class", "owner", "hall", "row", "rack"
]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Match(Model):
    """Which alerts; what is not given may be anything."""

    priority: Priorities = ()
    class_: Patterns = Field(default=(), alias="class")
    rule: Patterns = ()
    device: Patterns = ()
    component: Patterns = ()
    quantity: Patterns = ()
    owner: Patterns = ()
    hall: Patterns = ()
    row: Patterns = ()
    rack: Patterns = ()

    @property
    def is_empty(self) -> bool:
        """Whether it is all alerts."""
        return not any(value for _, value in self)


class Route(Model):
    """Where some alerts go. The first route that fits an alert counts."""

    match: Match = Match()
    hooks: tuple[HookName, ...]
    """None: these alerts are told to nobody."""
    go_on: bool = False
    """Look at the routes below as well."""
    group_by: tuple[GroupLabel, ...] = ("rule",)
    """Alerts that are alike in these are told together."""
    group_wait_seconds: Seconds = 0.5
    """From the first alert of a group until it is told; not for rules that are urgent."""
    group_interval_seconds: Seconds = 10.0
    """At least so long between two notifications of a group; not for rules that are urgent."""
    repeat_hours: float = Field(default=4.0, ge=0, le=168)
    """How soon what still fires, and nobody has acknowledged, is told again; 0: never."""


class Maintenance(Model):
    """A time in which some alerts are told to nobody, though they are kept and listed."""

    name: str = Field(min_length=1)
    match: Match = Match()
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    days: tuple[Day, ...] = ()
    """Instead of starts_at and ends_at: each week on these, in the site's time zone."""
    from_time: time = time(0)
    to_time: time = time(0)
    """Not after from_time: on the next day."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if bool(self.days) == (self.starts_at is not None or self.ends_at is not None):
            raise ValueError("give either starts_at and ends_at, or days")
        if self.days:
            return self
        if self.starts_at is None or self.ends_at is None or self.starts_at >= self.ends_at:
            raise ValueError("starts_at must be before ends_at")
        return self
