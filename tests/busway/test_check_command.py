"""`busway check`: what stands in a site file and could never work."""

from __future__ import annotations

from typer.testing import CliRunner

from busway.cli import app

SITE = """\
site: {name: plant}
devices:
  - {id: shelf, profile: ocp-orv3-hpr-psu, role: power_shelf, address: "modbus://127.0.0.1:502"}
meters:
  - {id: shelf-whole, device: shelf, role: it_input}
  - {id: shelf-part, device: shelf, component: input, role: it_input}
"""


def test_a_meter_that_no_point_of_its_device_measures_is_named(tmp_path):
    path = tmp_path / "site.yaml"
    path.write_text(SITE)
    result = CliRunner().invoke(app, ["check", str(path)])
    assert result.exit_code == 0, result.output
    (warning,) = [line.strip() for line in result.output.splitlines() if "warning" in line]
    assert warning == (
        "warning   meter shelf-whole: profile ocp-orv3-hpr-psu reads neither energy nor power "
        "of the whole device"
    )
