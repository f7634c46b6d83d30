"""A simulated agent and a source that reads it, for the SNMP tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from collectors.profile import Profile
from collectors.profile_library import load_profile
from collectors.snmp.source import SnmpSource
from collectors.snmp.transport import PysnmpSession
from collectors.source import Poll
from facility.site import Device, SnmpCredential
from simulator.snmp_agent import SnmpAgents
from simulator.snmp_device import SnmpDevice

V2C = SnmpCredential()
RARITAN = load_profile("raritan-px3")
APC = load_profile("apc-rpdu2")
PDU_PARTS = ("inlet.1", "inlet.1/phase.1", "inlet.1/phase.2", "outlet.1", "outlet.2", "outlet.3")


@dataclass
class Plant:
    """Live values by component and quantity; anything not set is `base`, ratios a tenth of it."""

    base: float = 10.0
    values: dict[tuple[str, str], float | None] = field(default_factory=dict)

    def __call__(self, component: str, quantity: str) -> float | None:
        usual = {"ratio": self.base / 10, "state": 1.0, "hz": 50.0}.get(
            quantity.rsplit("_", 1)[-1], self.base
        )
        return self.values.get((component, quantity), usual)


def device_at(host: str, port: int, profile: Profile, timeout_s: float = 3.0) -> Device:
    return Device(
        id="pdu-a",
        profile=profile.name,
        address=f"snmp://{host}:{port}",
        role="rack_pdu",
        timeout_seconds=timeout_s,
    )


def source_at(
    host: str,
    port: int,
    profile: Profile,
    credential: SnmpCredential = V2C,
    *,
    timeout_s: float = 3.0,
    survey_polls: int = 60,
) -> SnmpSource:
    device = device_at(host, port, profile, timeout_s)
    assert profile.snmp is not None
    session = PysnmpSession(device.address, credential)
    return SnmpSource(device, profile.snmp, session, survey_polls=survey_polls)


@dataclass
class Rig:
    """One device and its source."""

    device: SnmpDevice
    plant: Plant
    source: SnmpSource
    agents: SnmpAgents
    host: str
    port: int

    async def read(self) -> dict[tuple[str, str], float]:
        """One poll's values."""
        return by_name(await self.source.read())


def by_name(poll: Poll) -> dict[tuple[str, str], float]:
    names = zip(poll.points.components, poll.points.quantities, strict=True)
    return dict(zip(names, poll.value.tolist(), strict=True))


def why(poll: Poll) -> dict[tuple[str, str], str]:
    """Reasons of the points that could not be read."""
    return {
        (poll.points.components[f.row], poll.points.quantities[f.row]): f.reason
        for f in poll.failures
    }


@asynccontextmanager
async def rig(
    profile: Profile = RARITAN,
    parts: Iterable[str] = PDU_PARTS,
    credential: SnmpCredential = V2C,
    *,
    host: str = "127.0.0.1",
    timeout_s: float = 3.0,
    survey_polls: int = 60,
) -> AsyncIterator[Rig]:
    plant = Plant()
    device = SnmpDevice(profile, parts, plant)
    async with SnmpAgents(credential) as agents:
        host, port = await agents.serve(device, host)
        source = source_at(
            host, port, profile, credential, timeout_s=timeout_s, survey_polls=survey_polls
        )
        try:
            yield Rig(device, plant, source, agents, host, port)
        finally:
            await source.close()
