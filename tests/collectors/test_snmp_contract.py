"""The driver against simulated agents over real sockets, healthy and with each fault."""

from __future__ import annotations

import asyncio
import math
import time

import pytest
from counted import faults_of
from snmp_rig import APC, RARITAN, by_name, rig, source_at, why

from facility.errors import DeviceGarbled, DeviceRefused, DeviceTimeout, DeviceUnreachable
from facility.quality import Quality
from facility.site import SnmpCredential


async def test_values_come_out_in_the_catalogue_s_units():
    async with rig() as pdu:
        pdu.plant.values |= {
            ("inlet.1", "active_power_w"): -1234.0,
            ("inlet.1", "power_factor_ratio"): -0.95,
            ("inlet.1/phase.2", "current_a"): 15.125,
            ("outlet.3", "energy_imported_wh"): 4_294_967_290.0,
            ("outlet.2", "switch_on_state"): 0.0,
        }
        values = await pdu.read()
    assert values["inlet.1", "active_power_w"] == -1234
    assert values["inlet.1", "power_factor_ratio"] == -0.95
    assert values["inlet.1/phase.2", "current_a"] == 15.125
    assert values["outlet.3", "energy_imported_wh"] == 4_294_967_290
    assert values["outlet.2", "switch_on_state"] == 0


async def test_polls_of_an_unchanged_device_share_their_point_table():
    async with rig() as pdu:
        first, second = await pdu.source.read(), await pdu.source.read()
        assert first.points is second.points
        assert second.sampled_at_us > first.sampled_at_us
        assert (second.quality == Quality.GOOD).all()
        assert second.failures == ()


@pytest.mark.parametrize("version", ["1", "2c"])
async def test_v1_and_v2c_read_the_same(version):
    parts = ("", "phase.1", "phase.2", "phase.3", "bank.1")
    async with rig(APC, parts, SnmpCredential(version=version)) as pdu:
        values = await pdu.read()
        again = await pdu.read()
    assert values == again
    assert values["", "active_power_w"] == 10
    assert ("outlet.1", "current_a") not in values
    assert ("sensor.1", "temperature_c") not in values


async def test_a_value_the_device_does_not_have_is_bad_with_its_reason():
    async with rig(APC, ("", "phase.1")) as pdu:
        pdu.plant.values["", "energy_imported_wh"] = None
        poll = await pdu.source.read()
    assert math.isnan(by_name(poll)["", "energy_imported_wh"])
    assert why(poll) == {("", "energy_imported_wh"): "not available: the device answers -1"}


async def test_an_instance_that_is_not_there_is_that_point_s_failure_alone():
    async with rig() as pdu:
        poll = await pdu.source.read()
        row = poll.points.quantities.index("current_a")
        oid = tuple(map(int, poll.points.sources[row].split(".")))
        pdu.device.faults.missing.add(oid)
        poll = await pdu.source.read()
    assert [failure.reason for failure in poll.failures] == ["noSuchInstance"]
    assert poll.failures[0].row == row
    assert (poll.quality == Quality.BAD).sum() == 1


async def test_a_text_where_a_number_should_be_is_that_point_s_failure_alone():
    async with rig(APC, ("", "phase.1")) as pdu:
        pdu.device.faults.wrong_type.add((1, 3, 6, 1, 4, 1, 318, 1, 1, 26, 4, 3, 1, 5, 1))
        poll = await pdu.source.read()
    assert why(poll) == {("", "active_power_w"): "expected a number, found text 'error'"}


async def test_a_table_that_shrinks_or_grows_gives_a_new_point_table():
    parts = tuple(f"outlet.{n}" for n in range(1, 5))
    async with rig(APC, ("", *parts), survey_polls=2) as pdu:
        before = await pdu.source.read()
        pdu.device.faults.hidden.add("outlet.4")
        shrinking = await pdu.source.read()
        assert why(shrinking)["outlet.4", "current_a"] == "noSuchInstance"
        after = await _read_until(pdu.source, lambda poll: poll.points is not before.points)
        assert "outlet.4" not in after.points.components
        pdu.device.set_components(("", *parts, "outlet.5"))
        pdu.device.faults.hidden.clear()
        grown = await _read_until(pdu.source, lambda poll: "outlet.5" in poll.points.components)
        assert "outlet.4" in grown.points.components
        assert not grown.failures


