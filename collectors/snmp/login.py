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
        """Reveal the credential's secrets.

        Raises:
            ConfigError: a secret cannot be read, or is too short for SNMPv3.
        """
        community = credential.community
        return cls(
            version=credential.version,
            community=community if isinstance(community, str) else community.reveal(),
            user=credential.user,
            auth_protocol=credential.auth_protocol,
            auth_key=_key(credential, "auth_key", credential.auth_key),
            privacy_protocol=credential.privacy_protocol,
            privacy_key=_key(credential, "privacy_key", credential.privacy_key),
            context=credential.context,
        )


def _key(credential: SnmpCredential, name: str, secret: Secret | None) -> str:
    if secret is None:
        return ""
    key = secret.reveal()
    if len(key) < SHORTEST_KEY:
        raise ConfigError(
            f"SNMPv3 credential of user {credential.user!r}: {name} has {len(key)} characters, "
            f"{SHORTEST_KEY} are the least"
        )
    return key
