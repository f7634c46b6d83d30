"""A captured dump, whatever its form: known by its first lines, parsed whole."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from collectors.captures import registers, snmprec, snmpwalk
from collectors.captures.mistake import CaptureError
from collectors.captures.registers import Place
from collectors.snmp.oid import Oid
from collectors.snmp.session import Value

MOST_BYTES = 64_000_000
_SAMPLE = re.compile(
    r"# (HELP|TYPE) .*|[a-zA-Z_:][a-zA-Z0-9_:]*(\{.*\} .*| [-+]?(\d|\.\d|Inf|NaN)\S*( \d+)?)"
)


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk of an SNMP agent."""

    cells: dict[Oid, Value]


@dataclass(frozen=True, slots=True)
class Registers:
    """Registers of a Modbus device."""

    values: dict[Place, int]


@dataclass(frozen=True, slots=True)
class ExporterText:
    """What an exporter printed."""

    text: bytes

    async def get(self) -> bytes:
        """The text, as a `collectors.exporter.source.Text`."""
        return self.text

    async def close(self) -> None:
        """Nothing is held."""


Capture = Walk | Registers | ExporterText


def read_capture(path: Path) -> Capture:
    """Read a dump, whose form is known by its first lines.

    Raises:
        CaptureError: it cannot be read, or a line is wrong.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise CaptureError(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > MOST_BYTES:
        raise CaptureError(f"{path}: is larger than {MOST_BYTES:,} bytes")
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    return _parsed(text, path.name)


def _parsed(text: str, file: str) -> Capture:
    for line in text.splitlines():
        if snmprec.LINE.fullmatch(line):
            return Walk(snmprec.parse_snmprec(text, file))
        if snmpwalk.LINE.fullmatch(line):
            return Walk(snmpwalk.parse_snmpwalk(text, file))
        if registers.LINE.fullmatch(line):
            return Registers(registers.parse_registers(text, file))
        if _SAMPLE.fullmatch(line):
            return ExporterText(text.encode())
    raise CaptureError(
        f"{file}: no line is OID|TAG|VALUE (snmprec), .OID = TYPE: VALUE (snmpwalk -On), "
        "address,value (registers) or an exporter's NAME{LABELS} NUMBER"
    )
