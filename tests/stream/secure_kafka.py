"""Apache Kafka that lets nobody in without a password or a certificate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from apache_kafka import ApacheKafka
from certificates import Authority

from facility.site import Kafka, Tls

USER, PASSWORD = "busway", "sesame"
PROTOCOLS = {"LOGIN": "SASL_SSL", "MUTUAL": "SSL", "EXPIRED": "SSL", "ELSEWHERE": "SSL"}
LOGIN = "listener.name.login"
LOGIN_MODULE = "sasl.jaas.config=org.apache.kafka.common.security"


class SecureKafka:
    """One broker with a listener for each way in; what proves who it is, is in `directory`.

    LOGIN asks for a password, MUTUAL for a certificate of the client's; the certificate of EXPIRED
    has expired, and that of ELSEWHERE is for another host.
    """

    def __init__(self, directory: Path) -> None:
        self.authority = Authority(directory, "plant")
        self.stranger = Authority(directory, "stranger")
        issue = self.authority.issue
        servers = {
            "LOGIN": issue("login", host="127.0.0.1"),
            "MUTUAL": issue("mutual", host="127.0.0.1"),
            "EXPIRED": issue("expired", host="127.0.0.1", has_expired=True),
            "ELSEWHERE": issue("elsewhere", host="kafka.elsewhere"),
        }
        self.server = ApacheKafka(
            directory,
            listeners=PROTOCOLS,
            more=self._properties(directory, servers),
            format_options=[
                word
                for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")
                for word in ("--add-scram", f"{mechanism}=[name={USER},password={PASSWORD}]")
            ],
        )

    def settings(self, listener: str, **changes: Any) -> Kafka:
        """A site's Kafka section that leads to a listener and trusts the plant's authority."""
        given = {"bootstrap_servers": self.server.at(listener), "tls": self.tls()} | changes
        return Kafka(**given)

    def tls(self, **changes: Any) -> Tls:
        return Tls.model_validate({"ca_file": self.authority.ca_file} | changes)

    def _properties(self, directory: Path, servers: dict[str, tuple[Path, Path]]) -> str:
        user = f'user_{USER}="{PASSWORD}"'
        lines = [
            "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
            f"{LOGIN}.plain.{LOGIN_MODULE}.plain.PlainLoginModule required {user};",
            *(
                f"{LOGIN}.{mechanism}.{LOGIN_MODULE}.scram.ScramLoginModule required;"
                for mechanism in ("scram-sha-256", "scram-sha-512")
            ),
            "listener.name.mutual.ssl.client.auth=required",
        ]
        for listener, (certificate, key) in servers.items():
            store = directory / f"{listener.lower()}-store.pem"
            store.write_bytes(key.read_bytes() + certificate.read_bytes())
            prefix = f"listener.name.{listener.lower()}.ssl"
            lines += [
                f"{prefix}.keystore.type=PEM",
                f"{prefix}.keystore.location={store}",
                f"{prefix}.truststore.type=PEM",
                f"{prefix}.truststore.location={self.authority.ca_file}",
            ]
        return "\n".join([*lines, ""])
