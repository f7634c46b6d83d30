"""Addresses as URLs."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from facility.address import DEFAULT_PORTS, Address, AddressUrl

parse = TypeAdapter(AddressUrl).validate_python

hosts = st.one_of(
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(str),
    st.from_regex(r"[a-z][a-z0-9]{0,8}(\.[a-z][a-z0-9-]{0,5}[a-z0-9]){0,2}", fullmatch=True),
)


@st.composite
def addresses(draw: st.DrawFn) -> Address:
    scheme = draw(st.sampled_from(sorted(DEFAULT_PORTS)))
    path = st.from_regex(r"(/[a-z0-9_.-]+){1,3}", fullmatch=True)
    return Address(
        scheme=scheme,
        host=draw(hosts),
        port=draw(st.integers(1, 65535)),
        unit=draw(st.integers(0, 255)) if scheme.startswith("modbus") else 1,
        path=draw(path) if scheme.startswith("http") else "",
    )


@given(addresses())
def test_an_address_reads_back_from_its_text(address: Address) -> None:
    assert parse(str(address)) == address


@pytest.mark.parametrize(
    ("text", "port", "unit", "path"),
    [
        ("modbus://meter", 502, 1, ""),
        ("modbus+tls://meter", 802, 1, ""),
        ("modbus://10.1.2.3:1502?unit=7", 1502, 7, ""),
        ("snmp://10.1.2.4", 161, 1, ""),
        ("http://node-17", 9400, 1, "/metrics"),
        ("https://node-17:8443/gpu", 8443, 1, "/gpu"),
        ("nvml://localhost", 0, 1, ""),
    ],
)
def test_what_a_url_leaves_out_is_the_protocols_default(
    text: str, port: int, unit: int, path: str
) -> None:
    address = parse(text)
    assert (address.port, address.unit, address.path) == (port, unit, path)


def test_devices_behind_one_gateway_share_its_endpoint() -> None:
    first, second = parse("modbus://10.0.0.1?unit=1"), parse("modbus://10.0.0.1:502?unit=2")
    assert first.endpoint == second.endpoint == ("10.0.0.1", 502)


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_refused_with_a_sentence(text: str) -> None:
    try:
        address = parse(f"modbus://{text}")
    except ValueError as error:
        assert "Value error" in str(error)  # noqa: PT017 - either way is right
    else:
        assert 1 <= address.port <= 65535
        assert 0 <= address.unit <= 255


def test_numbers_that_are_no_ip_address_are_not_taken_for_a_host_name() -> None:
    for host in ("10.0.0.256", "10.0.0", "10.0.0.0.1"):
        with pytest.raises(ValueError, match="no IP address"):
            parse(f"snmp://{host}")
    assert IPv4Address(parse("snmp://10.0.0.255").host)
    assert IPv6Address(parse("snmp://[fe80::1]").host)
