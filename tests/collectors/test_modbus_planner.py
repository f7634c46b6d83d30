"""The planner makes the fewest reads a device allows."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.modbus.planner import Block, Range, plan, wanted_ranges
from collectors.profile import ModbusLimits, ModbusSection


def holding(address: int, count: int = 1) -> Range:
    return Range("holding", address, count)


def reads(blocks: tuple[Block, ...]) -> list[tuple[int, int]]:
    return [(block.range.address, block.range.count) for block in blocks]


def test_neighbours_share_a_read_and_a_hole_parts_them() -> None:
    wanted = [holding(0, 2), holding(2, 2), holding(6, 2)]
    assert reads(plan(wanted, ModbusLimits())) == [(0, 4), (6, 2)]


def test_a_hole_no_wider_than_the_profile_allows_is_bridged() -> None:
    wanted = [holding(0, 2), holding(4, 2), holding(9, 2)]
    assert reads(plan(wanted, ModbusLimits(largest_gap=2))) == [(0, 6), (9, 2)]


def test_the_block_limit_is_kept_and_no_value_is_split() -> None:
    wanted = [holding(address, 4) for address in range(0, 40, 4)]
    assert reads(plan(wanted, ModbusLimits(largest_block=10))) == [
        (start, 8) for start in range(0, 40, 8)
    ]


def test_each_table_is_read_by_its_own_function() -> None:
    wanted = [Range("input", 0, 1), holding(1), Range("coil", 2, 1), Range("discrete", 3, 1)]
    assert {block.range.table for block in plan(wanted, ModbusLimits())} == {
        "input",
        "holding",
        "coil",
        "discrete",
    }


def test_bit_tables_count_sixteen_bits_as_one_register() -> None:
    wanted = [Range("coil", 0, 1), Range("coil", 1999, 1)]
    limits = ModbusLimits(largest_block=125, largest_gap=124)
    assert [b.range.count for b in plan([*wanted, Range("coil", 1000, 1)], limits)] == [2000]
    assert [b.range.count for b in plan([*wanted, Range("coil", 2000, 1)], limits)] == [1, 2]


def test_bits_of_one_register_are_asked_for_once() -> None:
    section = ModbusSection.model_validate(
        {
            "points": [
                {"quantity": "run_state", "address": 7, "type": "bit", "bit": 0},
                {"quantity": "alarm_state", "address": 7, "type": "bit", "bit": 9},
            ]
        }
    )
    assert reads(plan(wanted_ranges(section), section.limits)) == [(7, 1)]


def test_no_read_holds_a_refused_range_and_its_neighbours_flow_on() -> None:
    wanted = [holding(address, 2) for address in range(0, 20, 2)]
    assert reads(plan(wanted, ModbusLimits(), [holding(8, 2)])) == [(0, 8), (10, 10)]


def test_halving_ends_at_one_value() -> None:
    block = Block.of((holding(0, 2), holding(2, 2), holding(4, 2)))
    first, second = block.halves()
    assert (first.range, second.range) == (holding(0, 2), holding(2, 4))
    assert first.halves() == ()


spans = st.lists(
    st.builds(holding, st.integers(0, 300), st.sampled_from((1, 2, 4))), min_size=1, max_size=40
)
limits = st.builds(ModbusLimits, largest_block=st.integers(4, 125), largest_gap=st.integers(0, 20))


@settings(max_examples=200, deadline=None)
@given(spans, limits)
def test_every_value_is_in_one_legal_read_and_no_two_reads_could_be_one(
    wanted: list[Range], allowed: ModbusLimits
) -> None:
    blocks = plan(wanted, allowed)
    for span in wanted:
        assert sum(span in block.wanted for block in blocks) == 1
    assert all(block.range.count <= allowed.largest_block for block in blocks)
    for left, right in pairwise(blocks):
        joined = Block.of((*left.wanted, right.wanted[0]))
        gap = right.range.address - left.range.end
        assert joined.range.count > allowed.largest_block or gap > allowed.largest_gap


@settings(max_examples=50, deadline=None)
@given(spans, limits, st.randoms())
def test_the_plan_does_not_depend_on_the_order_of_the_points(
    wanted: list[Range], allowed: ModbusLimits, random: object
) -> None:
    shuffled = list(wanted)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert plan(shuffled, allowed) == plan(wanted, allowed)
