"""SNMP profiles decode what their MIBs say; the answers are BER content octets, written by hand.

An INTEGER, Gauge32 or TimeTicks is sent as the shortest two's complement: 8200 is 2008, -1 is FF,
and 4,000,000,000 is 00EE6B2800. Each case is an agent with these objects and no others.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping

import pytest
from snmp_rig import by_name

from collectors.profile_library import load_profile, profile_names
from collectors.snmp.oid import Oid, parse_oid
from collectors.snmp.session import Missing, Request, Value, Varbind
from collectors.snmp.source import SnmpSource
from facility.quality import Quality
from facility.site import Device

Values = dict[tuple[str, str], float]

CASES: list[tuple[str, str, dict[str, str], Values, set[tuple[str, str]]]] = [
    (
        "eaton-epdu",
        "1.3.6.1.4.1.534.6.6.7",
        {
            "3.1.1.3.0.1": "01F3",  # 499: 49.9 Hz
            "3.5.1.4.0.1": "2B20",  # 11,040 W
            "3.5.1.5.0.1": "00EE6B2800",  # 4,000,000,000 Wh
            "3.5.1.7.0.1": "03BE",  # 958: 0.958
            "3.2.1.2.0.1.1": "03",  # this row is phase 2 to neutral
            "3.2.1.3.0.1.1": "038438",  # 230,456 mV
            "3.3.1.2.0.1.2": "03",  # this row is phase 1
            "3.3.1.4.0.1.2": "3B92",  # 15,250 mA
            "3.3.1.2.0.1.1": "02",  # this one is the neutral
            "3.3.1.4.0.1.1": "64",
            "3.4.1.2.0.1.3": "03",
            "3.4.1.4.0.1.3": "0E60",  # 3,680 W
            "5.4.1.3.0.2": "1F40",  # 8,000 mA
            "6.4.1.3.0.7": "0753",  # 1,875 mA
            "6.5.1.3.0.7": "FF",
            "1.2.1.9.0": "01",  # Fahrenheit
            "7.1.1.4.0.1": "0302",  # 77.0 degF
            "7.2.1.4.0.1": "01C2",  # 45.0 %
        },
        {
            ("inlet.1", "frequency_hz"): 49.9,
            ("inlet.1", "active_power_w"): 11040.0,
            ("inlet.1", "energy_imported_wh"): 4e9,
            ("inlet.1", "power_factor_ratio"): 0.958,
            ("inlet.1/phase.2", "voltage_v"): 230.456,
            ("inlet.1/phase.1", "current_a"): 15.25,
            ("inlet.1", "neutral_current_a"): 0.1,
            ("inlet.1/phase.3", "active_power_w"): 3680.0,
            ("bank.2", "current_a"): 8.0,
            ("outlet.7", "current_a"): 1.875,
            ("sensor.1", "temperature_c"): 25.0,
            ("sensor.1", "relative_humidity_ratio"): 0.45,
        },
        {("outlet.7", "active_power_w")},
    ),
    (
        # One phase: its rows are neither phase 1 to neutral nor phase 1, but "single phase".
        "eaton-epdu",
        "1.3.6.1.4.1.534.6.6.7",
        {
            "3.2.1.2.0.1.1": "01",
            "3.2.1.3.0.1.1": "038438",
            "3.3.1.2.0.1.1": "01",
            "3.3.1.4.0.1.1": "3B92",
        },
        {("inlet.1/phase.1", "voltage_v"): 230.456, ("inlet.1/phase.1", "current_a"): 15.25},
        set(),
    ),
    (
        "servertech-sentry3",
        "1.3.6.1.4.1.1718.3",
        {
            "1.6.0": "1CB6",  # 7350 W
            "1.10.0": "61",  # 0.97
            "2.2.1.7.1.2": "04D2",  # 12.34 A
            "2.2.1.11.1.2": "081F",  # 207.9 V
            "2.2.1.12.1.2": "FF",
            "2.2.1.16.1.2": "008938",  # 35,128 times 0.1 kWh
            "2.3.1.7.1.1.3": "FF",
        },
        {
            ("", "active_power_w"): 7350.0,
            ("", "power_factor_ratio"): 0.97,
            ("phase.2", "current_a"): 12.34,
            ("phase.2", "voltage_v"): 207.9,
            ("phase.2", "energy_imported_wh"): 3_512_800.0,
        },
        {("phase.2", "active_power_w"), ("outlet.3", "current_a")},
    ),
    (
        "panduit-g5",
        "1.3.6.1.4.1.19536.10.1",
        {
            "2.1.1.5.1": "1388",  # 5000 W
            "2.1.1.6.1": "011170",  # 70,000 kWh
            "2.2.1.3.1.2": "08FD",  # 230.1 V
            "2.2.1.11.1.2": "087D",  # 21.73 A
            "2.2.1.21.1.2": "12D687",  # 1,234,567 Wh
            "2.2.1.23.1.2": "5F",  # 0.95
            "3.1.1.12.1.4": "032C",  # 8.12 A
            "3.1.1.20.1.4": "FF",
        },
        {
            ("inlet.1", "active_power_w"): 5000.0,
            ("inlet.1", "energy_imported_wh"): 70_000_000.0,
            ("inlet.1/phase.2", "voltage_v"): 230.1,
            ("inlet.1/phase.2", "current_a"): 21.73,
            ("inlet.1/phase.2", "energy_imported_wh"): 1_234_567.0,
            ("inlet.1/phase.2", "power_factor_ratio"): 0.95,
            ("breaker.4", "current_a"): 8.12,
        },
        {("breaker.4", "active_power_w")},
    ),
    (
        "enlogic-pdu",
        "1.3.6.1.4.1.38446.1",
        {
            "3.4.1.5.1.1": "041A",  # 10.50 A
            "3.4.1.6.1.1": "00E6",  # 230 V
            "3.4.1.7.1.1": "092E",  # 2350 W
            "4.4.1.5.1.2": "020D",  # 5.25 A
        },
        {
            ("phase.1", "current_a"): 10.5,
            ("phase.1", "voltage_v"): 230.0,
            ("phase.1", "active_power_w"): 2350.0,
            ("breaker.2", "current_a"): 5.25,
        },
        set(),
    ),
    (
        "schleifenbauer-pdu",
        "1.3.6.1.4.1.31034.12.1.1.2",
        {
            "6.1.1.2.1.3": "10E1",  # 4321 kWh
            "6.1.1.4.1.3": "2616",  # 97.50 %
            "6.1.1.5.1.3": "0340",  # 8.32 A
            "6.1.1.7.1.3": "59E3",  # 230.11 V
            "6.1.1.9.1.3": "077A",  # 1914 VA
            "6.1.1.10.1.3": "074A",  # 1866 W
            "7.2.1.10.1.5": "01F4",  # 500 VA
            "7.2.1.11.1.5": "01E0",  # 480 W
        },
        {
            ("phase.3", "energy_imported_wh"): 4_321_000.0,
            ("phase.3", "power_factor_ratio"): 0.975,
            ("phase.3", "current_a"): 8.32,
            ("phase.3", "voltage_v"): 230.11,
            ("phase.3", "apparent_power_va"): 1914.0,
            ("phase.3", "active_power_w"): 1866.0,
            ("outlet.5", "apparent_power_va"): 500.0,
            ("outlet.5", "active_power_w"): 480.0,
        },
        set(),
    ),
    (
        "vertiv-liebert-mpx",
        "1.3.6.1.4.1.476.1.42.3.8",
        {
            "30.20.1.65.1.1": "2008",  # 8200 W
            "30.20.1.50.1.1": "01E240",  # 123,456 times 0.1 kWh
            "30.20.1.95.1.1": "62",  # 0.98
            "30.40.1.19.1.1.2": "0908",  # 231.2 V
            "30.40.1.22.1.1.2": "04E2",  # 12.50 A
            "30.40.1.61.1.1.3": "0FA3",  # 400.3 V
            "40.20.1.130.1.4": "014D",  # 3.33 A
        },
        {
            ("inlet.1", "active_power_w"): 8200.0,
            ("inlet.1", "energy_imported_wh"): 12_345_600.0,
            ("inlet.1", "power_factor_ratio"): 0.98,
            ("inlet.1/phase.2", "voltage_v"): 231.2,
            ("inlet.1/phase.2", "current_a"): 12.5,
            ("inlet.1/line.31", "line_voltage_v"): 400.3,
            ("breaker.4", "current_a"): 3.33,
        },
        set(),
    ),
    (
        "apc-rpdu",
        "1.3.6.1.4.1.318.1.1.12",
        {
            "1.16.0": "0AC8",  # 2760 W
            "2.3.1.1.2.1": "78",  # 12.0 A of phase 1
            "2.3.1.1.4.1": "01",
            "2.3.1.1.5.1": "00",
            "2.3.1.1.2.2": "46",  # 7.0 A of bank 1
            "2.3.1.1.4.2": "01",
            "2.3.1.1.5.2": "01",
            "2.3.1.1.2.3": "32",  # 5.0 A of bank 2
            "2.3.1.1.4.3": "01",
            "2.3.1.1.5.3": "02",
        },
        {
            ("", "active_power_w"): 2760.0,
            ("phase.1", "current_a"): 12.0,
            ("bank.1", "current_a"): 7.0,
            ("bank.2", "current_a"): 5.0,
        },
        set(),
    ),
    (
        "apc-ups",
        "1.3.6.1.4.1.318.1.1.1",
        {
            "2.1.1.0": "02",
            "2.1.2.0": "00",
            "2.2.3.0": "01EC30",  # 126,000 hundredths of a second
            "2.3.1.0": "03E8",  # 100.0 %
            "2.3.2.0": "09F6",  # 255.0 degC: no sensor
            "4.1.1.0": "02",
            "4.3.1.0": "0900",  # 230.4 V
            "4.3.3.0": "01C8",  # 45.6 %
            "4.3.4.0": "57",  # 8.7 A
            "4.3.6.0": "0181CD",  # 98,765 times 0.01 kWh
            "4.2.8.0": "FF",
        },
        {
            ("", "battery_status_code"): 2.0,
            ("", "time_on_battery_s"): 0.0,
            ("", "battery_runtime_s"): 1260.0,
            ("", "battery_charge_ratio"): 1.0,
            ("", "input_source_code"): 2.0,
            ("output", "voltage_v"): 230.4,
            ("output", "load_ratio"): 0.456,
            ("output", "current_a"): 8.7,
            ("output", "energy_imported_wh"): 987_650.0,
        },
        {("", "battery_temperature_c"), ("output", "active_power_w")},
    ),
    (
        "apc-inrow-rc",
        "1.3.6.1.4.1.318.1.1.13.3.2.2.2",
        {
            "2.0": "0099",  # 15.3 kW
            "3.0": "00A0",  # 16.0 kW
            "5.0": "017318",  # 95,000 times 0.01 L/s
            "9.0": "00B8",  # 18.4 degC
            "11.0": "0145",  # 32.5 degC
            "20.0": "37",  # 55 %
            "24.0": "48",  # 7.2 degC
            "26.0": "7B",  # 12.3 degC
        },
        {
            ("", "cooling_power_w"): 15_300.0,
            ("", "cooling_demand_w"): 16_000.0,
            ("", "air_flow_lps"): 950.0,
            ("", "supply_temperature_c"): 18.4,
            ("", "return_temperature_c"): 32.5,
            ("", "valve_position_ratio"): 0.55,
            ("", "facility_supply_temperature_c"): 7.2,
            ("", "facility_return_temperature_c"): 12.3,
        },
        set(),
    ),
    (
        "apc-xpdu",
        "1.3.6.1.4.1.318.1.1.15.3.4",
        {
            "3.0": "01C4",  # 45.2 kW
            "4.0": "01D6",  # 47.0 kVA
            "14.1.4.2": "028F",  # 65.5 A
            "14.1.5.2": "0097",  # 15.1 kW
            "14.1.6.2": "009D",  # 15.7 kVA
        },
        {
            ("", "active_power_w"): 45_200.0,
            ("", "apparent_power_va"): 47_000.0,
            ("phase.2", "current_a"): 65.5,
            ("phase.2", "active_power_w"): 15_100.0,
            ("phase.2", "apparent_power_va"): 15_700.0,
        },
        set(),
    ),
    (
        "janitza-umg96-snmp",
        "1.3.6.1.4.1.34278",
        {
            "1.1.0": "0903",  # 230.7 V
            "1.5.0": "0F9C",  # 399.6 V
            "1.7.0": "3039",  # 12,345 mA
            "1.14.0": "FA24",  # -1500 W: fed back
            "1.20.0": "0640",  # 1600 VA
            "2.1.0": "1F40",  # 8000 W
            "6.1.0": "1386",  # 49.98 Hz
            "3.3.0": "013C68",  # 81,000 times 0.1 kWh
            "4.1.0": "03D090",  # 250,000 times 0.1 kWh
        },
        {
            ("phase.1", "voltage_v"): 230.7,
            ("line.23", "line_voltage_v"): 399.6,
            ("phase.1", "current_a"): 12.345,
            ("phase.2", "active_power_w"): -1500.0,
            ("phase.2", "apparent_power_va"): 1600.0,
            ("", "active_power_w"): 8000.0,
            ("", "frequency_hz"): 49.98,
            ("phase.3", "energy_imported_wh"): 8_100_000.0,
            ("", "energy_imported_wh"): 25_000_000.0,
        },
        set(),
    ),
    (
        # Outlet 2 has no licence for measuring: its quality is 2, no data.
        "rnx-updu",
        "1.3.6.1.4.1.55108.2",
        {
            "1.2.1.50.1": "00",
            "1.2.1.53.1": "1964",  # 6500 W
            "1.2.1.56.1": "12D687",  # 1,234,567 Wh
            "9.2.1.50.1": "00",
            "9.2.1.51.1": "0A28",  # 2,600 mA
            "9.2.1.52.1": "0385B8",  # 230,840 mV
            "9.2.1.53.1": "0258",  # 600 W
            "9.2.1.50.2": "02",
            "9.2.1.53.2": "00",
        },
        {
            ("", "active_power_w"): 6500.0,
            ("", "energy_imported_wh"): 1_234_567.0,
            ("outlet.1", "current_a"): 2.6,
            ("outlet.1", "voltage_v"): 230.84,
            ("outlet.1", "active_power_w"): 600.0,
        },
        set(),
    ),
    (
        # As a board in the field answered: 221, 220 and 418.
        "stulz-wib8000",
        "1.3.6.1.4.1.29462.10.2.1",
        {
            "1.1.1.1.1.1.1192.1.1.1": "00DD",
            "1.1.1.1.1.1.1193.1.1.1": "00DC",
            "1.1.1.2.1.1.1171.1.1.1": "01A2",
        },
        {
            ("", "return_temperature_c"): 22.1,
            ("", "supply_temperature_c"): 22.0,
            ("", "relative_humidity_ratio"): 0.418,
        },
        set(),
    ),
]


class Agent:
    """Answers GET and GETBULK from the objects it has."""

    can_bulk = True

    def __init__(self, base: str, objects: Mapping[str, str]) -> None:
        self._cells: dict[Oid, Value] = {
            parse_oid(f"{base}.{suffix}"): int.from_bytes(bytes.fromhex(octets), signed=True)
            for suffix, octets in objects.items()
        }
        self._order = sorted(self._cells)

    async def ask(self, request: Request) -> list[Varbind]:
        if not request.repetitions:
            return [(oid, self._cells.get(oid, Missing.NO_SUCH_INSTANCE)) for oid in request.oids]
        cursors, varbinds = list(request.oids), []
        for _ in range(request.repetitions):
            row = [self._after(oid) for oid in cursors]
            cursors = [oid for oid, _ in row]
            varbinds += row
        return varbinds

    def _after(self, oid: Oid) -> Varbind:
        at = bisect_right(self._order, oid)
        if at == len(self._order):
            return oid, Missing.END_OF_MIB
        return self._order[at], self._cells[self._order[at]]

    async def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("name", "base", "objects", "expected", "absent"),
    CASES,
    ids=[f"{n}-{case[0]}" for n, case in enumerate(CASES)],
)
async def test_a_profile_decodes_its_mib(
    name: str, base: str, objects: dict[str, str], expected: Values, absent: set[tuple[str, str]]
) -> None:
    section = load_profile(name).snmp
    assert section is not None
    device = Device(id="d", profile=name, address="snmp://10.0.0.1", role="rack_pdu")
    poll = await SnmpSource(device, section, Agent(base, objects)).read()
    keys = zip(poll.points.components, poll.points.quantities, strict=True)
    bad = {key for key, q in zip(keys, poll.quality, strict=True) if q == Quality.BAD}
    values = by_name(poll)
    assert {key: value for key, value in values.items() if key not in bad} == expected
    assert bad == absent


def test_every_profile_loads_and_names_its_source() -> None:
    profiles = [load_profile(name) for name in profile_names()]
    assert len(profiles) >= 30
    nameless = [p.name for p in profiles if len(p.source.document.split()) < 2]
    assert nameless == []
