"""Profiles decode what their makers' documents say. No encoder of ours has a part in it.

The bytes are written by hand from the published types: IEEE 754 (230.0 is 43660000), two's
complement, the scales of the tables. Registers that are not named here are left zero.
"""

from __future__ import annotations

import pytest

from collectors.modbus.decode import Decoder
from collectors.modbus.planner import BIT_TABLES, Range, plan, wanted_ranges
from collectors.profile_library import load_profile

Registers = dict[tuple[str, int], str]

CASES: list[tuple[str, Registers, dict[tuple[str, str], float]]] = [
    (
        # Register numbers of the manual are one higher than the wire addresses here.
        "schneider-pm5000",
        {
            ("holding", 3027): "43660000",  # V A-N: 230.0
            ("holding", 3059): "42F6E979",  # kW total: 123.456 (123.45600128...)
            ("holding", 3083): "3F866666",  # PF 1.05: leading, 0.95
            ("holding", 3109): "42480000",  # 50.0 Hz
            ("holding", 3203): "000008FB8E3B4B68",  # 9,876,543,294,312 Wh
            ("holding", 3009): "FFC00000",  # mean current: NaN, not available
        },
        {
            ("phase.1", "voltage_v"): 230.0,
            ("", "active_power_w"): 123456.00128173828,
            ("", "power_factor_ratio"): 0.9500000476837158,
            ("", "frequency_hz"): 50.0,
            ("", "energy_imported_wh"): 0x08FB8E3B4B68,
        },
    ),
    (
        "siemens-pac4200",
        {
            ("input", 1): "43660000",  # 230.0 V
            ("input", 65): "C9742400",  # -1,000,000 W: fed back
            ("input", 55): "426FD70A",  # 59.96 Hz (59.95999908...)
            ("input", 43): "40200000",  # THD 2.5 %
            ("input", 801): "426CBE991DF00000",  # float64: 987,654,320,000 Wh
        },
        {
            ("phase.1", "voltage_v"): 230.0,
            ("", "active_power_w"): -1_000_000.0,
            ("", "frequency_hz"): 59.959999084472656,
            ("phase.1", "voltage_thd_ratio"): 0.025,
            ("", "energy_imported_wh"): 987_654_320_000.0,
        },
    ),
    (
        "janitza-umg96rm",
        {
            ("holding", 19012): "447A0000",  # 1000 A
            ("holding", 19026): "4B189680",  # 10,000,000 W
            ("holding", 19068): "50155555",  # Wh in float32: 9,786,709 times 1,024
        },
        {
            ("phase.1", "current_a"): 1000.0,
            ("", "active_power_w"): 10_000_000.0,
            ("", "energy_imported_wh"): 0x955555 * 2**10,
        },
    ),
    (
        "vertiv-liebert-apm",
        {
            ("input", 384): "01E0",  # 480 V A-B
            ("input", 390): "0258",  # 600: 60.0 Hz
            ("input", 394): "0063",  # 99: 0.99
            ("input", 407): "000F",  # 15 min
            ("input", 409): "FFFB",  # -5 degC
            ("input", 431): "0050",  # 80 %
            ("input", 437): "01C2",  # 450 kW
            ("discrete", 51): "1",
        },
        {
            ("input/line.12", "line_voltage_v"): 480.0,
            ("input", "frequency_hz"): 60.0,
            ("input/phase.1", "power_factor_ratio"): 0.99,
            ("", "battery_runtime_s"): 900.0,
            ("", "battery_temperature_c"): -5.0,
            ("output/phase.1", "load_ratio"): 0.8,
            ("output", "active_power_w"): 450_000.0,
            ("", "on_battery_state"): 1.0,
            ("", "on_bypass_state"): 0.0,
        },
    ),
    (
        "vertiv-liebert-hpc",
        {
            ("input", 482): "0010",  # 16: normal with alarm
            ("input", 483): "0001",  # on
            ("input", 490): "00C6",  # 198: 19.8 degC
            ("input", 505): "FFCE",  # -50: -5.0 degC outside
            ("input", 502): "0064",  # 100 %
        },
        {
            ("", "alarm_state"): 1.0,
            ("", "run_state"): 1.0,
            ("", "chilled_water_return_temperature_c"): 19.8,
            ("", "outdoor_temperature_c"): -5.0,
            ("", "free_cooling_ratio"): 1.0,
        },
    ),
    (
        # The example column of the manual's table 8.2; floats have their words swapped.
        "vertiv-liebert-dcd",
        {
            ("input", 82): "CCCD41C4",  # 24.6
            ("input", 130): "00004150",  # 13.0
            ("input", 134): "CCCD4188",  # 17.1
            ("input", 138): "999A4039",  # 2.9 Pa
            ("input", 146): "0348",  # 840 rpm
            ("input", 150): "FFFF",  # no second fan
            ("input", 162): "0014",  # 20 %
        },
        {
            ("", "outlet_temperature_c"): pytest.approx(24.6, abs=1e-6),
            ("", "facility_supply_temperature_c"): 13.0,
            ("", "facility_return_temperature_c"): pytest.approx(17.1, abs=1e-6),
            ("", "differential_pressure_kpa"): pytest.approx(0.0029, abs=1e-9),
            ("fan.1", "fan_speed_rpm"): 840.0,
            ("", "valve_position_ratio"): 0.2,
        },
    ),
    (
        "ocp-orv3-rpu",
        {
            ("holding", 0x9000): "4E20",  # 20000: 2000.0 L/min
            ("holding", 0x9001): "0154",  # 34.0 degC
            ("holding", 0x9003): "FFF6",  # -1.0 kPa
            ("holding", 0x900A): "0DAC",  # 3500 rpm
            ("holding", 0x9202): "0010",  # bit 4: leakage inside
            ("holding", 0xA02D): "3A98",  # 15000 W
        },
        {
            ("", "flow_lpm"): 2000.0,
            ("", "supply_temperature_c"): 34.0,
            ("", "supply_pressure_kpa"): -1.0,
            ("pump.1", "pump_speed_rpm"): 3500.0,
            ("", "leak_detected_state"): 1.0,
            ("", "active_power_w"): 15000.0,
        },
    ),
    (
        "tripplite-modbuscard",
        {
            ("input", 0x0447): "0FA0",  # 4000 times 10 W
            ("input", 0x0445): "08FC",  # 230.0 V
            ("input", 0x0448): "004B",  # 75 %
            ("input", 0x0449): "FFFF",  # no second phase
            ("input", 0x0424): "1518",  # 540.0 V
        },
        {
            ("output/phase.1", "active_power_w"): 40_000.0,
            ("output/phase.1", "voltage_v"): 230.0,
            ("output/phase.1", "load_ratio"): 0.75,
            ("", "battery_voltage_v"): 540.0,
        },
    ),
]
MISSING = {
    "schneider-pm5000": ("", "current_a"),
    "vertiv-liebert-dcd": ("fan.2", "fan_speed_rpm"),
    "tripplite-modbuscard": ("output/phase.2", "voltage_v"),
}


