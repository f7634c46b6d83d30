"""What `snmpwalk -On` prints: `.1.3.6.1.2.1.1.1.0 = STRING: "text"`, values over lines too. Pure.

With MIBs loaded it names enumerated numbers (`up(1)`), adds units (`230 RMS Volts`) and prints
implied decimals (`22.5` for 225, RFC 2579, 3.1, `d-1`); each is taken back to the number sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from collectors.captures.mistake import CaptureError
from collectors.snmp.oid import Oid, parse_oid
from collectors.snmp.session import Value

LINE = re.compile(r"\.?(?P<oid>(iso|\d+)(\.\d+)+) = ?(?P<value>.*)")
_TYPED = re.compile(
    r"(?:Wrong Type \([^)]*\): )?(?P<type>[A-Za-z][A-Za-z0-9 -]*): ?(?P<value>.*)", re.DOTALL
)
_NUMBER = re.compile(
    r"(?:[\w-]+\((?P<named>-?\d+)\)|\((?P<ticks>\d+)\)|(?P<plain>-?\d+(\.\d+)?))(\s.*)?"
)
_NUMBERS = {
    "INTEGER",
    "Integer32",
    "UInteger32",
    "Unsigned32",
    "Gauge32",
    "Counter32",
    "Counter64",
    "Timeticks",
}
_NOTHING = ("No Such Object", "No Such Instance", "No more variables", "NULL")


def parse_snmpwalk(text: str, file: str) -> dict[Oid, Value]:
    """The values by OID.

    Raises:
        CaptureError: a line is not of that form.
    """
    cells: dict[Oid, Value] = {}
    for number, oid, shown in _entries(text.splitlines(), file):
        if shown.startswith(_NOTHING):
            continue
        try:
            cells[oid] = _value(shown)
        except ValueError as error:
            raise CaptureError.at(file, number, str(error)) from None
    return cells


def _entries(lines: Iterable[str], file: str) -> Iterator[tuple[int, Oid, str]]:
    """Line number, OID and what is printed of it; lines without an OID go on with the value."""
    entry: tuple[int, Oid, str] | None = None
    for number, line in enumerate(lines, 1):
        match = LINE.fullmatch(line)
        if match is not None:
            if entry is not None:
                yield entry
            oid = match["oid"].replace("iso", "1", 1)
            entry = (number, parse_oid(oid), match["value"])
        elif entry is not None:
            entry = (*entry[:2], f"{entry[2]}\n{line}")
        elif line.strip():
            raise CaptureError.at(file, number, f"expected .OID = TYPE: VALUE, found {line[:60]!r}")
    if entry is not None:
        yield entry


def _value(shown: str) -> Value:
    typed = _TYPED.fullmatch(shown.rstrip())
    if typed is None:
        return _unquoted(shown.strip())
    kind, text = typed["type"], typed["value"].strip()
    if kind in _NUMBERS:
        return _number(text)
    if kind == "OID":
        return parse_oid(text.replace("iso", "1", 1))
    if kind in ("Hex-STRING", "BITS"):
        return bytes.fromhex(re.match(r"[0-9A-Fa-f\s]*", text)[0])  # type: ignore[index]  # it matches the empty text, too
    return _unquoted(text)


def _number(text: str) -> int:
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError(f"expected a number, found {text[:40]!r}; print OIDs as numbers (-On)")
    digits: str = match["named"] or match["ticks"] or match["plain"]
    return int(digits.replace(".", ""))


def _unquoted(text: str) -> bytes:
    quoted = len(text) > 1 and text[0] == text[-1] == '"'
    inner = text[1:-1].replace('\\"', '"').replace("\\\\", "\\") if quoted else text
    return inner.encode()
