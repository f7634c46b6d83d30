"""What passes a driver's boundary is kept as a capture, and shown as it was sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from modbus_rig import HOST, profile, source_at

from collectors.captures.dump import Capture, ExporterText, Registers, Walk, read_capture
from collectors.captures.opening import open_capture
from collectors.captures.raw import raw_texts
from collectors.captures.recording import open_recorded
from collectors.captures.writing import dump_text
from collectors.lone_device import lone_device
from collectors.source import Poll
from facility.address import Address
from facility.site import Site
from simulator.modbus_device import ModbusDevice
from simulator.modbus_server import ModbusServer

POINTS = profile(
    {"quantity": "switch_on_state", "component": "a", "address": 9, "type": "bit", "table": "coil"},
    {"quantity": "switch_on_state", "component": "b", "address": 3, "type": "bit", "bit": 9},
    {"quantity": "current_a", "address": 4, "type": "int16", "exponent_address": 5}
    | {"typical_exponent": -2},
    {"quantity": "voltage_v", "address": 10, "type": "uint32", "scale": 0.1, "word_order": "CDAB"},
    {"quantity": "frequency_hz", "address": 20, "type": "float64", "word_order": "DCBA"},
    {"quantity": "temperature_c", "address": 30, "type": "int16", "scale": 0.1, "table": "input"},
)
VALUES = {"switch_on_state": 1.0, "current_a": 12.34, "voltage_v": 230.1, "frequency_hz": 50.0}
VALUES |= {"temperature_c": -4.5}
SENT = [
    "1",
    "0x0200 bit 9 = 1",
    "0x04D2 = 1234 x 10^-2",
    "0x08FD 0x0000 = 2301",
    "0x0000 0x0000 0x0000 0x4940 = 50",  # 0x4049 and zeros, reversed
    "0xFFD3 = -45",
]


def value(_component: str, quantity: str) -> float:
    return VALUES[quantity]


async def test_registers_are_shown_in_the_order_sent_with_the_number_they_are() -> None:
    async with ModbusServer([ModbusDevice("x", POINTS, value, HOST)]) as server:
        host, port = server.address("x")
        device = lone_device("x", "test", Address(scheme="modbus", host=host, port=port), 2.0)
        source, recorder = open_recorded(device, POINTS, Site(name="t", devices=()))
        live = await source.read()
        await source.close()
        plain = source_at(host, port, POINTS)
        unrecorded = await plain.read()
        await plain.close()
    capture = recorder.capture()
    assert raw_texts(POINTS, live.points, capture) == SENT
    again = await open_capture("x", POINTS, capture).read()
    assert values(again) == values(live) == values(unrecorded) == pytest.approx(expected())


@pytest.mark.parametrize(
    ("capture", "text"),
    [
        (
            Walk({(1, 3, 6, 2): -7, (1, 3, 6, 1): 2**40, (1, 3, 7): (1, 3, 9), (1, 3, 8): b"A 1"}),
            "1.3.6.1|70|1099511627776\n1.3.6.2|2|-7\n1.3.7|6|1.3.9\n1.3.8|4|A 1\n",
        ),
        (Walk({(1, 3, 8): b"\xff\n"}), "1.3.8|4x|ff0a\n"),
        (
            Registers({("input", 7): 65535, ("coil", 9): 1, (None, 3): 2}),
            "address,value,table\n3,0x0002\n9,0x0001,coil\n7,0xFFFF,input\n",
        ),
        (ExporterText(b'A{b="c"} 1\n'), 'A{b="c"} 1\n'),
    ],
)
def test_a_capture_is_written_as_it_is_read(tmp_path: Path, capture: Capture, text: str) -> None:
    path = tmp_path / "dump"
    path.write_bytes(dump_text(capture))
    assert path.read_text("utf-8") == text
    assert read_capture(path) == capture


def values(poll: Poll) -> list[float]:
    found: list[float] = poll.value.tolist()
    return found


def expected() -> list[float]:
    return [VALUES[point.quantity] for point in POINTS.points]
