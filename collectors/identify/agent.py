"""What an SNMP agent is: by its sysObjectID and sysDescr, then by the points it has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from collectors.identify.finding import Finding, Fit, profiles_of
from collectors.profile import Profile
from collectors.snmp.exchange import Exchange
from collectors.snmp.layout import Layout, build_layout
from collectors.snmp.oid import Oid, format_oid, parse_oid
from collectors.snmp.survey import Survey

SYS_DESCR: Oid = (1, 3, 6, 1, 2, 1, 1, 1, 0)
SYS_OBJECT_ID: Oid = (1, 3, 6, 1, 2, 1, 1, 2, 0)
"""SNMPv2-MIB, RFC 3418."""


@dataclass(frozen=True, slots=True)
class Agent:
    """What an SNMP agent says of itself; empty where it says nothing."""

    object_id: Oid
    descr: str

    def __str__(self) -> str:
        object_id = format_oid(self.object_id) or "(none)"
        return f"sysObjectID {object_id}, sysDescr {self.descr[:80]!r}"


async def identify_agent(exchange: Exchange, profiles: Sequence[Profile] | None = None) -> Finding:
    """Profiles of an SNMP agent: those whose identity fits best, ranked by the points it has.

    Args:
        exchange: with the agent.
        profiles: to choose from; None for the library's.

    Raises:
        DeviceError: as the exchange raises it.
    """
    await exchange.get([SYS_OBJECT_ID, SYS_DESCR])
    object_id, descr = exchange.answers.get(SYS_OBJECT_ID), exchange.answers.get(SYS_DESCR)
    agent = Agent(
        object_id if isinstance(object_id, tuple) else (),
        descr.decode("utf-8", "replace") if isinstance(descr, bytes) else "",
    )
    known = profiles_of("snmp") if profiles is None else profiles
    fitting = fitting_profiles(agent, known)
    if not fitting:
        return Finding.of(str(agent), await _standards(exchange, known))
    if len(fitting) == 1:
        return Finding.of(str(agent), [Fit(profile, _why(profile), ()) for profile in fitting])
    fits = []
    for profile in fitting:
        points = await _points(profile, exchange)
        fits.append(Fit(profile, f"{_why(profile)}; it has {points} of its points", (points,)))
    return Finding.of(str(agent), fits)


async def _standards(exchange: Exchange, profiles: Iterable[Profile]) -> list[Fit]:
    """Profiles of standards whose objects the agent has, ranked by how many of their points.

    Points, not rows: thirty temperatures are one.
    """
    fits = []
    for profile in profiles:
        assert profile.snmp is not None
        subtree = profile.snmp.identity.subtree
        if not subtree or not await exchange.walk(parse_oid(subtree), at_most=1):
            continue
        points = len({id(point) for point in (await _layout(profile, exchange)).points})
        if points:
            total = len(profile.points)
            evidence = f"it has objects of {subtree}: {points} of {total} points"
            fits.append(Fit(profile, evidence, (points,)))
    return fits


async def _points(profile: Profile, exchange: Exchange) -> int:
    """How many of the profile's points the agent has."""
    return len((await _layout(profile, exchange)).oids)


async def _layout(profile: Profile, exchange: Exchange) -> Layout:
    assert profile.snmp is not None
    survey = Survey(profile.snmp)
    while not survey.done:
        await survey.step(exchange)
    return build_layout(profile.snmp, survey.findings)


def fitting_profiles(agent: Agent, profiles: Iterable[Profile]) -> list[Profile]:
    """Those whose identity fits, and is the most specific that does."""
    fitting = [profile for profile in profiles if _fits(profile, agent)]
    most = max(map(_weight, fitting), default=None)
    return [profile for profile in fitting if _weight(profile) == most]


def _prefix(profile: Profile) -> Oid:
    prefix = profile.snmp.identity.sys_object_id if profile.snmp else ""
    return parse_oid(prefix) if prefix else ()


def _weight(profile: Profile) -> tuple[int, bool]:
    """How specific its identity is: by the length of sysObjectID, then by asking for sysDescr."""
    assert profile.snmp is not None
    return len(_prefix(profile)), bool(profile.snmp.identity.sys_descr)


def _fits(profile: Profile, agent: Agent) -> bool:
    """Whether all that the profile asks of an agent is so; it must ask something."""
    assert profile.snmp is not None
    pattern, prefix = profile.snmp.identity.sys_descr, _prefix(profile)
    if not pattern and not prefix:
        return False
    begins = agent.object_id[: len(prefix)] == prefix
    return begins and re.search(pattern, agent.descr) is not None


def _why(profile: Profile) -> str:
    assert profile.snmp is not None
    identity = profile.snmp.identity
    asked = [f"sysObjectID begins with {identity.sys_object_id}"] if identity.sys_object_id else []
    asked += [f"sysDescr has {identity.sys_descr!r}"] if identity.sys_descr else []
    return " and ".join(asked)
