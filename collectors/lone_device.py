"""A device that is in no site: given by its address, or recorded in a capture."""

from __future__ import annotations

from collectors.profile import Profile
from facility.address import Address
from facility.roles import DeviceRole
from facility.site import Device


def lone_device(name: str, profile: Profile, address: Address, timeout_seconds: float) -> Device:
    """Make a device that a driver can read once; `timeout_seconds` is for one reading."""
    return Device(
        id=name,
        profile=profile.name,
        address=address,
        # No role fits every profile; one has to be given, and a driver does not ask for it.
        role=DeviceRole.ENVIRONMENT,
        timeout_seconds=timeout_seconds,
    )
