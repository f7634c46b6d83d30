"""A site's Kafka section as kafka-python's settings, the same for all its clients."""

from __future__ import annotations

from typing import Any

from facility.site import Kafka
from stream.tls import client_context

CONNECT_TIMEOUT_S = 3.0
REQUEST_TIMEOUT_S = 5.0


def client_settings(kafka: Kafka) -> dict[str, Any]:
    """Turn a site's Kafka section into kafka-python's settings. Secrets are read here, not before.

    Raises:
        ConfigError: a secret is not where the site file says, or a certificate cannot be read.
    """
    settings: dict[str, Any] = {
        "bootstrap_servers": list(kafka.bootstrap_servers),
        "bootstrap_timeout_ms": int(CONNECT_TIMEOUT_S * 1000),
        "request_timeout_ms": int(REQUEST_TIMEOUT_S * 1000),
        "reconnect_backoff_max_ms": 1000,
        "client_id": "busway",
        "security_protocol": ("SASL_" if kafka.sasl else "")
        + ("SSL" if kafka.tls else "PLAINTEXT"),
    }
    if kafka.sasl:
        settings |= {
            "sasl_mechanism": kafka.sasl.mechanism,
            "sasl_plain_username": kafka.sasl.user,
            "sasl_plain_password": kafka.sasl.password.reveal(),
        }
    if kafka.tls:
        settings["ssl_context"] = client_context(kafka.tls)
    return settings
