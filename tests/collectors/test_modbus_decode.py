"""Register bytes become values. The bytes stand here in hex, worked out from the formats."""

from __future__ import annotations

import math

import numpy as np
import pytest

from collectors.modbus.columns import byte_order
from collectors.modbus.decode import Decoder, unfold_power_factor
from collectors.modbus.planner import Range, plan, wanted_ranges
from collectors.profile import ModbusSection


def decoder_of(*points: dict[str, object], **section: object) -> Decoder:
    full = ModbusSection.model_validate(
        {
            "points": [
                {"quantity": "voltage_v", "component": str(i)} | p for i, p in enumerate(points)
            ]
        }
        | section
    )
    return Decoder(full, [block.range for block in plan(wanted_ranges(full), full.limits)])


def one(hexadecimal: str, **point: object) -> float:
    """Value of a single point read from these bytes; NaN where it is missing."""
    value, missing = decoder_of({"address": 0, **point}).decode([bytes.fromhex(hexadecimal)])
    return math.nan if missing[0] else float(value[0])


@pytest.mark.parametrize(
    ("kind", "hexadecimal", "value"),
    [
        ("uint16", "FFFE", 65534),
        ("int16", "FFFE", -2),
        ("uint32", "FFFF FFFE", 4294967294),
        ("int32", "FFFF FFFE", -2),
        ("uint64", "0000 0000 0001 0000", 65536),
        ("int64", "FFFF FFFF FFFF FFFE", -2),
        ("float32", "4366 199A", 230.10000610351562),  # 230.1 as IEEE 754 single
        ("float64", "406C C333 3333 3333", 230.1),
    ],
)
def test_every_register_type(kind: str, hexadecimal: str, value: float) -> None:
    assert one(hexadecimal, type=kind) == value


@pytest.mark.parametrize(
    ("order", "hexadecimal"),
    [("ABCD", "0102 0304"), ("CDAB", "0304 0102"), ("BADC", "0201 0403"), ("DCBA", "0403 0201")],
)
def test_every_word_order_of_two_registers(order: str, hexadecimal: str) -> None:
    assert one(hexadecimal, type="uint32", word_order=order) == 0x01020304


@pytest.mark.parametrize(
    ("order", "hexadecimal"),
    [
        ("ABCD", "0000 0102 0304 0506"),
        ("CDAB", "0506 0304 0102 0000"),
        ("BADC", "0000 0201 0403 0605"),
        ("DCBA", "0605 0403 0201 0000"),
    ],
)
def test_every_word_order_of_four_registers(order: str, hexadecimal: str) -> None:
    assert one(hexadecimal, type="uint64", word_order=order) == 0x010203040506


def test_byte_swapped_orders_swap_a_single_register_too() -> None:
    assert one("0100", type="uint16", word_order="DCBA") == 1
    assert byte_order(1, "BADC") == [1, 0]


def test_a_point_overrides_the_section_s_word_order() -> None:
    decoder = decoder_of(
        {"address": 0, "type": "uint32"},
        {"address": 2, "type": "uint32", "word_order": "ABCD"},
        word_order="CDAB",
    )
    value, _ = decoder.decode([bytes.fromhex("0001 0000 0000 0001")])
    assert value.tolist() == [1, 1]


def test_tenths_come_out_as_the_nearest_double() -> None:
    assert one("08FD", type="uint16", scale=0.1) == 230.1
    assert one("08FD", type="uint16", scale=0.001) == 2.301
    assert one("08FD", type="uint16", scale=10, offset=-5) == 23005


def test_watt_hours_in_64_bits_are_exact_to_nine_petawatt_hours() -> None:
    assert one("001F FFFF FFFF FFFF", type="uint64") == 2**53 - 1