def answer(block: Range, registers: Registers) -> bytes:
    """What a device with these registers answers to one read."""
    if block.table in BIT_TABLES:
        set_bits = [a for table, a in registers if table == block.table]
        packed = sum(1 << (a - block.address) for a in set_bits)
        return packed.to_bytes(-(-block.count // 8), "little")
    image = bytearray(2 * block.count)
    for (table, address), hexadecimal in registers.items():
        if table == block.table and block.address <= address < block.end:
            data = bytes.fromhex(hexadecimal)
            start = 2 * (address - block.address)
            image[start : start + len(data)] = data
    return bytes(image)


@pytest.mark.parametrize(("name", "registers", "expected"), CASES, ids=[c[0] for c in CASES])
def test_profile_decodes_its_makers_values(
    name: str, registers: Registers, expected: dict[tuple[str, str], float]
) -> None:
    section = load_profile(name).modbus
    assert section is not None
    blocks = [block.range for block in plan(wanted_ranges(section), section.limits)]
    value, missing = Decoder(section, blocks).decode([answer(b, registers) for b in blocks])
    rows = {(p.component, p.quantity): row for row, p in enumerate(section.points)}
    found = {key: value[rows[key]] for key in expected if not missing[rows[key]]}
    assert found == expected
    if absent := MISSING.get(name):
        assert missing[rows[absent]]
