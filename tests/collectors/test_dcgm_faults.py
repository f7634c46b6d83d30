"""What operators complain of in exporters of GPUs; numbers in brackets are the complaints."""

from __future__ import annotations

import asyncio
import time

import pytest
from counted import faults_of
from dcgm_rig import COMPONENTS, FIELDS, PROFILE, rig, rows

from collectors.ledger import booked
from facility.errors import DeviceTimeout
from facility.quality import Quality
from facility.reading import Outcome
from simulator.dcgm_node import DcgmNode

GOOD, UNCERTAIN, STALE, _, BAD = Quality
SLOT = range(1)


async def test_an_exporter_that_hangs_is_a_timeout_and_harms_no_other_node() -> None:
    """[23] dcgm-exporter hangs."""
    async with rig(timeout_s=0.4) as hung, rig() as well:
        await hung.source.read()
        hung.node.faults.stalled = True
        hanging = asyncio.create_task(hung.source.read())
        began = time.monotonic()
        for _ in range(5):
            assert set((await well.qualities()).values()) == {GOOD}
        assert time.monotonic() - began < 0.4
        with pytest.raises(DeviceTimeout):
            await hanging
        hung.node.faults.stalled = False
        assert set((await hung.qualities()).values()) == {GOOD}


async def test_a_lost_gpu_makes_the_poll_partial_and_its_points_bad() -> None:
    """[23] It loses GPUs, and nobody notices that the sum has become smaller."""
    async with rig() as node:
        whole = booked(await node.source.read(), SLOT, 0.1)
        node.node.faults.hidden = {"gpu.GPU-bbbb"}
        poll = await node.source.read()
        less = booked(poll, SLOT, 0.1)
    assert (whole.outcome, whole.good, whole.expected) == (Outcome.READ, 13, 13)
    assert (less.outcome, less.good, less.expected) == (Outcome.PARTIAL, 7, 13)
    assert less.error == "missing: 6 of 13 points: not printed"
    assert {poll.points.components[f.row] for f in poll.failures} == {"gpu.GPU-bbbb"}


async def test_an_upgrade_that_renames_every_field_leaves_every_row_as_it_was() -> None:
    """[23] Metrics vanish on upgrade."""
    async with rig(generation="legacy") as node:
        before = await node.source.read()
        upgraded = DcgmNode(
            PROFILE, COMPONENTS, node.plant.value, generation="renamed", fields=FIELDS
        )
        assert upgraded.text().split(b"{")[0] != node.node.text().split(b"{")[0]
        node.node._blocks = upgraded._blocks
        after = await node.source.read()
    assert after.points is before.points
    assert set(after.quality.tolist()) == {GOOD}
    assert [v for v, _ in rows(after).values()] == pytest.approx(
        [v for v, _ in rows(before).values()], abs=0.01
    )


async def test_a_frozen_exporter_never_passes_for_a_live_one() -> None:
    """[23] Frozen values; also heard: the last value shown as live after the link is lost."""
    async with rig() as node:
        await node.source.read()
        node.node.faults.frozen = True
        polls = [await node.source.read() for _ in range(3)]
    for poll in polls:
        assert set(poll.quality.tolist()) == {STALE}
        assert booked(poll, SLOT, 0.1).good == 0


async def test_energy_is_a_register_of_its_own_beside_the_averaged_power() -> None:
    """[24] The power gauge is an average and lags; energy is to be taken from the counter."""
    async with rig(collect_interval_s=60) as node:
        poll = await node.source.read()
        again = await node.source.read()
    found = rows(poll)
    for gpu in COMPONENTS[:2]:
        assert found[gpu, "active_power_w"][1] == GOOD
        assert found[gpu, "energy_imported_wh"][1] == GOOD
    assert set(again.quality.tolist()) == {STALE}, "an old sample is never a new one"
    (counter,) = [p for p in PROFILE.dcgm.points if p.quantity == "energy_imported_wh"]
    assert counter.counter is not None


async def test_what_an_exporter_prints_wrongly_is_counted_under_its_name() -> None:
    async with rig() as node:
        await node.source.read()
        node.node.faults.duplicated = True
        await node.source.read()
        assert faults_of("node-1") == {"conflicting": 7}
        node.node.faults.duplicated = False
        node.node.text = lambda: b"DCGM_FI_DEV_GPU_TEMP{gpu=0} 5\n" + printed
        printed = DcgmNode(PROFILE, COMPONENTS, node.plant.value, fields=FIELDS).text()
        await node.source.read()
        assert faults_of("node-1") == {"conflicting": 7, "malformed": 1}
        await node.source.close()
        assert faults_of("node-1") == {}
