"""`busway alert rules` and the rules in `busway check`, as a person runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from busway.cli import app
from facility.errors import RuleFileError
from simulator.demo_site import demo_site_text

RULE = """\
rules:
  - name: acid
    select: {quantity: ph}
    below: {fire: 6, clear: 6.2}
    priority: 2
    class: cooling
    message: acid
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "ours.yaml").write_text(RULE, "utf-8")
    path = tmp_path / "site.yaml"
    demo = yaml.safe_load(demo_site_text(1)) | {"alerts": {"rules": ["ours.yaml"]}}
    path.write_text(yaml.safe_dump(demo), "utf-8")
    return path


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    if result.exception is not None:
        raise result.exception
    return result.output


def test_each_rule_says_what_it_watches_or_why_not(site: Path) -> None:
    lines = run("alert", "rules", "--site", str(site), "--format", "json").splitlines()
    rows = {row["name"]: row for row in map(json.loads, lines)}
    assert rows["power-high"]["watches"] > 0
    assert rows["current-high"]["off_because"] == "the site states no current_rating_a"
    assert rows["breaker-open"]["off_because"] == "waits for the devices' parts to be read"
    assert rows["acid"]["off_because"] == "no selected device offers ph"


def test_without_a_site_the_pack_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BUSWAY_SITE", raising=False)
    rows = [json.loads(line) for line in run("alert", "rules", "--format", "json").splitlines()]
    assert {row["name"] for row in rows} >= {"leak", "ups-on-battery", "gpu-error"}
    assert {row["watches"] for row in rows} == {None}


def test_a_file_of_rules_is_checked_alone(site: Path) -> None:
    ours = site.with_name("ours.yaml")
    assert run("alert", "rules", "--check", str(ours)).endswith("is in order: acid\n")
    ours.write_text(RULE.replace("ph", "pH"), "utf-8")
    with pytest.raises(RuleFileError, match=r"ours\.yaml:3: "):
        run("alert", "rules", "--check", str(ours))


def test_check_counts_rules_and_names_those_that_match_no_device(site: Path) -> None:
    output = run("check", str(site))
    assert " of 99 rules watch " in output
    assert f"{site.with_name('ours.yaml')}:2: rule acid matches no device" in output
    assert "not stated under site_values: cdu_design_flow_lpm, " in output
    assert "transformer_trip_c" not in output  # the demo has no transformer that is read


def test_check_refuses_a_site_whose_rules_are_wrong(site: Path) -> None:
    site.with_name("ours.yaml").write_text(RULE.replace("6.2", "5.8"), "utf-8")
    with pytest.raises(RuleFileError, match=r"clear \(5.8\) must not be below fire \(6\)"):
        run("check", str(site))
