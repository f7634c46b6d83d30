"""Dumps of devices: what each form may hold, what is wrong in one, and the drivers on them."""

from __future__ import annotations

from pathlib import Path

import pytest

from collectors.captures.dump import read_capture
from collectors.captures.line import CaptureTransport
from collectors.captures.mistake import CaptureError
from collectors.captures.opening import identify_capture, open_capture
from collectors.captures.registers import parse_registers
from collectors.captures.snmprec import parse_snmprec
from collectors.captures.snmpwalk import parse_snmpwalk
from collectors.captures.walk import CaptureSession
from collectors.modbus.frames import ModbusRefused
from collectors.modbus.planner import Range
from collectors.profile_library import load_profile
from collectors.snmp.session import Missing, Request
from facility.errors import DeviceRefused, ProfileError

A, B, C = (1, 3, 1), (1, 3, 2), (1, 3, 10)


def test_snmprec_gives_numbers_texts_and_identifiers() -> None:
    text = "1.3.1|66|49\n1.3.2|4|a|b\n1.3.3|4x|00FF\n1.3.4|6|1.3.6\n1.3.5|5|\n\n1.3.6|2|-1\n"
    assert parse_snmprec(text, "f") == {
        (1, 3, 1): 49,
        (1, 3, 2): b"a|b",
        (1, 3, 3): b"\x00\xff",
        (1, 3, 4): (1, 3, 6),
        (1, 3, 6): -1,
    }


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("1.3.1|66|many", "invalid literal"),
        ("1.3.1|99|1", "tag 99 is none of 2, 4, 5"),
        ("1.3.1 = 5", "expected OID|TAG|VALUE, found '1.3.1 = 5'"),
        ("1.3.1|4x|0G", "non-hexadecimal"),
    ],
)
def test_snmprec_names_the_line_that_is_wrong(line: str, fault: str) -> None:
    with pytest.raises(CaptureError, match=r"^dump\.snmprec:2: ") as caught:
        parse_snmprec(f"1.3.9|2|1\n{line}\n", "dump.snmprec")
    assert fault in str(caught.value)


@pytest.mark.parametrize(
    ("shown", "value"),
    [
        ("INTEGER: -5", -5),
        ("INTEGER: up(1)", 1),
        ("INTEGER: 230 RMS Volts", 230),
        ("INTEGER: 22.5 degrees", 225),
        ("Gauge32: 49", 49),
        ("Counter64: 18446744073709551615", 18446744073709551615),
        ("Timeticks: (1054301867) 122 days, 0:36:58.67", 1054301867),
        ("Wrong Type (should be Gauge32 or Unsigned32): INTEGER: 7", 7),
        ('STRING: "a \\"quoted\\" name"', b'a "quoted" name'),
        ("STRING: plain: text", b"plain: text"),
        ('STRING: "two\nlines"', b"two\nlines"),
        ('""', b""),
        ("Hex-STRING: 00 30 D6 \n1E 68 16 ", b"\x00\x30\xd6\x1e\x68\x16"),
        ("OID: .1.3.6.1.4.1.1718.4", (1, 3, 6, 1, 4, 1, 1718, 4)),
        ("IpAddress: 10.0.0.1", b"10.0.0.1"),
    ],
)
def test_snmpwalk_gives_back_what_was_sent(shown: str, value: object) -> None:
    text = f".1.3.1 = {shown}\niso.3.2 = INTEGER: 3\n"
    assert parse_snmpwalk(text, "f") == {A: value, B: 3}


def test_snmpwalk_leaves_out_what_is_not_there() -> None:
    text = (
        ".1.3.1 = No Such Instance currently exists at this OID\n"
        ".1.3.2 = No more variables left in this MIB View (It is past the end of the MIB tree)\n"
    )
    assert parse_snmpwalk(text, "f") == {}


def test_snmpwalk_names_the_line_that_is_wrong() -> None:
    with pytest.raises(CaptureError, match=r"w\.txt:2: expected a number, found 'much'"):
        parse_snmpwalk(".1.3.1 = INTEGER: 1\n.1.3.2 = INTEGER: much\n", "w.txt")
    with pytest.raises(CaptureError, match=r"w\.txt:1: expected \.OID = TYPE: VALUE"):
        parse_snmpwalk("Timeout: No Response\n", "w.txt")


