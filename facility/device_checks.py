"""What must hold between the devices of a site file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from facility.address import PROTOCOL_SCHEMES
from facility.draft import Draft
from facility.mistakes import Finding, Origin, did_you_mean
from facility.roles import DeviceRole

CREDENTIAL_TABLES = {
    "snmp": "snmp_credentials",
    "http": "http_credentials",
    "https": "http_credentials",
    "modbus+tls": "modbus_credentials",
}
"""Which section of the site file holds the credentials of a scheme."""


def check_ids(draft: Draft) -> Iterator[Finding]:
    """Every device and node has an id of its own."""
    first: dict[str, Origin] = {}
    for name, origin in [(device.id, made_by) for device, made_by in draft.devices] + draft.nodes:
        if name not in first:
            first[name] = origin
        elif first[name] is origin:
            text = f"makes '{name}' more than once; put every variable of for: into the id"
            yield Finding(origin, ("id",), text)
        else:
            text = f"'{name}' is already the id of {first[name].place()}; rename one of them"
            yield Finding(origin, ("id",), text)


def check_addresses(draft: Draft) -> Iterator[Finding]:
    """No two devices are the same registers of the same device.

    Devices of different profiles may share an address: a sensor behind a UPS's network card.
    """
    first: dict[tuple[object, ...], tuple[str, Origin]] = {}
    for device, origin in draft.devices:
        address = device.address
        key = (address.host, address.port, address.unit, address.path, device.profile)
        other, place = first.setdefault(key, (device.id, origin))
        if other != device.id:
            text = (
                f"'{address}' is already read with this profile by '{other}' ({place.place()}); "
                "give each device its own address or unit"
            )
            yield Finding(origin, ("address",), text)


def check_profiles(
    draft: Draft, profiles: Mapping[str, str] | Collection[str]
) -> Iterator[Finding]:
    """Every profile exists, and its protocol can be spoken at the address."""
    seen: set[tuple[Origin, str, str]] = set()
    for device, origin in draft.devices:
        scheme = device.address.scheme
        if (origin, device.profile, scheme) in seen:
            continue
        seen.add((origin, device.profile, scheme))
        if device.profile not in profiles:
            text = f"unknown profile '{device.profile}'; {did_you_mean(device.profile, profiles)}"
            yield Finding(origin, ("profile",), text)
        elif isinstance(profiles, Mapping):
            protocol = profiles[device.profile]
            schemes = PROTOCOL_SCHEMES[protocol]
            if scheme not in schemes:
                right = " or ".join(f"{name}://" for name in schemes)
                text = f"'{device.profile}' speaks {protocol}, found {scheme}://; write {right}"
                yield Finding(origin, ("address",), text)


def check_credentials(draft: Draft, names: Mapping[str, Collection[str]]) -> Iterator[Finding]:
    """Every credential exists, in the table of the device's protocol; `names` are by table."""
    for device, origin in draft.devices:
        if device.credential is None:
            continue
        scheme = device.address.scheme
        table = CREDENTIAL_TABLES.get(scheme)
        if table is None:
            text = f"{scheme}:// takes no credential; remove it"
            yield Finding(origin, ("credential",), text)
        elif device.credential not in names[table]:
            hint = did_you_mean(device.credential, names[table])
            text = f"'{device.credential}' is not in {table}; {hint}"
            yield Finding(origin, ("credential",), text)


def check_gpus(draft: Draft) -> Iterator[Finding]:
    """Only a GPU node expects GPUs, and no GPU is expected in two places."""
    first: dict[str, str] = {}
    for device, origin in draft.devices:
        if device.gpus is None:
            continue
        if device.role is not DeviceRole.GPU_NODE:
            text = f"belongs to role gpu_node, found {device.role.value}; remove it"
            yield Finding(origin, ("gpus",), text)
        elif not isinstance(device.gpus, int):
            for index, uuid in enumerate(device.gpus):
                other = first.setdefault(uuid, device.id)
                if other != device.id or uuid in device.gpus[:index]:
                    text = f"'{uuid}' is already expected of '{other}'; a GPU is in one place"
                    yield Finding(origin, ("gpus", index), text)
