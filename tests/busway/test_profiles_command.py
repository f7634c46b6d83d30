from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from busway.cli import app
from collectors.profile_library import PROFILES, load_profile, profile_names
from facility.catalogue import load_catalogue
from facility.errors import ProfileError

CLI = CliRunner()


def rows(*arguments: str) -> list[dict[str, object]]:
    result = CLI.invoke(app, [*arguments, "--format", "json"], catch_exceptions=False)
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_list_has_every_profile_and_what_it_was_checked_against() -> None:
    listed = {row["name"]: row for row in rows("profile", "list")}
    assert tuple(listed) == profile_names()
    for name, row in listed.items():
        profile = load_profile(name)
        assert row["points"] == len(profile.points)
        assert row["protocol"] == profile.protocol
        assert row["verified_with"] == (profile.source.verified_with or None)


@pytest.mark.parametrize("name", profile_names())
def test_show_has_every_point_with_its_unit_and_its_place(name: str) -> None:
    profile = load_profile(name)
    shown = rows("profile", "show", name)
    assert len(shown) == len(profile.points)
    for row, point in zip(shown, profile.points, strict=True):
        assert (row["component"], row["quantity"]) == (point.component, point.quantity)
        assert row["unit"] == load_catalogue()[point.quantity].unit
        assert row["where"]
        assert (row["counter"] is not None) == (point.counter is not None)


def test_show_says_for_a_person_whose_map_it_is() -> None:
    result = CLI.invoke(app, ["profile", "show", "ups-rfc1628"], catch_exceptions=False)
    assert load_profile("ups-rfc1628").source.document in result.stdout
    assert "1.3.6.1.2.1.33.1.2.3.0" in result.stdout


def test_an_unknown_name_is_an_error_with_the_nearest_one() -> None:
    result = CLI.invoke(app, ["profile", "show", "ups-rfc1682"])
    assert isinstance(result.exception, ProfileError)
    assert "did you mean 'ups-rfc1628'?" in str(result.exception)


def test_check_accepts_a_file_that_is_in_order() -> None:
    path = PROFILES / "ups-rfc1628.yaml"
    result = CLI.invoke(app, ["profile", "check", str(path)], catch_exceptions=False)
    assert result.exit_code == 0
    assert "is in order" in result.stdout


def test_check_says_all_mistakes_at_once(tmp_path: Path) -> None:
    text = (PROFILES / "ups-rfc1628.yaml").read_text("utf-8")
    wrong = text.replace("kind: ups", "kind: upps").replace("battery_voltage_v", "batery_voltage_v")
    path = tmp_path / "ups-rfc1628.yaml"
    path.write_text(wrong, "utf-8")
    result = CLI.invoke(app, ["profile", "check", str(path)])
    assert result.exit_code == 1
    assert isinstance(result.exception, ProfileError)
    lines = str(result.exception).splitlines()
    assert any("kind" in line for line in lines)
    assert any("batery_voltage_v" in line for line in lines)
