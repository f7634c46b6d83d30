"""What the commands for single devices are given: addresses and names of credentials."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import TypeAdapter, ValidationError

from facility.address import PROTOCOL_SCHEMES, Address, AddressUrl
from facility.errors import ConfigError
from facility.mistakes import did_you_mean
from facility.site import Site

CREDENTIALS = {
    "snmp": "snmp_credentials",
    "dcgm": "http_credentials",
    "exporter": "http_credentials",
    "modbus": "modbus_credentials",
}
"""Where a site keeps those of a protocol."""


def parse_place(address: str, protocol: str) -> Address:
    """An address; without a scheme it gets the protocol's.

    Raises:
        ConfigError: it is wrong, or of another protocol.
    """
    schemes = PROTOCOL_SCHEMES[protocol]
    place = parse_url(address if "://" in address else f"{schemes[0]}://{address}")
    if place.scheme not in schemes:
        raise ConfigError(f"{place}: expected {' or '.join(schemes)}, found {place.scheme}")
    return place


def parse_url(url: str) -> Address:
    """An address with its scheme.

    Raises:
        ConfigError: it is wrong.
    """
    try:
        place: Address = TypeAdapter(AddressUrl).validate_python(url)
    except ValidationError as error:
        raise ConfigError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None
    return place


def protocol_of(place: Address) -> str:
    """The protocol of an address's scheme."""
    return next(name for name, schemes in PROTOCOL_SCHEMES.items() if place.scheme in schemes)


def known_credential(site: Site, protocol: str, name: str) -> str:
    """The name, if the site has such a credential for the protocol.

    Raises:
        ConfigError: it has not.
    """
    key = CREDENTIALS[protocol]
    known: Mapping[str, object] = getattr(site, key)
    if name not in known:
        raise ConfigError(f"site {site.name}: {key} has no '{name}'; {did_you_mean(name, known)}")
    return name


def no_site() -> Site:
    """A site of no devices, for a device that is in none."""
    return Site(name="none", devices=())
