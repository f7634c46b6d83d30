"""Where a device is: one URL, parsed and checked."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

_PLACE = re.compile(
    r"(?P<host>\[[^\]]*\]|[^][:/?#@]*)(:(?P<port>[^/?#]*))?(?P<path>/[^?#\s]*)?(\?(?P<query>[^#]*))?"
)
_DIGITS = re.compile(r"[0-9.]+")
_HOST_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_UNIT = re.compile(r"unit=([0-9]{1,3})")
_FORMS = {
    "modbus": "modbus://HOST[:PORT][?unit=N]",
    "modbus+tls": "modbus+tls://HOST[:PORT][?unit=N]",
    "snmp": "snmp://HOST[:PORT]",
    "http": "http://HOST[:PORT][/PATH]",
    "https": "https://HOST[:PORT][/PATH]",
    "nvml": "nvml://HOST",
}

Scheme = Literal["modbus", "modbus+tls", "snmp", "http", "https", "nvml"]

DEFAULT_PORTS: dict[str, int] = {
    "modbus": 502,
    "modbus+tls": 802,
    "snmp": 161,
    "http": 9400,
    "https": 9400,
    "nvml": 0,
}
PROTOCOL_SCHEMES: dict[str, tuple[Scheme, ...]] = {
    "modbus": ("modbus", "modbus+tls"),
    "snmp": ("snmp",),
    "dcgm": ("http", "https", "nvml"),
    "exporter": ("http", "https"),
}
"""The schemes that a profile of each protocol can be read through."""


class Address(BaseModel):
    """A device's place on the network.

    Written as a URL: `modbus://10.1.2.3:502?unit=7`, `modbus+tls://host`, `snmp://10.1.2.4`,
    `http://node-17:9400/metrics`, `nvml://localhost`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scheme: Scheme
    host: str
    port: int
    unit: int = 1
    """Modbus unit id; 1 where the URL gives none."""
    path: str = ""

    @property
    def endpoint(self) -> tuple[str, int]:
        """Host and port: devices that share it sit behind one gateway."""
        return self.host, self.port

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        unit = f"?unit={self.unit}" if self.scheme.startswith("modbus") else ""
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme}://{host}{port}{self.path}{unit}"


def parse_address(text: object) -> object:
    """Turn a URL into an Address's fields; anything but a string is left to pydantic.

    Raises:
        ValueError: naming the part that is wrong and what would be right.
    """
    if not isinstance(text, str):
        return text
    scheme, separator, rest = text.partition("://")
    if scheme not in DEFAULT_PORTS or not separator:
        raise ValueError(
            f"'{text}' starts with none of {', '.join(f'{name}://' for name in DEFAULT_PORTS)}"
        )
    if "@" in rest:
        raise ValueError(f"a user or password stands in the {scheme}:// URL; make it a credential")
    url = _PLACE.fullmatch(rest)
    if not url or (url["path"] and not scheme.startswith("http")):
        raise ValueError(f"'{text}' is not of the form {_FORMS[scheme]}")
    return {
        "scheme": scheme,
        "host": _host(url["host"].lower().strip("[]"), text),
        "port": _port(url["port"], text) if url["port"] is not None else DEFAULT_PORTS[scheme],
        "unit": _unit(url["query"], text) if url["query"] is not None else 1,
        "path": url["path"] or ("/metrics" if scheme.startswith("http") else ""),
    }


def _host(host: str, text: str) -> str:
    if not host:
        raise ValueError(f"'{text}' names no host")
    if _DIGITS.fullmatch(host) or ":" in host:
        try:
            ip_address(host)
        except ValueError:
            raise ValueError(f"'{text}': {host} is no IP address") from None
    elif not _HOST_NAME.fullmatch(host):
        raise ValueError(f"'{text}': '{host}' is no host name")
    return host


def _port(port: str, text: str) -> int:
    if not _PORT.fullmatch(port) or int(port) > 65535:  # noqa: PLR2004 - two bytes on the wire
        raise ValueError(f"'{text}': expected a port from 1 to 65535, found '{port}'")
    return int(port)


def _unit(query: str, text: str) -> int:
    if not text.startswith("modbus"):
        raise ValueError(f"'{text}': only modbus addresses take options; remove ?{query}")
    option = _UNIT.fullmatch(query)
    if not option or int(option[1]) > 255:  # noqa: PLR2004 - one byte on the wire
        raise ValueError(f"'{text}': expected ?unit=N, with N from 0 to 255, found ?{query}")
    return int(option[1])


AddressUrl = Annotated[Address, BeforeValidator(parse_address)]
"""An Address that a file may write as a URL."""
