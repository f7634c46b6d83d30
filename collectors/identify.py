"""Which profile a device is read with, by what it says of itself; and why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from collectors.dcgm.exposition import parse_head
from collectors.dcgm.fields import Fields
from collectors.profile import Profile
from collectors.profile_library import load_profile, profile_names
from collectors.snmp.exchange import Exchange
from collectors.snmp.layout import build_layout
from collectors.snmp.oid import Oid, format_oid, parse_oid
from collectors.snmp.survey import Survey
from facility.errors import ProfileError

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


@dataclass(frozen=True, slots=True)
class Identification:
    """A profile, and what spoke for it."""

    profile: Profile
    reason: str


async def identify_agent(
    exchange: Exchange, profiles: Sequence[Profile] | None = None
) -> Identification:
    """Profile of an SNMP agent: of those whose identity fits best, the one it has most points of.

    Args:
        exchange: with the agent.
        profiles: to choose from; None for the library's.

    Raises:
        ProfileError: none fits, or several do equally.
        DeviceError: as the exchange raises it.
    """
    await exchange.get([SYS_OBJECT_ID, SYS_DESCR])
    object_id, descr = exchange.answers.get(SYS_OBJECT_ID), exchange.answers.get(SYS_DESCR)
    agent = Agent(
        object_id if isinstance(object_id, tuple) else (),
        descr.decode("utf-8", "replace") if isinstance(descr, bytes) else "",
    )
    fitting = fitting_profiles(agent, profiles or _profiles("snmp"))
    if len(fitting) == 1:
        return Identification(fitting[0], _why(fitting[0], agent))
    counts = {profile.name: await _points(profile, exchange) for profile in fitting}
    *_, second, first = sorted(counts, key=counts.__getitem__)
    if counts[first] == counts[second]:
        raise ProfileError(f"{first} and {second} fit equally: {agent}; name the one to use")
    found = next(profile for profile in fitting if profile.name == first)
    others = ", ".join(f"{counts[name]} of {name}" for name in counts if name != first)
    more = f"; it has {counts[first]} points of this profile, {others}"
    return Identification(found, _why(found, agent) + more)


async def _points(profile: Profile, exchange: Exchange) -> int:
    """How many of the profile's points the agent has."""
    assert profile.snmp is not None
    survey = Survey(profile.snmp)
    while not survey.done:
        await survey.step(exchange)
    return len(build_layout(profile.snmp, survey.findings, frozenset()).oids)


def identify_exporter(text: str) -> Identification:
    """Profile of an exporter: the one that knows most of its series.

    Raises:
        ProfileError: no profile knows one.
    """
    found = [(_known_series(profile, text), profile) for profile in _profiles("dcgm")]
    known, profile = max(found, key=lambda pair: pair[0])
    if not known:
        raise ProfileError("no profile knows a series of this exporter; name one")
    return Identification(profile, f"it knows {known} of the series printed")


def fitting_profiles(agent: Agent, profiles: Iterable[Profile]) -> list[Profile]:
    """Those whose identity fits, and is the most specific that does.

    Raises:
        ProfileError: none fits.
    """
    fitting = [profile for profile in profiles if _fits(profile, agent)]
    if not fitting:
        raise ProfileError(
            f"no profile knows this agent: {agent}; name one of 'busway profile list'"
        )
    most = max(map(_weight, fitting))
    return [profile for profile in fitting if _weight(profile) == most]


def _profiles(protocol: str) -> Sequence[Profile]:
    profiles = (load_profile(name) for name in profile_names())
    return [profile for profile in profiles if profile.protocol == protocol]


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


def _why(profile: Profile, agent: Agent) -> str:
    assert profile.snmp is not None
    identity = profile.snmp.identity
    asked = [f"sysObjectID begins with {identity.sys_object_id}"] if identity.sys_object_id else []
    asked += [f"sysDescr has {identity.sys_descr!r}"] if identity.sys_descr else []
    return f"{' and '.join(asked)} ({agent})"


def _known_series(profile: Profile, text: str) -> int:
    assert profile.dcgm is not None
    fields = Fields(profile.dcgm.points)
    heads = {line.rpartition("} ")[0] for line in text.splitlines() if not line.startswith("#")}
    known = 0
    for head in heads - {""}:
        try:
            known += fields.recognise(*parse_head(head.encode())) is not None
        except ValueError:  # no exposition; the driver counts such lines
            continue
    return known
