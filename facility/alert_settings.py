"""The `alerts:` section of the site file: which rules hold here, the figures, who is told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from facility.alert_hooks import Heartbeat, Hook, HookName, HttpUrl
from facility.alert_routes import Maintenance, Route
from facility.mistakes import did_you_mean
from facility.model import Model
from facility.roles import DeviceRole
from facility.secret import Secret

ValueName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class SiteValue(Model):
    """A figure that a threshold refers to, and the devices it is for."""

    value: Finite
    """In the unit of the quantity that it is compared with."""
    role: DeviceRole | None = None
    profile: str | None = None
    device: str = "*"
    """Pattern of device ids such as `hall-1/*/pdu-a`."""


def _for_all(value: object) -> object:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return ({"value": value},) if is_number else value


SiteValues = Annotated[
    tuple[SiteValue, ...],
    Field(min_length=1),
    BeforeValidator(_for_all, json_schema_input_type=float | tuple[SiteValue, ...]),
]
"""The first that fits a device counts. A file may write just a number, for all devices."""


class Alerts(Model):
    """What is watched. A rule of the site's own takes the place of the pack's of its name."""

    pack: Literal["default", "none"] = "default"
    """The rules that come with Busway."""
    rules: tuple[Path, ...] = ()
    """Files of rules, relative to this file."""
    switched_off: tuple[str, ...] = ()
    """Names of rules that are not to be watched."""
    site_values: dict[ValueName, SiteValues] = Field(default={})
    """By name: what rules refer to and no device tells, such as the rating of a breaker."""
    hooks: dict[HookName, Hook] = Field(default={})
    """By name: whom alerts are told."""
    routes: tuple[Route, ...] = ()
    """Which alerts go to which hooks; without any, all go to all."""
    maintenance: tuple[Maintenance, ...] = ()
    heartbeat: Heartbeat | None = None
    token: Secret | None = None
    """Who bears it may acknowledge, shelve and silence; without one, who is on the engine's own
    machine, and nobody else."""
    external_url: HttpUrl | Literal[""] = ""
    """Where whoever is told finds more; is put into what is sent."""

    @model_validator(mode="after")
    def _known_hooks(self) -> Self:
        for route in self.routes:
            for name in route.hooks:
                if name not in self.hooks:
                    raise ValueError(
                        f"a route names the hook {name!r}; {did_you_mean(name, self.hooks)}"
                    )
        return self
