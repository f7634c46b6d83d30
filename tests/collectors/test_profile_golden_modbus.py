"""Meters' profiles decode what their makers publish; the bytes are worked out by hand.

IEEE 754 (230.5 is 43668000), two's complement, the types and scales of each profile's source.
Registers that are not named here are left zero.
"""

from __future__ import annotations

import pytest
from test_modbus_golden import Registers, answer

from collectors.modbus.decode import Decoder
from collectors.modbus.planner import plan, wanted_ranges
from collectors.profile_library import load_profile

Values = dict[tuple[str, str], float]

CASES: list[tuple[str, Registers, Values, set[tuple[str, str]]]] = [
    (
        "eastron-sdm630",
        {
            ("input", 0x00): "43668000",  # 230.5 V
            ("input", 0x34): "45D7A000",  # 6900 W
            ("input", 0x46): "42480000",  # 50.0 Hz
            ("input", 0x48): "4640E600",  # 12345.5 kWh
            ("input", 0x15A): "3F800000",  # 1 kWh
            ("input", 0xEA): "40200000",  # 2.5 %
            ("input", 0x3E): "7FC00000",  # NaN
        },
        {
            ("phase.1", "voltage_v"): 230.5,
            ("", "active_power_w"): 6900.0,
            ("", "frequency_hz"): 50.0,
            ("", "energy_imported_wh"): 12_345_500.0,
            ("phase.1", "energy_imported_wh"): 1000.0,
            ("phase.1", "voltage_thd_ratio"): 0.025,
        },
        {("", "power_factor_ratio")},
    ),
    (
        # Register numbers of the manual are one higher than the wire addresses here.
        "schneider-iem3000",
        {
            ("holding", 3027): "43668000",  # 230.5 V
            ("holding", 3059): "42F70000",  # 123.5 kW
            ("holding", 3067): "C0A00000",  # -5 kvar
            ("holding", 3109): "FFC00000",  # NaN
            ("holding", 3203): "000008FB8E3B4B68",  # 9,876,543,294,312 Wh
            ("holding", 3517): "0000000000989680",  # 10,000,000 Wh
        },
        {
            ("phase.1", "voltage_v"): 230.5,
            ("", "active_power_w"): 123_500.0,
            ("", "reactive_power_var"): -5000.0,
            ("", "energy_imported_wh"): 0x08FB8E3B4B68,
            ("phase.1", "energy_imported_wh"): 10_000_000.0,
        },
        {("", "frequency_hz")},
    ),
    (
        "siemens-pac2200",
        {
            ("input", 13): "447A0000",  # 1000 A
            ("input", 65): "C9742400",  # -1,000,000 W: fed back
            ("input", 69): "3F400000",  # 0.75
            ("input", 801): "426CBE991DF00000",  # float64: 987,654,320,000 Wh
        },
        {
            ("phase.1", "current_a"): 1000.0,
            ("", "active_power_w"): -1_000_000.0,
            ("", "power_factor_ratio"): 0.75,
            ("", "energy_imported_wh"): 987_654_320_000.0,
        },
        set(),
    ),
    (
        "abb-b23",
        {
            ("holding", 0x5B00): "00000905",  # 2309: 230.9 V
            ("holding", 0x5B0C): "000030D4",  # 12500: 125.00 A
            ("holding", 0x5B14): "FFFB6C20",  # -300,000: -3000.00 W
            ("holding", 0x5B2C): "1387",  # 4999: 49.99 Hz
            ("holding", 0x5B3A): "FC4A",  # -950: -0.950
            ("holding", 0x5000): "00000000075BCD15",  # 1,234,567.89 kWh
            ("holding", 0x5004): "FFFFFFFFFFFFFFFF",  # does not count what it exports
            ("holding", 0x5B3B): "7FFF",
            ("holding", 0x5B18): "7FFFFFFF",
            ("holding", 0x5B02): "FFFFFFFF",
        },
        {
            ("phase.1", "voltage_v"): 230.9,
            ("phase.1", "current_a"): 125.0,
            ("", "active_power_w"): -3000.0,
            ("", "frequency_hz"): 49.99,
            ("", "power_factor_ratio"): -0.95,
            ("", "energy_imported_wh"): 1_234_567_890.0,
        },
        {
            ("", "energy_exported_wh"),
            ("phase.1", "power_factor_ratio"),
            ("phase.2", "active_power_w"),
            ("phase.2", "voltage_v"),
        },
    ),
    (
        # 32 bits come with the low word first.
        "carlogavazzi-em24",
        {
            ("input", 0x00): "09010000",  # 2305: 230.5 V
            ("input", 0x0C): "E2400001",  # 123,456 mA
            ("input", 0x28): "CFC7FFFF",  # -12345: -1234.5 W
            ("input", 0x35): "03B6",  # 0.950
            ("input", 0x37): "01F4",  # 50.0 Hz
            ("input", 0x42): "1206000F",  # 987,654: 98,765.4 kWh
            ("input", 0x5C): "00010000",  # 0.1 kWh
        },
        {
            ("phase.1", "voltage_v"): 230.5,
            ("phase.1", "current_a"): 123.456,
            ("", "active_power_w"): -1234.5,
            ("", "power_factor_ratio"): 0.95,
            ("", "frequency_hz"): 50.0,
            ("", "energy_imported_wh"): 98_765_400.0,
            ("", "energy_exported_wh"): 100.0,
        },
        set(),
    ),
    (
        "carlogavazzi-em24-e1",
        {
            ("input", 0x00): "09010000",
            ("input", 0x31): "03B6",
            ("input", 0x33): "01F3",  # 49.9 Hz
            ("input", 0x34): "1206000F",
            ("input", 0x40): "00020000",
            ("input", 0x4E): "00010000",
        },
        {
            ("phase.1", "voltage_v"): 230.5,
            ("", "power_factor_ratio"): 0.95,
            ("", "frequency_hz"): 49.9,
            ("", "energy_imported_wh"): 98_765_400.0,
            ("phase.1", "energy_imported_wh"): 200.0,
            ("", "energy_exported_wh"): 100.0,
        },
        set(),
    ),
    (
        # The model's ID register is 40070; offsets of model_203.json are added to it.
        "sunspec203-meter",
        {
            ("holding", 40070 + 3): "04D2",  # AphA 1234 times 10^-1
            ("holding", 40070 + 6): "FFFF",
            ("holding", 40070 + 8): "59D8",  # PhVphA 23000 times 10^-2
            ("holding", 40070 + 15): "FFFE",
            ("holding", 40070 + 16): "1388",  # Hz 5000 times 10^-2
            ("holding", 40070 + 17): "FFFE",
            ("holding", 40070 + 18): "8001",  # W -32767 times 10^2
            ("holding", 40070 + 22): "0002",
            ("holding", 40070 + 27): "8000",  # VA_SF not implemented
            ("holding", 40070 + 28): "8000",  # VAR not implemented
            ("holding", 40070 + 33): "FC4A",  # PF -950 times 10^-1 per cent
            ("holding", 40070 + 37): "FFFF",
            ("holding", 40070 + 46): "075BCD15",  # TotWhImp 123,456,789 times 10
            ("holding", 40070 + 54): "0001",
        },
        {
            ("phase.1", "current_a"): 123.4,
            ("phase.1", "voltage_v"): 230.0,
            ("", "frequency_hz"): 50.0,
            ("", "active_power_w"): -3_276_700.0,
            ("", "power_factor_ratio"): -0.95,
            ("", "energy_imported_wh"): 1_234_567_890.0,
        },
        {("", "apparent_power_va"), ("", "reactive_power_var"), ("", "energy_exported_wh")},
    ),
    (
        "sunspec213-meter",
        {
            ("holding", 40070 + 4): "7FC00000",  # AphA: NaN
            ("holding", 40070 + 10): "43668000",  # PhV 230.5
            ("holding", 40070 + 26): "42480000",  # Hz 50.0
            ("holding", 40070 + 28): "C9742400",  # W -1,000,000
            ("holding", 40070 + 52): "3F400000",  # PF 0.75
            ("holding", 40070 + 68): "50155555",  # TotWhImp: 9,786,709 times 1,024
        },
        {
            ("", "voltage_v"): 230.5,
            ("", "frequency_hz"): 50.0,
            ("", "active_power_w"): -1_000_000.0,
            ("", "power_factor_ratio"): 0.75,
            ("", "energy_imported_wh"): 0x955555 * 2**10,
        },
        {("phase.1", "current_a")},
    ),
]


@pytest.mark.parametrize(
    ("name", "registers", "expected", "absent"), CASES, ids=[c[0] for c in CASES]
)
def test_a_meter_s_profile_decodes_its_source(
    name: str, registers: Registers, expected: Values, absent: set[tuple[str, str]]
) -> None:
    section = load_profile(name).modbus
    assert section is not None
    blocks = [block.range for block in plan(wanted_ranges(section), section.limits)]
    value, missing = Decoder(section, blocks).decode([answer(b, registers) for b in blocks])
    rows = {(p.component, p.quantity): row for row, p in enumerate(section.points)}
    assert {key: value[rows[key]] for key in expected} == expected
    assert {key for key, row in rows.items() if missing[row]} >= absent
    assert not any(missing[rows[key]] for key in expected)
