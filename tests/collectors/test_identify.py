"""Which profiles an agent, a unit and an exporter are known by; profiles as the library's."""

from __future__ import annotations

import asyncio

import pytest

from collectors.captures.walk import CaptureSession
from collectors.identify.agent import (
    SYS_DESCR,
    SYS_OBJECT_ID,
    Agent,
    fitting_profiles,
    identify_agent,
)
from collectors.identify.finding import Finding
from collectors.profile import Profile, SnmpLimits
from collectors.snmp.exchange import Exchange
from collectors.snmp.oid import Oid
from collectors.snmp.session import Value
from collectors.snmp.sizes import Sizes
from facility.errors import ProfileError


def agent_profile(name: str, *columns: str, **identity: str) -> Profile:
    """A profile of an agent with these identity and tables."""
    points = [
        {"quantity": "voltage_v", "component": f"p{n}.{{i}}", "oid": column, "index": "{i}"}
        for n, column in enumerate(columns)
    ]
    return Profile.model_validate(
        {
            "name": name,
            "maker": "test",
            "model": "test",
            "kind": "pdu",
            "source": {"document": "none"},
            "snmp": {"identity": identity, "points": points},
        }
    )


AGENT = Agent((1, 3, 6, 33, 4), "Meter, firmware 2")
WHOLE = agent_profile("whole", "1.3.9.1", "1.3.9.2", sys_object_id="1.3.6.33")
PART = agent_profile("part", "1.3.9.1", "1.3.8.1", sys_object_id="1.3.6.33")


async def identify(*profiles: Profile) -> Finding:
    """Of an agent that has one row in each of two tables."""
    cells: dict[Oid, Value] = {(1, 3, 9, 1, 1): 1, (1, 3, 9, 2, 1): 2}
    cells |= {SYS_OBJECT_ID: AGENT.object_id, SYS_DESCR: AGENT.descr.encode()}
    deadline = asyncio.get_running_loop().time() + 5
    exchange = Exchange(CaptureSession(cells), Sizes.of(SnmpLimits()), deadline)
    return await identify_agent(exchange, profiles)


async def test_of_profiles_with_one_identity_the_agent_has_most_points_of_one() -> None:
    found = await identify(PART, WHOLE)
    assert found.chosen().profile is WHOLE
    assert found.said == "sysObjectID 1.3.6.33.4, sysDescr 'Meter, firmware 2'"
    assert [fit.evidence for fit in found.fits] == [
        "sysObjectID begins with 1.3.6.33; it has 2 of its points",
        "sysObjectID begins with 1.3.6.33; it has 1 of its points",
    ]
    twin = agent_profile("twin", "1.3.9.2", "1.3.9.1", sys_object_id="1.3.6.33")
    several = await identify(PART, WHOLE, twin)
    assert [fit.profile for fit in several.best] == [WHOLE, twin]
    with pytest.raises(ProfileError, match="whole and twin fit equally"):
        several.chosen()


def test_the_most_specific_identity_fits_best() -> None:
    model = agent_profile("model", "1.3.9.1", sys_object_id="1.3.6.33.4")
    described = agent_profile("described", "1.3.9.1", sys_object_id="1.3.6.33", sys_descr="Meter")
    only_described = agent_profile("only", "1.3.9.1", sys_descr="Meter")
    silent = agent_profile("silent", "1.3.9.1")
    assert fitting_profiles(AGENT, [PART, model, described]) == [model]
    assert fitting_profiles(AGENT, [PART, described, only_described]) == [described]
    assert fitting_profiles(AGENT, [only_described, silent]) == [only_described]


@pytest.mark.parametrize(
    "agent", [Agent((1, 3, 6, 331), "Meter"), Agent((1, 3, 6), ""), Agent((), "")]
)
def test_a_prefix_ends_between_numbers(agent: Agent) -> None:
    """1.3.6.331 does not begin with 1.3.6.33."""
    assert fitting_profiles(agent, [PART]) == []


async def test_an_agent_that_no_profile_knows_is_named_in_the_error() -> None:
    found = await identify()
    with pytest.raises(ProfileError) as caught:
        found.chosen()
    assert str(AGENT) in str(caught.value)
