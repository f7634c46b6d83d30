"""Where a device is: one URL, parsed and checked."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict

Scheme = Literal["modbus", "modbus+tls", "snmp", "http", "https", "nvml"]

DEFAULT_PORTS: dict[str, int] = {
    "modbus": 502,
    "modbus+tls": 802,
    "snmp": 161,
    "http": 9400,
    "https": 9400,
    "nvml": 0,
}
PROTOCOL_SCHEMES: dict[str, tuple[str, ...]] = {
    "modbus": ("modbus", "modbus+tls"),
    "snmp": ("snmp",),
    "dcgm": ("http", "https", "nvml"),
}
"""The schemes that a profile of each protocol can be read through."""


class Address(BaseModel):
    """A device's place on the network.

    Written as a URL: `modbus://10.1.2.3:502?unit=7`, `modbus+tls://host`, `snmp://10.1.2.4`,
    `http://node-17:9400/metrics`.
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
        return f"{self.scheme}://{host}:{self.port}{self.path}{unit}"


def parse_address(text: object) -> object:
    """Turn a URL into an Address's fields; anything but a string is left to pydantic.

    Raises:
        ValueError: naming the part that is wrong and what would be right.
    """
    if not isinstance(text, str):
        return text
    url = urlsplit(text)
    if url.scheme not in DEFAULT_PORTS:
        raise ValueError(
            f"'{text}' starts with none of {', '.join(f'{name}://' for name in DEFAULT_PORTS)}"
        )
    if not url.hostname:
        raise ValueError(f"'{text}' names no host; write {url.scheme}://HOST[:PORT]")
    try:
        port = url.port if url.port is not None else DEFAULT_PORTS[url.scheme]
    except ValueError:
        raise ValueError(f"'{text}': the port must be a number from 1 to 65535") from None
    query = parse_qs(url.query, keep_blank_values=True)
    allowed = {"unit"} if url.scheme.startswith("modbus") else set()
    if unknown := set(query) - allowed:
        raise ValueError(f"'{text}': unknown option {min(unknown)!r}; only ?unit=N is known")
    unit = query.get("unit", ["1"])[-1]
    if not unit.isdigit() or int(unit) > 255:  # noqa: PLR2004 - one byte on the wire
        raise ValueError(f"'{text}': unit must be a number from 0 to 255, found {unit!r}")
    return {
        "scheme": url.scheme,
        "host": url.hostname,
        "port": port,
        "unit": int(unit),
        "path": url.path or ("/metrics" if url.scheme in ("http", "https") else ""),
    }


AddressUrl = Annotated[Address, BeforeValidator(parse_address)]
"""An Address that a file may write as a URL."""
