"""`busway dry-run` over the three protocols; the expected values are worked out by hand."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from busway.cli import app
from collectors.profile_library import load_profile
from facility.errors import DeviceError, ProfileError

CLI = CliRunner()
CAPTURES = Path(__file__).parents[3] / "shared" / "captures"
COLUMNS = {"device", "component", "quantity", "value", "unit", "quality", "source"}
COLUMNS |= {"raw", "plausibility", "reason"}


def dry_run(profile: str, path: Path) -> Result:
    return CLI.invoke(app, ["dry-run", profile, str(path), "--format", "json"])


def rows(profile: str, path: Path) -> dict[tuple[str, str], dict[str, object]]:
    result = dry_run(profile, path)
    assert result.exit_code == 0, result.exception
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert all(row.keys() == COLUMNS for row in found)
    return {(row["component"], row["quantity"]): row for row in found}


def dump(directory: Path, name: str, text: str) -> Path:
    path = directory / name
    path.write_text(text, "utf-8")
    return path


@pytest.mark.skipif(
    not CAPTURES.is_dir(), reason="the walks of real devices are not beside this repository"
)
@pytest.mark.parametrize(
    ("name", "profile", "component", "quantity", "value"),
    [
        ("apc_ap8853", "apc-rpdu2", "", "active_power_w", 1140),
        ("generex-ups_cs141", "ups-rfc1628", "", "battery_runtime_s", 32640),
        ("liebert_weblbds", "vertiv-liebert-ups", "output/phase.1", "voltage_v", 230),
        ("raritan-pdu", "raritan-px1", "inlet.1", "active_power_w", 580),
        ("sentry4", "servertech-sentry4", "inlet.2", "energy_imported_wh", 2_565_900),
        ("vertiv-pdu_mn03edr1", "vertiv-geist-v5", "phase.2", "voltage_v", 207.9),
    ],
)
def test_a_real_walk_is_identified_and_read(
    name: str, profile: str, component: str, quantity: str, value: float
) -> None:
    path = CAPTURES / f"{name}.snmprec"
    result = dry_run("auto", path)
    assert result.stderr.startswith(f"{profile}: sysObjectID begins with ")
    found = rows("auto", path)
    assert {row["plausibility"] for row in found.values()} <= {"plausible", None}
    row = found[component, quantity]
    assert (row["value"], row["quality"], row["reason"]) == (value, "good", None)
    assert row["plausibility"] == "plausible"
    assert str(row["source"]).startswith("1.3.6.1.")


def test_a_walk_shows_what_the_device_says_it_has_not(tmp_path: Path) -> None:
    path = dump(
        tmp_path,
        "UPS (2).txt",
        ".1.3.6.1.2.1.1.2.0 = OID: .1.3.6.1.2.1.33\n"
        ".1.3.6.1.2.1.33.1.2.3.0 = INTEGER: 68 minutes\n"
        ".1.3.6.1.2.1.33.1.2.4.0 = INTEGER: -1 percent\n",
    )
    found = rows("auto", path)
    runtime, charge = found["", "battery_runtime_s"], found["", "battery_charge_ratio"]
    assert (runtime["value"], runtime["unit"], runtime["device"]) == (4080, "s", "ups-2")
    assert (charge["value"], charge["quality"]) == (None, "bad")
    assert charge["reason"] == "not available: the device answers -1"
    assert (charge["raw"], charge["plausibility"]) == ("-1", None)


def test_registers_are_decoded_and_those_not_recorded_say_so(tmp_path: Path) -> None:
    # float32 at 2999: 0x40A00000 is 5.0.
    # At 3003, 0x4A000000 is 2097152, more than any current.
    path = dump(tmp_path, "meter.csv", "address,value\n2999,0x40A0\n3000,0\n3003,0x4A00\n3004,0\n")
    found = rows("schneider-pm5000", path)
    current = found["phase.1", "current_a"]
    assert (current["value"], current["quality"]) == (5.0, "good")
    assert (current["raw"], current["plausibility"]) == ("0x40A0 0x0000 = 5", "plausible")
    assert str(current["source"]).startswith("holding 2999-3000")
    other = found["phase.2", "current_a"]
    assert (other["value"], other["quality"]) == (None, "bad")
    assert "not in the capture" in str(other["reason"])
    wild = found["phase.3", "current_a"]
    assert (wild["value"], wild["quality"]) == (2097152.0, "uncertain")
    assert wild["raw"] == "0x4A00 0x0000 = 2097152"
    assert wild["plausibility"] == "outside 0 to 20,000 A"


def float_registers(values: dict[int, float], order: str = ">HH") -> str:
    """Lines of a dump: big-endian floats at these addresses."""
    lines = ["address,value,table"]
    for address, value in values.items():
        words = struct.unpack(">HH", struct.pack(">f", value))
        words = words if order == ">HH" else words[::-1]
        lines += [f"{address + n},0x{word:04X},input" for n, word in enumerate(words)]
    return "\n".join(lines)


PAC = {1: 230.0, 3: 231.0, 5: 229.0, 13: 10.0, 15: 10.0, 17: 10.0, 55: 50.02}
"""Voltages, currents and the frequency, at the addresses of one maker's manual."""


