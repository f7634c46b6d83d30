"""A device that is in no site: given by its address, or recorded in a capture."""

from __future__ import annotations

from facility.address import Address
from facility.roles import DeviceRole
from facility.site import Device


def lone_device(
    name: str,
    profile: str,
    address: Address,
    timeout_seconds: float,
    credential: str | None = None,
) -> Device:
    """Make a device that a driver can ask once; `timeout_seconds` is for one reading.

    `profile` is its profile's name, empty where that is to be found out.
    """
    return Device(
        id=name,
        profile=profile,
        address=address,
        # No role fits every profile; one has to be given, and a driver does not ask for it.
        role=DeviceRole.ENVIRONMENT,
        timeout_seconds=timeout_seconds,
        credential=credential,
    )
