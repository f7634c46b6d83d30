"""What each value of a reading was sent as: registers, an SMI value, an exporter's number. Pure."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from collectors.captures.dump import Capture, ExporterText, Registers, Walk
from collectors.captures.registers import Place
from collectors.exporter.exposition import parse_head, samples
from collectors.identify.exporter import recognising
from collectors.modbus.columns import byte_order
from collectors.modbus.planner import BIT_TABLES, REGISTERS_OF, Range, exponent_range, value_range
from collectors.profile import ModbusPoint, ModbusSection, Profile
from collectors.snmp.oid import Oid, format_oid, parse_oid
from collectors.snmp.session import Value
from facility.point import PointTable

FORMATS = {
    "int16": ">h",
    "uint16": ">H",
    "int32": ">i",
    "uint32": ">I",
    "int64": ">q",
    "uint64": ">Q",
    "float32": ">f",
    "float64": ">d",
}
Raw = list[str | None]


def raw_texts(profile: Profile, points: PointTable, capture: Capture) -> Raw:
    """A text a row; None where the capture holds nothing of it.

    Modbus: the registers in the order sent, and the number they are by the profile. SNMP: the
    integer, the text in quotes or the OBJECT IDENTIFIER. An exporter: the number as printed.
    """
    match capture:
        case Registers(values):
            assert profile.modbus is not None
            return [_registers(point, profile.modbus, values) for point in profile.modbus.points]
        case Walk(cells):
            return [_cell(cells, source) for source in points.sources]
        case ExporterText(text):
            printed = _printed(text, profile)
            return [printed.get(key) for key in zip(points.components, points.sources, strict=True)]


def _registers(
    point: ModbusPoint, section: ModbusSection, values: Mapping[Place, int]
) -> str | None:
    place = value_range(point, section)
    words = _words(place, section, values)
    if words is None:
        return None
    if place.table in BIT_TABLES:
        return str(words[0])
    shown = " ".join(f"0x{word:04X}" for word in words)
    if point.type == "bit":
        return f"{shown} bit {point.bit or 0} = {words[0] >> (point.bit or 0) & 1}"
    sent = struct.pack(f">{len(words)}H", *words)
    order = byte_order(REGISTERS_OF[point.type], point.word_order or section.word_order)
    (number,) = struct.unpack(FORMATS[point.type], bytes(sent[place] for place in order))
    return f"{shown} = {number:.9g}{_exponent(point, section, values)}"


def _exponent(point: ModbusPoint, section: ModbusSection, values: Mapping[Place, int]) -> str:
    place = exponent_range(point, section)
    words = _words(place, section, values) if place is not None else None
    if words is None:
        return ""
    (exponent,) = struct.unpack(">h", struct.pack(">H", words[0]))
    return f" x 10^{exponent}"


def _words(place: Range, section: ModbusSection, values: Mapping[Place, int]) -> list[int] | None:
    named = place.table == section.table
    found = [
        values.get((place.table, address), values.get((None, address)) if named else None)
        for address in range(place.address, place.end)
    ]
    words = [word for word in found if word is not None]
    return words if len(words) == place.count else None


def _cell(cells: Mapping[Oid, Value], source: str) -> str | None:
    match cells.get(parse_oid(source)):
        case int(number):
            return str(number)
        case bytes(text):
            return f'"{text.decode("utf-8", "replace")}"'
        case tuple(oid):
            return format_oid(oid)
        case _:
            return None


def _printed(text: bytes, profile: Profile) -> dict[tuple[str, str], str]:
    """Numbers as printed, by component and metric name; those that are added up joined by `+`."""
    recognise = recognising(profile)
    found: dict[tuple[str, str], str] = {}
    for head, number in samples(text.decode("utf-8", "replace")):
        try:
            series = recognise(*parse_head(head.encode()))
        except ValueError:  # no exposition; the driver counts such lines
            continue
        if series is not None:
            key = (series.key.component, series.name)
            if key not in found:
                found[key] = number
            elif profile.exporter is not None:
                found[key] += f" + {number}"
    return found
