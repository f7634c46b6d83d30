"""From a hook in the site file to what sends."""

from __future__ import annotations

from alerts.hooks.alertmanager import Alertmanager
from alerts.hooks.hook import Sender
from alerts.hooks.kafka_topic import KafkaTopic
from alerts.hooks.mail import Mail
from alerts.hooks.pagerduty import PagerDuty
from alerts.hooks.program import Program
from alerts.hooks.slack import Slack
from alerts.hooks.webhook import Webhook
from facility.alert_hooks import (
    AlertmanagerHook,
    EmailHook,
    ExecHook,
    Hook,
    KafkaHook,
    PagerDutyHook,
    SlackHook,
)
from facility.errors import ConfigError
from facility.site import Kafka


def open_hook(name: str, hook: Hook, kafka: Kafka, external_url: str) -> Sender:
    """Make a hook; connects to nothing yet.

    Raises:
        ConfigError: a secret or a certificate of it cannot be read.
    """
    try:
        return _opened(hook, kafka, external_url)
    except ConfigError as error:
        raise ConfigError(f"alerts.hooks.{name}: {error}") from error


def _opened(hook: Hook, kafka: Kafka, external_url: str) -> Sender:  # noqa: PLR0911 - a kind a line
    match hook:
        case AlertmanagerHook():
            return Alertmanager(hook, external_url)
        case SlackHook():
            return Slack(hook, external_url)
        case PagerDutyHook():
            return PagerDuty(hook, external_url)
        case EmailHook():
            return Mail(hook, external_url)
        case KafkaHook():
            return KafkaTopic(hook, kafka)
        case ExecHook():
            return Program(hook)
    return Webhook(hook, external_url)
