"""A capture as the text of a dump that `read_capture` reads. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from collectors.captures.dump import Capture, ExporterText, Registers, Walk
from collectors.snmp.oid import format_oid
from collectors.snmp.session import Missing, Value

LARGEST_INTEGER = 2**31 - 1
INTEGER, OCTET_STRING, OBJECT_IDENTIFIER, COUNTER64 = 2, 4, 6, 70
"""Tags of snmprec, BER numbers of the SMI types."""


def dump_text(capture: Capture) -> bytes:
    """A walk as snmprec, registers as CSV with hexadecimal values, an exporter's text as it is.

    What type an agent's integer had is not kept: it is INTEGER, or Counter64 where that is too
    small.
    """
    match capture:
        case Walk(cells):
            lines = [_cell(format_oid(oid), cells[oid]) for oid in sorted(cells)]
        case Registers():
            lines = ["address,value,table", *_registers(capture)]
        case ExporterText(text):
            return text
    return "".join(f"{line}\n" for line in lines).encode()


def _registers(capture: Registers) -> Iterator[str]:
    by_place = sorted(capture.values.items(), key=lambda item: (item[0][0] or "", item[0][1]))
    for (table, address), value in by_place:
        yield f"{address},0x{value:04X},{table or ''}".rstrip(",")


def _cell(oid: str, value: Value) -> str:
    match value:
        case int():
            return f"{oid}|{INTEGER if value <= LARGEST_INTEGER else COUNTER64}|{value}"
        case bytes():
            text = value.decode("ascii", "replace")
            if text.isprintable() and "\ufffd" not in text:
                return f"{oid}|{OCTET_STRING}|{text}"
            return f"{oid}|{OCTET_STRING}x|{value.hex()}"
        case tuple():
            return f"{oid}|{OBJECT_IDENTIFIER}|{format_oid(value)}"
        case Missing():
            raise AssertionError(oid)  # a capture holds values