async def test_a_walk_answers_as_an_agent_in_numeric_order() -> None:
    session = CaptureSession({C: 10, A: 1, B: 2})
    assert await session.ask(Request((A, (1, 4)))) == [(A, 1), ((1, 4), Missing.NO_SUCH_INSTANCE)]
    assert await session.ask(Request(((1, 3),), 4)) == [
        (A, 1),
        (B, 2),
        (C, 10),
        (C, Missing.END_OF_MIB),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "5,16\n6,-1\n",
        "address,value\n5,0x10\n6,65535\n",
        "# site visit\nvalue,address\n16,5\n65535,6\n",
        "address,value,table\n5,16,\n6,65535,\n",
    ],
)
def test_registers_are_read_with_and_without_names_of_columns(text: str) -> None:
    assert parse_registers(text, "f") == {(None, 5): 16, (None, 6): 65535}


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("70000,1", "address: expected 0 to 65535, found 70000"),
        ("7,70000", "value: expected -32768 to 65535, found 70000"),
        ("7", "value: expected a whole number, found ''"),
        ("7,1.5", "value: expected a whole number, found '1.5'"),
        ("7,1,holdings", "table: expected one of holding, input, coil, discrete"),
    ],
)
def test_registers_name_the_line_that_is_wrong(line: str, fault: str) -> None:
    with pytest.raises(CaptureError, match=r"^r\.csv:2: ") as caught:
        parse_registers(f"5,1\n{line}\n", "r.csv")
    assert fault in str(caught.value)


async def test_registers_answer_as_a_device_and_refuse_what_was_not_recorded() -> None:
    line = CaptureTransport(
        {(None, 5): 0x1234, ("holding", 6): 0xFFFF, ("coil", 9): 1, ("coil", 8): 0}, "holding"
    )
    assert await line.read(1, Range("holding", 5, 2), 1) == b"\x12\x34\xff\xff"
    assert await line.read(1, Range("coil", 8, 2), 1) == b"\x02"
    with pytest.raises(ModbusRefused):
        await line.read(1, Range("input", 5, 1), 1)


@pytest.mark.parametrize(
    "text",
    [
        "1.3.6.1.2.1.33.1.3.3.1.3.1|2|227\n1.3.6.1.2.1.1.2.0|6|1.3.6.1.2.1.33\n",
        (
            ".1.3.6.1.2.1.1.2.0 = OID: .1.3.6.1.2.1.33\n"
            ".1.3.6.1.2.1.33.1.3.3.1.3.1 = INTEGER: 227 RMS Volts\n"
        ),
    ],
)
async def test_both_forms_of_a_walk_are_known_by_content(tmp_path: Path, text: str) -> None:
    path = tmp_path / "dump.txt"
    path.write_text(text, "utf-8")
    capture = read_capture(path)
    found = await identify_capture(capture)
    fit = found.chosen()
    assert fit.profile.name == "ups-rfc1628"
    assert fit.evidence == "sysObjectID begins with 1.3.6.1.2.1.33"
    poll = await open_capture("d", fit.profile, capture).read()
    assert poll.value.tolist() == [227.0]


async def test_a_dump_of_another_protocol_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "registers.csv"
    path.write_text("address,value\n1,2\n", "utf-8")
    capture = read_capture(path)
    with pytest.raises(CaptureError, match="the capture is of modbus"):
        open_capture("d", load_profile("ups-rfc1628"), capture)
    with pytest.raises(ProfileError, match="no profile knows this device"):
        (await identify_capture(capture)).chosen()
    source = open_capture("d", load_profile("schneider-pm5000"), capture)
    with pytest.raises(DeviceRefused, match="not in the capture"):
        await source.read()


def test_what_is_no_dump_is_refused_with_the_forms_there_are(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("breaker 4 was open\n", "utf-8")
    with pytest.raises(CaptureError, match=r"notes\.txt: no line is OID\|TAG\|VALUE"):
        read_capture(path)
    with pytest.raises(CaptureError, match="cannot be read: No such file"):
        read_capture(tmp_path / "absent.snmprec")
