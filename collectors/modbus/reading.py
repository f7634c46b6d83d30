"""One pass over a device's registers: ask block by block, halve what is refused, keep the rest."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from collectors.modbus.frames import ModbusRefused
from collectors.modbus.planner import Block, Range, plan, wanted_ranges
from collectors.modbus.refusals import Refusals
from collectors.profile import ModbusSection
from facility.errors import DeviceError

DIVISIBLE = (2, 3, 4)
"""Exceptions that one register of a block may cause: illegal address, value, device failure."""

Ask = Callable[[Range, float], Awaitable[bytes]]
"""Read one range before a deadline."""


@dataclass(slots=True)
class Answers:
    """What one pass gave: register bytes by block, and why other blocks gave none."""

    payloads: dict[Range, bytes] = field(default_factory=dict)
    failures: dict[Range, DeviceError] = field(default_factory=dict)

    def reason(self, place: Range) -> str | None:
        """Why the block that holds this place gave nothing."""
        for block, error in self.failures.items():
            if block.holds(place):
                return f"{error.kind}: {error}"
        return None


class Reading:
    """The reads of one device, mended as it turns out which of them it refuses."""

    def __init__(
        self, section: ModbusSection, ask: Ask, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._limits = section.limits
        self._wanted = wanted_ranges(section)
        self.refusals = Refusals()
        self._blocks = plan(self._wanted, self._limits)

    async def once(self, deadline: float) -> Answers:
        """Read all that can be read before `deadline`.

        Raises:
            DeviceError: the first error, where not one block could be read.
        """
        answers = Answers()
        known = self.refusals.ranges
        try:
            await self._work_through(answers, deadline)
        finally:
            if self.refusals.ranges != known:
                self._blocks = plan(self._wanted, self._limits, self.refusals.ranges)
        if not answers.payloads:
            self._start_over()
            raise next(iter(answers.failures.values()))
        return answers

    async def _work_through(self, answers: Answers, deadline: float) -> None:
        todo = deque((*self._blocks, *self.refusals.due(self._clock())))
        while todo:
            block = todo.popleft()
            try:
                answers.payloads[block.range] = await self._ask(block.range, deadline)
                self.refusals.lift(block)
            except ModbusRefused as refusal:
                answers.failures[block.range] = refusal
                if refusal.code in DIVISIBLE:
                    todo.extendleft(reversed(self._divide(block, refusal)))
            except DeviceError as error:
                answers.failures.update(dict.fromkeys((b.range for b in (block, *todo)), error))
                return
        self.refusals.settle()

    def _divide(self, block: Block, refusal: ModbusRefused) -> tuple[Block, ...]:
        self.refusals.add(block, f"{refusal.kind}: {refusal}", self._clock())
        return block.halves()

    def _start_over(self) -> None:
        """A device that refuses everything is asked for everything again next time."""
        self.refusals = Refusals()
        self._blocks = plan(self._wanted, self._limits)
