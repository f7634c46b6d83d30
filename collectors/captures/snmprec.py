"""The `.snmprec` form of a walk: `OID|TAG|VALUE` a line. Pure.

Tags are the BER numbers of the SMI types (RFC 2578, 7); `x` behind one says that the value is in
hexadecimal. Form: the documentation of snmpsim.
"""

from __future__ import annotations

import re

from collectors.captures.mistake import CaptureError
from collectors.snmp.oid import Oid, parse_oid
from collectors.snmp.session import Value

LINE = re.compile(r"\.?(?P<oid>\d+(\.\d+)+)\|(?P<tag>\d+)(?P<hex>x?)\|(?P<value>.*)")
NUMBERS = {"2", "65", "66", "67", "70"}
"""INTEGER, Counter32, Gauge32, TimeTicks, Counter64."""
TEXTS = {"4", "64", "68"}
"""OCTET STRING, IpAddress, Opaque."""
OBJECT_IDENTIFIER = "6"
NOTHING = {"5", "128", "129", "130"}
"""NULL, and the exceptions for what is not there."""


def parse_snmprec(text: str, file: str) -> dict[Oid, Value]:
    """The values by OID.

    Raises:
        CaptureError: a line is not of that form.
    """
    cells: dict[Oid, Value] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = LINE.fullmatch(line)
        if match is None:
            raise CaptureError.at(file, number, f"expected OID|TAG|VALUE, found {line[:60]!r}")
        if match["tag"] in NOTHING:
            continue
        try:
            cells[parse_oid(match["oid"])] = _value(match["tag"], match["hex"], match["value"])
        except ValueError as error:
            raise CaptureError.at(file, number, str(error)) from None
    return cells


def _value(tag: str, in_hex: str, text: str) -> Value:
    if tag in NUMBERS:
        return int(text, 16 if in_hex else 10)
    if tag == OBJECT_IDENTIFIER:
        return parse_oid(text)
    if tag in TEXTS:
        return bytes.fromhex(text) if in_hex else text.encode()
    known = sorted(NUMBERS | TEXTS | NOTHING | {OBJECT_IDENTIFIER}, key=int)
    raise ValueError(f"tag {tag} is none of {', '.join(known)}")
