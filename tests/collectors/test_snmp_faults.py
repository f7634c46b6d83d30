"""What operators complain of in other SNMP collectors; numbers in brackets are the complaints."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from counted import faults_of
from daemon_rig import Place, assert_dense, assert_kinds, running, whats
from snmp_rig import APC, RARITAN, Plant, by_name, device_at, rig
from structlog.testing import capture_logs

from collectors.clock import Clock
from collectors.daemon import open_by_profile
from collectors.intake import Intake
from collectors.poller import DevicePoller
from collectors.quality_frozen import FROZEN_AFTER_POLLS
from collectors.snmp.session import Request, Session, Varbind
from collectors.snmp.source import SnmpSource
from collectors.snmp.transport import PysnmpSession
from facility.quality import Quality
from facility.secret import Secret
from facility.site import SnmpCredential
from simulator.snmp_agent import SnmpAgents
from simulator.snmp_device import SnmpDevice

OUTLETS = ("", "phase.1", *(f"outlet.{n}" for n in range(1, 25)))
V3 = SnmpCredential(
    version="3",
    user="monitor",
    auth_protocol="sha256",
    auth_key=Secret(env="SNMP_KEY"),
    privacy_protocol="aes128",
    privacy_key=Secret(env="SNMP_KEY"),
)


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNMP_KEY", "correct horse")


@pytest.fixture
def place(tmp_path: Path) -> AsyncIterator[Place]:
    place = Place(tmp_path)
    yield place
    place.outbox.close()


async def test_one_slow_agent_stalls_no_other_and_the_log_says_which(place: Place) -> None:
    """[2] One slow SNMP agent stalls the whole gather; logs do not say which."""
    names = ("slow", "quick-1", "quick-2")
    simulated = {name: SnmpDevice(APC, ("", "phase.1"), Plant()) for name in names}
    async with SnmpAgents(SnmpCredential()) as agents:
        devices = []
        for number, (name, device) in enumerate(simulated.items(), 1):
            host, port = await agents.serve(device, f"127.0.0.{number}")
            patience_s = 0.3 if name == "slow" else 1.0  # a test's machine may be busy
            facts = {"id": name, "interval_seconds": 0.2, "timeout_seconds": patience_s}
            devices.append(device_at(host, port, APC).model_copy(update=facts))
        simulated["slow"].faults.delay_s = 1.0
        daemon = place.daemon(*devices, open_device=open_by_profile)
        with capture_logs() as lines:
            async with running(daemon):
                await asyncio.sleep(1.5)
                up = daemon.health()["devices_up"]
    ledger = place.ledger()
    for device in devices[1:]:
        assert_dense(ledger[device.id], device)
        assert_kinds(ledger[device.id], "read")
    assert whats(ledger["slow"])["timeout"] >= 3
    lost = [line for line in lines if line["event"] == "Device does not answer."]
    assert [(line["device"], line["error"].partition(":")[0]) for line in lost] == [
        ("slow", "timeout")
    ]
    assert up == 2


class Overheard:
    """A session that notes what is asked."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.can_bulk = session.can_bulk
        self.asked: list[Request] = []

    async def ask(self, request: Request) -> list[Varbind]:
        self.asked.append(request)
        return await self._session.ask(request)

    async def close(self) -> None:
        await self._session.close()


async def test_a_known_device_is_not_walked_again_at_every_poll() -> None:
    """[10] Walks time out; no parallel walk."""
    async with rig(APC, OUTLETS) as pdu:
        device = device_at(pdu.host, pdu.port, APC)
        overheard = Overheard(PysnmpSession(device.address, SnmpCredential()))
        source = SnmpSource(device, APC.snmp, overheard)
        points = len((await source.read()).points)
        walked = len(overheard.asked)
        overheard.asked.clear()
        assert (await source.read()).failures == ()
        await source.close()
    assert points > 3 * 24
    assert len(overheard.asked) <= -(-points // APC.snmp.limits.varbinds_per_get) + 1
    assert len(overheard.asked) < walked / 2


@pytest.mark.parametrize("drift_s", [200, 100_000])
async def test_a_drifting_engine_clock_never_makes_an_agent_look_down(drift_s: int) -> None:
    """[11] SNMPv3 sessions die after 150 s of clock drift; false agent-down alerts."""
    async with rig(APC, ("", "phase.1"), V3) as pdu:
        pdu.agents.set_clock(drift_s + 1_000)
        intake = Intake()
        device = device_at(pdu.host, pdu.port, APC).model_copy(update={"interval_seconds": 0.1})
        clock = Clock()
        poller = DevicePoller(device, pdu.source, intake=intake, clock=clock, blocked=lambda: None)
        task = asyncio.create_task(poller.run(clock.now_us()))
        for shows_s in (1_000, drift_s, 0):
            await asyncio.sleep(0.35)
            pdu.agents.set_clock(shows_s)
        pdu.agents.reboot()
        await asyncio.sleep(0.35)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        bookings = intake.take().bookings
    assert len(bookings) >= 10
    assert {booking.outcome.value for booking in bookings} <= {"read", "dropped"}
    assert poller.up


async def test_a_32_bit_register_that_starts_again_is_good_and_one_that_falls_is_uncertain() -> (
    None
):
    """A wrap every few weeks is no spike, and no reset."""
    async with rig(RARITAN, ("inlet.1",)) as pdu:
        place = ("inlet.1", "energy_imported_wh")
        seen = []
        for register in (2.0**32 - 3, 2.0**32 - 1, 2.0**32 + 2, 2.0**31):
            pdu.plant.values[place] = register
            poll = await pdu.source.read()
            names = list(zip(poll.points.components, poll.points.quantities, strict=True))
            row = names.index(place)
            seen.append((by_name(poll)[place], int(poll.quality[row])))
    assert seen == [
        (2.0**32 - 3, Quality.GOOD),
        (2.0**32 - 1, Quality.GOOD),
        (2.0, Quality.GOOD),
        (2.0**31, Quality.UNCERTAIN),
    ]


async def test_an_agent_that_repeats_itself_is_stale() -> None:
    """A card that answers from its cache shows old values as live ones."""
    async with rig(APC, ("", "phase.1")) as pdu:
        for turn in range(110):
            pdu.plant.base = 10.0 + turn % 7
            assert Quality.STALE not in (await pdu.source.read()).quality
        pdu.device.faults.frozen = True
        for _ in range(FROZEN_AFTER_POLLS + 1):
            poll = await pdu.source.read()
        assert set(poll.quality.tolist()) == {Quality.STALE}
        pdu.device.faults.frozen = False
        pdu.plant.base += 1
        assert Quality.STALE not in (await pdu.source.read()).quality


async def test_what_an_agent_answers_wrongly_is_counted_under_its_name() -> None:
    async with rig(APC, ("", "phase.1"), timeout_s=1.0) as pdu:
        await pdu.source.read()
        pdu.device.faults.largest_answer = 2
        await pdu.source.read()
        assert faults_of("pdu-a")["tooBig"] >= 1
        pdu.device.faults.largest_answer = None
        pdu.device.faults.garbage = b"\x30\x82\xff\xff"
        with pytest.raises(Exception, match="not SNMP"):
            await pdu.source.read()
        assert faults_of("pdu-a")["garbled"] >= 1
        await pdu.source.close()
    assert faults_of("pdu-a") == {}