async def _read_until(source, true):
    for _ in range(40):
        poll = await source.read()
        if true(poll):
            return poll
    raise AssertionError("not within 40 polls")


@pytest.mark.parametrize("most", [1, 5, 23])
async def test_an_agent_that_says_too_big_is_asked_for_less(most):
    async with rig() as pdu:
        whole = await pdu.read()
        pdu.device.faults.largest_answer = most
        assert await pdu.read() == whole
    async with rig() as pdu:
        pdu.device.faults.largest_answer = most
        assert await pdu.read() == whole


async def test_an_agent_that_cuts_its_bulk_answers_short_still_gives_every_row():
    parts = tuple(f"outlet.{n}" for n in range(1, 25))
    async with rig(APC, parts) as pdu:
        pdu.device.faults.longest_bulk = 7
        first, second = await pdu.read(), await pdu.read()
    assert len(first) == 3 * 24
    assert first == second
    assert not any(math.isnan(value) for value in second.values())


async def test_a_silent_agent_is_a_timeout_before_the_deadline():
    async with rig(timeout_s=1.0) as pdu:
        pdu.device.faults.silent = True
        started = time.monotonic()
        with pytest.raises(DeviceTimeout, match="no answer to 3 requests"):
            await pdu.source.read()
        assert time.monotonic() - started < 1.0
        pdu.device.faults.silent = False
        assert (await pdu.source.read()).failures == ()


async def test_a_lost_datagram_is_made_good():
    async with rig() as pdu:
        await pdu.source.read()
        pdu.device.faults.silent = True
        reading = asyncio.create_task(pdu.source.read())
        await asyncio.sleep(0.05)
        pdu.device.faults.silent = False
        assert (await reading).failures == ()
        assert faults_of("pdu-a") == {"lost": 1}


async def test_an_agent_too_slow_for_one_read_gives_what_it_gave_in_time():
    async with rig(timeout_s=1.0) as pdu:
        await pdu.source.read()
        pdu.device.faults.delay_s = 0.25
        started = time.monotonic()
        poll = await pdu.source.read()
        assert time.monotonic() - started < 1.0
        missing = poll.quality == Quality.BAD
        assert 0 < missing.sum() < len(poll.points)
        assert {failure.reason for failure in poll.failures} == {"not answered"}


async def test_a_survey_too_long_for_one_read_goes_on_at_the_next():
    async with rig(timeout_s=0.5) as pdu:
        pdu.device.faults.delay_s = 0.06
        for _ in range(20):
            try:
                poll = await pdu.source.read()
                break
            except DeviceTimeout:
                continue
        else:
            pytest.fail("the survey never ended")
        assert "outlet.3" in poll.points.components


async def test_garbage_is_told_from_silence():
    async with rig() as pdu:
        pdu.device.faults.garbage = b"\x30\x82\xff\xff not SNMP"
        with pytest.raises(DeviceGarbled):
            await pdu.source.read()
        pdu.device.faults.garbage = None
        assert (await pdu.source.read()).failures == ()


async def test_another_model_is_refused_by_name_of_the_mistake():
    async with rig(APC, ("",)) as pdu:
        source = source_at(pdu.host, pdu.port, RARITAN)
        with pytest.raises(DeviceRefused, match="none of the profile's 28 points"):
            await source.read()
        await source.close()


async def test_an_unknown_host_is_unreachable():
    source = source_at("no-such-host.invalid", 161, APC)
    with pytest.raises(DeviceUnreachable):
        await source.read()
    await source.close()


async def test_a_slow_agent_harms_no_other():
    async with rig() as slow, rig(host="127.0.0.2") as quick:
        await slow.source.read()
        await quick.source.read()
        slow.device.faults.delay_s = 0.5
        reading = asyncio.create_task(slow.source.read())
        started = time.monotonic()
        for _ in range(3):
            assert (await quick.source.read()).failures == ()
        assert time.monotonic() - started < 0.5
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading


async def test_cancellation_mid_read_leaves_the_source_usable():
    async with rig() as pdu:
        pdu.device.faults.delay_s = 0.2
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await pdu.source.read()
        pdu.device.faults.delay_s = 0.0
        assert (await pdu.source.read()).failures == ()


async def test_closing_twice_or_before_the_first_read_is_safe():
    source = source_at("127.0.0.1", 9, APC)
    await source.close()
    await source.close()
