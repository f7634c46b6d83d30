"""The hooks of the site file's `alerts:` section: whom alerts are told, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from facility.model import Model
from facility.secret import Secret

HookName = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
HttpUrl = Annotated[str, Field(pattern=r"^https?://[^\s/]+", max_length=2000)]
Seconds = Annotated[float, Field(ge=0, le=7 * 86_400)]
TITLE_NAMES = frozenset({"status", "count", "site", "rule", "device", "message", "place"})
"""What a title may name, each a text: of the most urgent alert that is told."""
DEFAULT_TITLE = "[{status}, {count}] {message}"


def _known_names(title: str) -> str:
    names = {part.partition("}")[0] for part in title.split("{")[1:]}
    if unknown := sorted(names - TITLE_NAMES):
        raise ValueError(f"{{{unknown[0]}}} is none of {', '.join(sorted(TITLE_NAMES))}")
    return title


Title = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_known_names)]


class _Hook(Model):
    timeout_seconds: float = Field(default=10.0, gt=0, le=120)
    """For one attempt, whole."""


class _Http(_Hook):
    user: str = ""
    password: Secret | None = None
    bearer_token: Secret | None = None
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _one_login(self) -> Self:
        if bool(self.user) != (self.password is not None):
            raise ValueError("give user and password together, or neither")
        if self.user and self.bearer_token is not None:
            raise ValueError("give user and password, or bearer_token, not both")
        return self


class WebhookHook(_Http):
    """The payload of Alertmanager's webhook, version 4."""

    kind: Literal["webhook"]
    url: HttpUrl
    signing_key: Secret | None = None
    """HMAC-SHA256; `whsec_...` is base64, as in Standard Webhooks."""


class AlertmanagerHook(_Http):
    """Alertmanager's API, version 2: it groups, silences and tells by its own configuration."""

    kind: Literal["alertmanager"]
    url: HttpUrl
    """Without `/api/v2`."""
    refresh_seconds: float = Field(default=60.0, gt=0, le=3600)
    """It forgets what it is not told again, as at its restart."""


class SlackHook(_Hook):
    """An incoming webhook of Slack, or of what takes the same."""

    kind: Literal["slack"]
    webhook_url: Secret
    title: Title = DEFAULT_TITLE


class PagerDutyHook(_Hook):
    """PagerDuty's Events API, version 2."""

    kind: Literal["pagerduty"]
    routing_key: Secret
    url: HttpUrl = "https://events.pagerduty.com/v2/enqueue"


class EmailHook(_Hook):
    """E-mail by SMTP."""

    kind: Literal["email"]
    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65535)
    tls: Literal["starttls", "tls", "none"] = "starttls"
    ca_file: Path | None = None
    user: str = ""
    password: Secret | None = None
    sender: str = Field(pattern=r"^[^\s@]+@[^\s@]+$")
    recipients: tuple[Annotated[str, Field(pattern=r"^[^\s@]+@[^\s@]+$")], ...] = Field(
        min_length=1
    )
    title: Title = DEFAULT_TITLE

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if bool(self.user) != (self.password is not None):
            raise ValueError("give user and password together, or neither")
        if self.user and self.tls == "none":
            raise ValueError("a password is not sent without TLS; set tls, or remove user")
        return self


class KafkaHook(_Hook):
    """A topic of the site's Kafka: one JSON message an alert, its id the key."""

    kind: Literal["kafka"]
    topic: str = Field(pattern=r"^[a-zA-Z0-9._-]{1,200}$")


class ExecHook(_Hook):
    """A program: told by its environment, never by a shell."""

    kind: Literal["exec"]
    command: tuple[str, ...] = Field(min_length=1)
    """Program and arguments, as they are."""


Hook = Annotated[
    WebhookHook | AlertmanagerHook | SlackHook | PagerDutyHook | EmailHook | KafkaHook | ExecHook,
    Field(discriminator="kind"),
]


class Heartbeat(Model):
    """A sign of life to somebody who raises the alarm when it stays away."""

    url: HttpUrl | Secret
    """Gets a POST; a secret where the address is one."""
    every_seconds: float = Field(default=60.0, ge=1, le=3600)
    timeout_seconds: float = Field(default=10.0, gt=0, le=120)
    ca_file: Path | None = None
