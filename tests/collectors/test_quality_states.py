"""The five states of quality, each seen through every protocol's own driver and simulated device.

A driver hands its rows to the one Judge. `substituted` is for values that are filled in by a stated
rule: no driver has such a rule, so that state is asked of the Judge as the driver made it, and what
is missing in a plant is shown never to come out as substituted.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AsyncExitStack
from typing import Any, ClassVar

import numpy as np
import pytest
from dcgm_rig import rig as dcgm_rig
from modbus_rig import one_device, profile
from snmp_rig import APC
from snmp_rig import rig as snmp_rig

from collectors.quality import Judge
from collectors.quality_frozen import FROZEN_AFTER_POLLS
from collectors.source import Poll, Source
from facility.quality import Quality
from simulator.modbus_faults import Fault

LEARNING_POLLS = 110
"""After so many polls in which a row moved, its standing still means something."""


class Scene(ABC):
    """A device of one protocol, and what a test can do to it."""

    watched: ClassVar[tuple[str, str]]
    """Component and quantity of the row that the states are shown with."""
    out_of_range: ClassVar[float]
    source: Source
    polls_until_stale = FROZEN_AFTER_POLLS + 1

    def __init__(self) -> None:
        self.stack = AsyncExitStack()

    @abstractmethod
    async def open(self) -> None:
        """Start the device and make its source."""

    @abstractmethod
    def show(self, value: float) -> None:
        """Make the watched row this."""

    @abstractmethod
    def freeze(self) -> None:
        """Make the device repeat itself."""

    @abstractmethod
    def lose(self) -> None:
        """Take the watched value away."""

    @property
    def judge(self) -> Judge:
        """The driver's own."""
        return self.source._judge

    async def quality(self) -> Quality:
        """That of the watched row, after one more poll."""
        poll = await self.source.read()
        quality = Quality(int(poll.quality[self.row(poll)]))
        assert np.isnan(poll.value[self.row(poll)]) == (quality is Quality.BAD)
        return quality

    def row(self, poll: Poll) -> int:
        names = zip(poll.points.components, poll.points.quantities, strict=True)
        return list(names).index(self.watched)


class Modbus(Scene):
    watched = ("a", "frequency_hz")
    out_of_range = 71.0

    async def open(self) -> None:
        self.values: dict[str, float | None] = {"a": 50.0, "b": 50.0}
        of = profile(
            {"quantity": "frequency_hz", "component": "a", "address": 0, "type": "float32"},
            {"quantity": "frequency_hz", "component": "b", "address": 10, "type": "float32"},
        )
        entering = one_device(of, lambda component, _: self.values[component])
        self.server, make = await self.stack.enter_async_context(entering)
        self.source = make()

    def show(self, value: float) -> None:
        self.values["a"] = value

    def freeze(self) -> None:
        self.server.set_fault("meter", Fault("frozen"))

    def lose(self) -> None:
        self.values["a"] = None


class Snmp(Scene):
    watched = ("phase.1", "voltage_v")
    out_of_range = 2_000_000.0

    async def open(self) -> None:
        self.rig = await self.stack.enter_async_context(snmp_rig(APC, ("", "phase.1")))
        self.source = self.rig.source

    def show(self, value: float) -> None:
        self.rig.plant.values[self.watched] = value

    def freeze(self) -> None:
        self.rig.device.faults.frozen = True

    def lose(self) -> None:
        self.rig.device.faults.hidden.add("phase.1")


class Dcgm(Scene):
    watched = ("gpu.GPU-aaaa", "gpu_temperature_c")
    out_of_range = 140.0
    polls_until_stale = 1

    @property
    def judge(self) -> Judge:
        return self.source._polls._judge

    async def open(self) -> None:
        self.rig = await self.stack.enter_async_context(dcgm_rig())
        self.source = self.rig.source

    def show(self, value: float) -> None:
        self.rig.plant.values["gpu_temperature_c"] = value

    def freeze(self) -> None:
        self.rig.node.faults.frozen = True

    def lose(self) -> None:
        self.rig.node.faults.hidden = {"gpu.GPU-aaaa"}


@pytest.fixture(params=[Modbus, Snmp, Dcgm], ids=["modbus", "snmp", "dcgm"])
async def scene(request: pytest.FixtureRequest) -> Any:
    scene: Scene = request.param()
    async with scene.stack:
        await scene.open()
        yield scene


async def test_good(scene: Scene) -> None:
    scene.show(50.0)
    assert await scene.quality() is Quality.GOOD


async def test_uncertain(scene: Scene) -> None:
    scene.show(scene.out_of_range)
    assert await scene.quality() is Quality.UNCERTAIN
    scene.show(50.0)
    assert await scene.quality() is Quality.GOOD


async def test_stale(scene: Scene) -> None:
    for poll in range(LEARNING_POLLS):
        scene.show(50.0 + poll % 7)
        assert await scene.quality() is Quality.GOOD
    scene.freeze()
    for _ in range(scene.polls_until_stale):
        quality = await scene.quality()
    assert quality is Quality.STALE


async def test_bad(scene: Scene) -> None:
    scene.show(50.0)
    assert await scene.quality() is Quality.GOOD
    scene.lose()
    assert await scene.quality() is Quality.BAD


async def test_substituted(scene: Scene) -> None:
    scene.show(50.0)
    poll = await scene.source.read()
    filled_in = np.zeros(len(poll.points), np.bool_)
    filled_in[scene.row(poll)] = True
    judged = scene.judge.judge(
        poll.value.copy(), None, poll.sampled_at_us + 1, substituted=filled_in
    )
    assert judged[scene.row(poll)] == Quality.SUBSTITUTED
    scene.lose()
    assert await scene.quality() is Quality.BAD, "what is missing is not made up"
