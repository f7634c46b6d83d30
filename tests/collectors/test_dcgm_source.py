"""A node's GPUs through the whole driver, over HTTP from simulated exporters."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from dcgm_rig import COMPONENTS, PROFILE, rig, rows

from collectors.dcgm.source import DcgmSource
from collectors.exporter import inventory as inventory_module
from collectors.exporter import source as source_module
from facility.errors import DeviceError, DeviceGarbled, DeviceRefused, DeviceTimeout
from facility.quality import Quality
from facility.site import Device
from simulator.dcgm_node import Generation

GOOD, UNCERTAIN, STALE, _, BAD = Quality


@pytest.mark.parametrize("generation", ["legacy", "renamed"])
async def test_a_healthy_node_gives_every_field_of_every_gpu_in_its_unit(
    generation: Generation,
) -> None:
    async with rig(generation=generation) as node:
        poll = await node.source.read()
        found = rows(poll)
    assert len(found) == 2 * 6 + 1
    assert set(poll.quality.tolist()) == {GOOD}
    for gpu in COMPONENTS[:2]:
        assert found[gpu, "active_power_w"][0] == 703.459
        assert found[gpu, "energy_imported_wh"][0] == pytest.approx(1234.5, abs=0.01)
        assert found[gpu, "gpu_utilisation_ratio"][0] == 0.29
        assert found[gpu, "memory_free_bytes"][0] == 1024 * 2**20
    assert found["cpu.0", "cpu_power_w"][0] == 210.25
    assert poll.failures == ()
    assert poll.points.device == "node-1"


async def test_the_table_is_shared_by_polls_until_its_shape_changes() -> None:
    async with rig() as node:
        tables = [(await node.source.read()).points for _ in range(3)]
    assert tables[0] is tables[1] is tables[2]


async def test_a_value_out_of_range_is_uncertain() -> None:
    async with rig() as node:
        node.plant.values["gpu_temperature_c"] = 140.0
        quality = await node.qualities()
    assert quality["gpu.GPU-aaaa", "gpu_temperature_c"] == UNCERTAIN
    assert quality["gpu.GPU-aaaa", "active_power_w"] == GOOD


async def test_an_energy_counter_that_goes_back_is_uncertain_and_a_driver_reload_is_good() -> None:
    async with rig() as node:
        await node.source.read()
        node.plant.values["energy_imported_wh"] = 1000.0
        went_back = await node.qualities()
        node.plant.values["energy_imported_wh"] = 1234.6
        await node.source.read()
        node.plant.values["energy_imported_wh"] = 0.0
        reloaded = await node.qualities()
    assert went_back["gpu.GPU-aaaa", "energy_imported_wh"] == UNCERTAIN
    assert reloaded["gpu.GPU-aaaa", "energy_imported_wh"] == GOOD


async def test_a_scrape_within_the_exporters_own_interval_is_stale() -> None:
    async with rig(collect_interval_s=60) as node:
        assert set((await node.qualities()).values()) == {GOOD}
        assert set((await node.qualities()).values()) == {STALE}


async def test_a_frozen_exporter_is_stale_until_it_moves() -> None:
    async with rig() as node:
        await node.source.read()
        node.node.faults.frozen = True
        assert set((await node.qualities()).values()) == {STALE}
        node.node.faults.frozen = False
        assert set((await node.qualities()).values()) == {GOOD}


async def test_dcgms_blanks_never_reach_a_table() -> None:
    async with rig() as node:
        node.node.faults.blank = {"gpu_temperature_c"}
        poll = await node.source.read()
    for key, (value, quality) in rows(poll).items():
        is_blank = key[1] == "gpu_temperature_c"
        assert (quality == BAD) == is_blank == np.isnan(value)
    assert {failure.reason for failure in poll.failures} == {"blank: 9.2233720368547758e+18"}


async def test_a_gpu_that_vanishes_is_bad_and_named_and_good_again_when_it_returns() -> None:
    async with rig() as node:
        first = await node.source.read()
        node.node.faults.hidden = {"gpu.GPU-bbbb"}
        poll = await node.source.read()
        node.node.faults.hidden = set()
        again = await node.source.read()
    assert poll.points is first.points is again.points
    bad = {key for key, (_, quality) in rows(poll).items() if quality == BAD}
    assert {component for component, _ in bad} == {"gpu.GPU-bbbb"}
    assert len(bad) == len(poll.failures) == 6
    assert {failure.reason for failure in poll.failures} == {"not printed"}
    assert set(again.quality.tolist()) == {GOOD}


async def test_a_gpu_that_comes_gives_a_new_table() -> None:
    async with rig() as node:
        node.node.faults.hidden = {"gpu.GPU-aaaa"}
        first = await node.source.read()
        node.node.faults.hidden = set()
        poll = await node.source.read()
    assert poll.points is not first.points
    assert (len(first.points), len(poll.points)) == (7, 13)
    assert set(poll.quality.tolist()) == {GOOD}
    assert list(poll.points.components) == sorted(poll.points.components)


async def test_a_gpu_missed_for_long_is_given_up_and_may_still_return(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inventory_module, "MISSED_S", 0.0)
    async with rig() as node:
        await node.source.read()
        node.node.faults.hidden = {"gpu.GPU-bbbb"}
        missed = await node.source.read()
        after = await node.source.read()
        node.node.faults.hidden = set()
        returned = await node.source.read()
    assert (len(missed.points), len(after.points), len(returned.points)) == (13, 7, 13)
    assert set(returned.quality.tolist()) == {GOOD}


async def test_a_series_printed_twice_with_two_numbers_is_bad_and_the_others_are_good() -> None:
    async with rig() as node:
        node.node.faults.duplicated = True
        poll = await node.source.read()
    bad = {key for key, (_, quality) in rows(poll).items() if quality == BAD}
    assert bad == {(c, q) for c, q in rows(poll) if c in ("gpu.GPU-aaaa", "cpu.0")}
    assert {failure.reason for failure in poll.failures} == {"printed twice with different numbers"}


@pytest.mark.parametrize(
    ("fault", "setting", "error", "words"),
    [
        ("stalled", True, DeviceTimeout, "no whole answer within 0.27 s"),
        ("truncated", True, DeviceGarbled, "Payload"),
        ("endless", True, DeviceError, "whole answer|more than"),
        ("not_utf8", True, DeviceRefused, "none of its"),
        ("status", 503, DeviceRefused, "answers 503 Service Unavailable"),
        ("hidden", set(COMPONENTS), DeviceRefused, "none of its 0 lines"),
    ],
)
async def test_a_faulty_exporter_fails_by_name_and_is_read_again_once_well(
    fault: str, setting: object, error: type[DeviceError], words: str
) -> None:
    async with rig(timeout_s=0.3) as node:
        well = getattr(node.node.faults, fault)
        setattr(node.node.faults, fault, setting)
        with pytest.raises(error, match=words):
            await node.source.read()
        setattr(node.node.faults, fault, well)
        assert set((await node.qualities()).values()) == {GOOD}


async def test_an_exporter_that_prints_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig() as node:
        monkeypatch.setattr(source_module, "MOST_LINES", 10)
        with pytest.raises(DeviceGarbled, match="expected at most 10"):
            await node.source.read()
        monkeypatch.undo()
        monkeypatch.setattr(inventory_module, "MOST_ROWS", 10)
        with pytest.raises(DeviceGarbled, match="13 values; expected at most 10"):
            await node.source.read()


class Told:
    """Texts given one after another, where the way they came is not the matter."""

    def __init__(self, *texts: str) -> None:
        self._texts: Iterator[str] = iter(texts)

    async def get(self) -> bytes:
        return next(self._texts).encode()

    async def close(self) -> None:
        pass


def told(*texts: str) -> DcgmSource:
    device = Device(id="node-1", profile="any", address="http://node", role="gpu_node")
    assert PROFILE.dcgm is not None
    return DcgmSource(device, PROFILE.dcgm, Told(*texts))


def mig(instance: int, power: float, active: float) -> str:
    labels = f'gpu="0",UUID="GPU-1",GPU_I_PROFILE="1g.6gb",GPU_I_ID="{instance}",hostname="n"'
    return (
        f"DCGM_FI_DEV_POWER_USAGE{{{labels}}} {power}\n"
        f"DCGM_FI_PROF_SM_ACTIVE{{{labels}}} {active}\n"
    )


async def test_mig_instances_share_their_gpus_power_and_have_their_own_activity() -> None:
    poll = await told(mig(3, 300.0, 0.25) + mig(5, 300.0, 0.75)).read()
    assert rows(poll) == {
        ("gpu.GPU-1", "active_power_w"): (300.0, GOOD),
        ("gpu.GPU-1/mig.3", "sm_active_ratio"): (0.25, GOOD),
        ("gpu.GPU-1/mig.5", "sm_active_ratio"): (0.75, GOOD),
    }


async def test_labels_that_change_with_a_job_leave_the_rows_alone() -> None:
    text = 'DCGM_FI_DEV_POWER_USAGE{{gpu="0",UUID="GPU-1",pod="{}"}} {}\n'
    source = told(text.format("a", 300), text.format("b", 301))
    first, second = await source.read(), await source.read()
    assert first.points is second.points
    assert rows(second) == {("gpu.GPU-1", "active_power_w"): (301.0, GOOD)}


async def test_a_text_that_broke_off_misses_only_its_last_rows() -> None:
    text = mig(3, 300.0, 0.25)
    source = told(text, text[:-3])
    await source.read()
    quality = {key: quality for key, (_, quality) in rows(await source.read()).items()}
    assert quality["gpu.GPU-1/mig.3", "sm_active_ratio"] == BAD
    assert quality["gpu.GPU-1", "active_power_w"] == GOOD
