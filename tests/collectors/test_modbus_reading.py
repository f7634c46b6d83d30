"""What a device refuses is pinned down and left out; everything else flows on."""

from __future__ import annotations

import pytest

from collectors.modbus.frames import ModbusRefused
from collectors.modbus.planner import Range
from collectors.modbus.reading import Reading
from collectors.modbus.refusals import FIRST_RETRY_S, LAST_RETRY_S
from collectors.profile import ModbusSection
from facility.errors import DeviceRefused, DeviceTimeout


class ScriptedDevice:
    """Answers any read that holds none of `bad`, is no longer than `longest`, and counts them."""

    def __init__(self, bad: set[int] = frozenset(), longest: int = 125, code: int = 2) -> None:  # type: ignore[assignment]
        self.bad, self.longest, self.code = set(bad), longest, code
        self.asked: list[Range] = []
        self.silent_from = 1 << 20

    async def ask(self, place: Range, deadline: float) -> bytes:
        self.asked.append(place)
        if place.address >= self.silent_from:
            raise DeviceTimeout("no answer")
        if self.bad & set(range(place.address, place.end)) or place.count > self.longest:
            raise ModbusRefused(self.code, str(place))
        return bytes(2 * place.count)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def section(addresses: range | list[int], *, gap: int = 0) -> ModbusSection:
    points = [
        {"quantity": "voltage_v", "component": str(a), "address": a, "type": "uint16"}
        for a in addresses
    ]
    return ModbusSection.model_validate({"points": points, "limits": {"largest_gap": gap}})


def reading(device: ScriptedDevice, wanted: ModbusSection, clock: Clock | None = None) -> Reading:
    return Reading(wanted, device.ask, clock or Clock())


async def read(one: Reading) -> set[int]:
    """Addresses that came with an answer."""
    answers = await one.once(deadline=1.0)
    return {a for block in answers.payloads for a in range(block.address, block.end)}


@pytest.mark.parametrize("code", [2, 3, 4])
async def test_one_bad_register_costs_only_itself(code: int) -> None:
    device = ScriptedDevice({57}, code=code)
    one = reading(device, section(range(100)))
    assert await read(one) == set(range(100)) - {57}
    assert len(device.asked) <= 2 * 7 + 1  # halving a hundred
    device.asked.clear()
    assert await read(one) == set(range(100)) - {57}
    assert device.asked == [Range("holding", 0, 57), Range("holding", 58, 42)]
    assert one.refusals.reason(Range("holding", 57, 1)) == (
        f"refused: exception {code} "
        f"({ {2: 'illegal data address', 3: 'illegal data value', 4: 'device failure'}[code] }) "
        "for holding 57"
    )


async def test_several_bad_registers_are_all_found() -> None:
    device = ScriptedDevice({0, 41, 42, 99})
    one = reading(device, section(range(100)))
    assert await read(one) == set(range(100)) - device.bad
    device.asked.clear()
    await read(one)
    assert len(device.asked) == 2


async def test_a_hole_that_may_not_be_bridged_is_learnt() -> None:
    device = ScriptedDevice({5})
    one = reading(device, section([0, 1, 2, 3, 4, 6, 7, 8, 9], gap=4))
    for _ in range(4):
        assert await read(one) == {0, 1, 2, 3, 4, 6, 7, 8, 9}
    device.asked.clear()
    await read(one)
    assert device.asked == [Range("holding", 0, 5), Range("holding", 6, 4)]


async def test_a_device_with_a_shorter_limit_than_its_profile_is_learnt() -> None:
    device = ScriptedDevice(longest=60, code=3)
    one = reading(device, section(range(100)))
    for _ in range(8):
        assert await read(one) == set(range(100))
    device.asked.clear()
    await read(one)
    assert len(device.asked) <= 3
    assert all(place.count <= 60 for place in device.asked)


async def test_a_quarantined_register_is_asked_again_ever_more_rarely_until_it_answers() -> None:
    device, clock = ScriptedDevice({57}), Clock()
    one = reading(device, section(range(100)), clock)
    await read(one)
    waits = []
    for _ in range(12):
        began = clock.now
        while True:
            clock.now += FIRST_RETRY_S
            device.asked.clear()
            await read(one)
            if Range("holding", 57, 1) in device.asked:
                break
        waits.append(clock.now - began)
    assert waits[:4] == [10, 20, 40, 80]
    assert max(waits) == LAST_RETRY_S
    device.bad.clear()
    clock.now += LAST_RETRY_S
    assert 57 in await read(one)
    device.asked.clear()
    await read(one)
    assert device.asked == [Range("holding", 0, 100)]


async def test_a_device_that_refuses_everything_is_refused_and_asked_for_everything_again() -> None:
    device = ScriptedDevice(set(range(4)))
    one = reading(device, section(range(4)))
    with pytest.raises(DeviceRefused, match="illegal data address"):
        await read(one)
    device.bad.clear()
    assert await read(one) == {0, 1, 2, 3}


async def test_busy_is_not_taken_for_a_bad_register() -> None:
    device = ScriptedDevice({57}, code=6)
    one = reading(device, section(range(0, 100, 3)))
    assert len(await read(one)) == 33
    device.bad.clear()
    assert len(await read(one)) == 34


async def test_what_was_read_before_the_silence_is_kept() -> None:
    device = ScriptedDevice()
    device.silent_from = 50
    one = reading(device, section([0, 10, 50, 60]))
    answers = await one.once(deadline=1.0)
    assert len(answers.payloads) == 2
    assert answers.reason(Range("holding", 50, 1)) == "timeout: no answer"
    assert answers.reason(Range("holding", 60, 1)) == "timeout: no answer"
    assert len(device.asked) == 3, "a silent device is not asked for the rest"


async def test_silence_from_the_start_is_raised() -> None:
    device = ScriptedDevice()
    device.silent_from = 0
    with pytest.raises(DeviceTimeout):
        await read(reading(device, section([0, 10])))


async def test_what_was_learnt_survives_a_cut_off_read() -> None:
    device = ScriptedDevice({3})
    one = reading(device, section([*range(8), 50]))
    device.silent_from = 50
    await one.once(deadline=1.0)
    device.asked.clear()
    device.silent_from = 1 << 20
    await read(one)
    assert device.asked == [
        Range("holding", 0, 3),
        Range("holding", 4, 4),
        Range("holding", 50, 1),
    ]