def test_registers_are_identified_by_a_known_value_and_plausible_points(tmp_path: Path) -> None:
    profile = load_profile("siemens-pac4200")
    assert profile.modbus is not None
    values = {point.address: PAC.get(point.address, 0.0) for point in profile.modbus.points}
    path = dump(tmp_path, "meter.csv", float_registers(values))
    result = dry_run("auto", path)
    assert result.exit_code == 0, result.exception
    assert result.stderr.startswith("siemens-pac4200: frequency_hz is 50.02, expected 45 to 65; ")
    assert rows("auto", path)["phase.2", "voltage_v"]["value"] == 231.0


def test_a_dump_in_another_word_order_is_explained(tmp_path: Path) -> None:
    path = dump(tmp_path, "meter.csv", float_registers(PAC, "swapped"))
    result = dry_run("siemens-pac4200", path)
    assert "the device seems to send word order CDAB, the profile says ABCD" in result.stderr
    assert f"with which {len(PAC)} of " in result.stderr


def test_registers_of_no_known_device_say_what_was_looked_for(tmp_path: Path) -> None:
    result = dry_run("auto", dump(tmp_path, "x.csv", "address,value\n7,7\n"))
    assert isinstance(result.exception, ProfileError)
    assert "no SunSpec marker" in str(result.exception)


def test_an_exporters_text_is_identified_by_its_series(tmp_path: Path) -> None:
    path = dump(
        tmp_path,
        "node-1.prom",
        "# TYPE DCGM_FI_DEV_POWER_USAGE gauge\n"
        'DCGM_FI_DEV_POWER_USAGE{gpu="0",UUID="GPU-1a"} 512.5\n'
        'DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{gpu="0",UUID="GPU-1a"} 7200000\n',
    )
    found = rows("auto", path)
    assert found["gpu.GPU-1a", "active_power_w"]["value"] == 512.5
    energy = found["gpu.GPU-1a", "energy_imported_wh"]
    assert energy["value"] == pytest.approx(2.0)  # 7.2e6 mJ / 3.6e6 mJ per Wh
    assert energy["source"] == "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"
    assert energy["raw"] == "7200000"


def test_a_dump_without_the_profiles_points_is_an_error_in_one_line(tmp_path: Path) -> None:
    path = dump(tmp_path, "other.snmprec", "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.99999\n")
    result = dry_run("ups-rfc1628", path)
    assert result.exit_code == 1
    assert isinstance(result.exception, DeviceError)
    assert "\n" not in str(result.exception)
    unknown = dry_run("auto", path)
    assert isinstance(unknown.exception, ProfileError)
    assert "1.3.6.1.4.1.99999" in str(unknown.exception)
