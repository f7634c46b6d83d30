"""GPUs that the site file expects: those that were lost before the first poll are missed, too."""

from __future__ import annotations

import pytest

from collectors.exporter import inventory as inventory_module
from collectors.ledger import booked
from collectors.source import KnowsItsPoints, Poll
from facility.quality import Quality
from facility.reading import Outcome
from tests.collectors.dcgm_rig import PROFILE, rig

A, B = "gpu.GPU-aaaa", "gpu.GPU-bbbb"
FIELDS_OF_A_GPU, FIELDS_OF_A_CPU = 6, 1


def missing(poll: Poll) -> dict[str, set[str]]:
    """The reasons why rows are bad, by component."""
    reasons: dict[str, set[str]] = {}
    for failure in poll.failures:
        assert poll.quality[failure.row] == Quality.BAD
        reasons.setdefault(poll.points.components[failure.row], set()).add(failure.reason)
    assert len(poll.failures) == (poll.quality == Quality.BAD).sum()
    return reasons


async def test_of_three_gpus_the_one_that_never_came_is_booked_missing() -> None:
    async with rig(gpus=3) as node:
        polls = [await node.source.read() for _ in range(2)]
    assert polls[0].points is polls[1].points
    for poll in polls:
        assert missing(poll) == {
            "gpu.missing-1": {"1 of 3 GPUs missing, gpu.missing-1: not printed"}
        }
        # The rows of the missing one are the six that the two others give.
        assert len(poll.points) == 3 * FIELDS_OF_A_GPU + FIELDS_OF_A_CPU
        booking = booked(poll, range(1), 0.1)
        assert (booking.outcome, booking.expected, booking.good) == (Outcome.PARTIAL, 19, 13)
        assert booking.error == (
            "missing: 6 of 19 points: 1 of 3 GPUs missing, gpu.missing-1: not printed"
        )


async def test_a_gpu_that_never_came_is_named_where_the_site_file_names_it() -> None:
    async with rig(gpus=("GPU-bbbb", "GPU-cccc", "GPU-dddd")) as node:
        poll = await node.source.read()
    # GPU-aaaa is not expected, and is read all the same.
    assert missing(poll) == {
        gpu: {f"2 of 3 GPUs missing, {gpu}: not printed"}
        for gpu in ("gpu.GPU-cccc", "gpu.GPU-dddd")
    }
    assert len(poll.points) == 4 * FIELDS_OF_A_GPU + FIELDS_OF_A_CPU


async def test_without_any_gpu_every_field_of_every_expected_one_is_missing() -> None:
    async with rig(components=("cpu.0",), gpus=2) as node:
        poll = await node.source.read()
    fields = sum("{UUID}" in point.component for point in PROFILE.points)
    assert len(poll.points) == 2 * fields + FIELDS_OF_A_CPU
    assert set(missing(poll)) == {"gpu.missing-1", "gpu.missing-2"}


async def test_a_gpu_that_comes_takes_its_place() -> None:
    async with rig(gpus=2) as node:
        node.node.faults.hidden = {B}
        before = await node.source.read()
        node.node.faults.hidden = set()
        after = await node.source.read()
    assert set(missing(before)) == {"gpu.missing-1"}
    assert missing(after) == {}
    assert set(after.points.components) == {A, B, "cpu.0"}


async def test_a_gpu_that_was_there_is_missed_under_its_name_for_good(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inventory_module, "MISSED_S", 0.0)
    async with rig(gpus=2) as node:
        await node.source.read()
        node.node.faults.hidden = {B}
        polls = [await node.source.read() for _ in range(3)]
    assert [missing(poll) for poll in polls] == 3 * [
        {B: {f"1 of 2 GPUs missing, {B}: not printed"}}
    ]
    assert polls[0].points is polls[2].points


async def test_a_gpu_that_was_replaced_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory_module, "MISSED_S", 0.0)
    async with rig(components=(A, B, "gpu.GPU-cccc"), gpus=2) as node:
        node.node.faults.hidden = {"gpu.GPU-cccc"}
        await node.source.read()
        node.node.faults.hidden = {B}
        replaced = await node.source.read()
        after = await node.source.read()
    assert missing(replaced) == {B: {"not printed"}}
    assert missing(after) == {}
    assert set(after.points.components) == {A, "gpu.GPU-cccc"}


async def test_a_node_that_never_answered_lacks_all_its_gpus() -> None:
    async with rig() as one, rig(gpus=72) as many:
        of_one, of_many = one.source, many.source
        assert isinstance(of_one, KnowsItsPoints)
        assert isinstance(of_many, KnowsItsPoints)
        of_gpu = sum("{UUID}" in point.component for point in PROFILE.points)
        assert of_one.points_expected == len(PROFILE.points)
        assert of_many.points_expected == len(PROFILE.points) + 71 * of_gpu
