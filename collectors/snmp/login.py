"""A credential, checked and revealed: what an engine needs to log in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from facility.errors import ConfigError
from facility.secret import Secret
from facility.site import SnmpCredential

SHORTEST_KEY = 8
"""RFC 3414, 11.2: a pass phrase has at least 8 characters."""


@dataclass(frozen=True, slots=True)
class Login:
    """How to log in; equal logins can share an engine. Secrets are not printed."""

    version: str
    community: str = field(default="", repr=False)
    user: str = ""
    auth_protocol: str = "none"
    auth_key: str = field(default="", repr=False)
    privacy_protocol: str = "none"
    privacy_key: str = field(default="", repr=False)
    context: str = ""

    @classmethod
    def of(cls, credential: SnmpCredential) -> Self:
        """Reveal the credential's secrets and check that they fit together.

        Raises:
            ConfigError: a secret cannot be read, or something that SNMPv3 needs is missing.
        """
        if credential.version != "3":
            community = credential.community
            revealed = community if isinstance(community, str) else community.reveal()
            return cls(credential.version, community=revealed)
        if not credential.user:
            raise ConfigError("SNMPv3 credential: user is missing")
        if credential.privacy_protocol != "none" and credential.auth_protocol == "none":
            raise ConfigError(
                f"SNMPv3 credential of user {credential.user!r}: privacy needs authentication; "
                "set auth_protocol and auth_key"
            )
        return cls(
            "3",
            user=credential.user,
            auth_protocol=credential.auth_protocol,
            auth_key=_key(credential, "auth_key", credential.auth_protocol, credential.auth_key),
            privacy_protocol=credential.privacy_protocol,
            privacy_key=_key(
                credential, "privacy_key", credential.privacy_protocol, credential.privacy_key
            ),
            context=credential.context,
        )


def _key(credential: SnmpCredential, name: str, protocol: str, secret: Secret | None) -> str:
    if protocol == "none":
        return ""
    if secret is None:
        raise ConfigError(
            f"SNMPv3 credential of user {credential.user!r}: {protocol} needs {name}; "
            f"give {{env: NAME}} or {{file: PATH}}"
        )
    key = secret.reveal()
    if len(key) < SHORTEST_KEY:
        raise ConfigError(
            f"SNMPv3 credential of user {credential.user!r}: {name} has {len(key)} characters, "
            f"{SHORTEST_KEY} are the least"
        )
    return key