@pytest.mark.parametrize(
    ("hexadecimal", "point"),
    [
        ("FFFF", {"type": "uint16", "sentinels": [65535]}),
        ("8000", {"type": "int16", "sentinels": [-32768, 32767]}),
        ("7FFF", {"type": "int16", "sentinels": [-32768, 32767]}),
        ("FFFF FFFF FFFF FFFF", {"type": "uint64", "sentinels": [18446744073709551615]}),
        ("FFFF", {"type": "int16", "negative_means_missing": True}),
        ("7FC0 0000", {"type": "float32"}),  # quiet NaN
        ("FFFF FFFF", {"type": "float32"}),  # another NaN: absent on many devices
        ("7F80 0000", {"type": "float32"}),  # infinity is no value either
        ("7FF8 0000 0000 0000", {"type": "float64"}),
    ],
)
def test_what_says_no_value_is_missing(hexadecimal: str, point: dict[str, object]) -> None:
    assert math.isnan(one(hexadecimal, **point))


def test_a_sentinel_is_a_raw_value_not_a_scaled_one() -> None:
    assert one("000A", type="uint16", scale=0.1, sentinels=[1]) == 1.0


def test_bits_within_a_register_count_from_the_least_significant() -> None:
    bits = [{"address": 4, "type": "bit", "bit": bit} for bit in (0, 7, 8, 15)]
    value, missing = decoder_of(*bits).decode([bytes.fromhex("8101")])
    assert value.tolist() == [1, 0, 1, 1]
    assert not missing.any()


def test_bit_tables_are_packed_lowest_first() -> None:
    bits = [{"address": address, "type": "bit"} for address in (16, 18, 24, 25)]
    decoder = decoder_of(*bits, table="coil", limits={"largest_gap": 1})
    assert decoder.blocks == (Range("coil", 16, 10),)
    value, _ = decoder.decode([bytes((0b0000_0101, 0b0000_0010))])
    assert value.tolist() == [1, 1, 0, 1]


@pytest.mark.parametrize(("exponent", "value"), [("FFFE", 23.01), ("0002", 230100), ("0000", 2301)])
def test_an_exponent_register_scales_by_a_power_of_ten(exponent: str, value: float) -> None:
    assert one(f"08FD {exponent}", type="uint16", exponent_address=1) == value


@pytest.mark.parametrize("exponent", ["8000", "000B"])
def test_an_exponent_that_is_none_leaves_no_value(exponent: str) -> None:
    assert math.isnan(one(f"08FD {exponent}", type="uint16", exponent_address=1))


def test_an_exponent_that_could_not_be_read_leaves_no_value() -> None:
    section = ModbusSection.model_validate(
        {
            "points": [
                {"quantity": "voltage_v", "address": 0, "type": "int16", "exponent_address": 9}
            ]
        }
    )
    decoder = Decoder(section, [Range("holding", 0, 1)])
    _, missing = decoder.decode([bytes(2)])
    assert missing.tolist() == [True]
    assert decoder.absent == (0,)


def test_a_point_that_no_block_holds_is_absent_and_others_are_not() -> None:
    section = ModbusSection.model_validate(
        {
            "points": [
                {"quantity": "voltage_v", "address": 0, "type": "uint16"},
                {"quantity": "current_a", "address": 50, "type": "uint16"},
            ]
        }
    )
    decoder = Decoder(section, [Range("holding", 50, 1)])
    value, missing = decoder.decode([bytes.fromhex("0007")])
    assert missing.tolist() == [True, False]
    assert value[1] == 7


def test_four_quadrant_power_factor_is_counted_back_from_two() -> None:
    coded = np.array([0.95, 1.0, 1.05, -0.95, -1.05])
    np.testing.assert_allclose(unfold_power_factor(coded), [0.95, 1.0, 0.95, -0.95, -0.95])


def test_several_blocks_and_tables_come_together_in_row_order() -> None:
    decoder = decoder_of(
        {"address": 100, "type": "uint16", "table": "input"},
        {"address": 0, "type": "uint16"},
        {"address": 5, "type": "bit", "table": "discrete"},
    )
    answers = {Range("discrete", 5, 1): "01", Range("holding", 0, 1): "0002"}
    answers[Range("input", 100, 1)] = "0003"
    value, _ = decoder.decode([bytes.fromhex(answers[block]) for block in decoder.blocks])
    assert value.tolist() == [3, 2, 1]
