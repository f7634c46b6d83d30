"""`busway identify`: which profile reads an SNMP agent, by what it says of itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

from busway.probe import known_credential, parse_place
from busway.site import load_checked_site
from collectors.identify import Identification, identify_agent
from collectors.profile import SnmpLimits
from collectors.snmp.exchange import Exchange
from collectors.snmp.opening import open_session
from collectors.snmp.session import Session
from collectors.snmp.sizes import Sizes
from facility.errors import DeviceError
from facility.site import SnmpCredential


def identify_host(host: str, *, site_file: Path, credential: str, timeout_seconds: float) -> None:
    """Print the profile's name and why.

    Raises:
        ConfigError: the address or the credential is wrong, or no profile fits.
        DeviceError: the agent does not answer.
    """
    login = SnmpCredential()
    if credential:
        site = load_checked_site(site_file)
        login = site.snmp_credentials[known_credential(site, "snmp", credential)]
    session = open_session(parse_place(host, "snmp"), login)
    try:
        found = asyncio.run(_identify(session, timeout_seconds))
    except DeviceError as error:
        raise DeviceError(f"{host}: {error.kind}: {error}") from error
    print(f"{found.profile.name}: {found.reason}")


async def _identify(session: Session, timeout_seconds: float) -> Identification:
    deadline = asyncio.get_running_loop().time() + timeout_seconds
    try:
        return await identify_agent(Exchange(session, Sizes.of(SnmpLimits()), deadline))
    finally:
        await session.close()
