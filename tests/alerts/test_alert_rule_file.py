"""Files of rules: every mistake at once, with its line, and what would be right."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from alerts.rule_file import PACK, check_rules, load_pack, load_rules
from alerts.rule_schema import rule_schema, rule_schema_text
from facility.alert_settings import Alerts
from facility.errors import RuleFileError

ROOT = Path(__file__).parents[2]

BAD = """\
rules:
  - name: Hot
    select: {quantity: temperatur_c, rol: cdu}
    above: {fire: 3, clear: 4}
    priority: 5
    class: cooling
    message: "{device.__class__.__mro__} is at {value:.1f}"
  - name: two-conditions
    select: {quantity: temperature_c, role: [cd]}
    above: {fire: 5, clear: 4}
    below: {fire: 3, clear: 4}
    priority: 1
    class: cooling
    message: "{value}"
  - name: no-such-figure
    select: {quantity: current_a}
    above: {fire: 0.8, clear: 0.7, of: rating_a}
    priority: 2
    class: power
    message: "{value:s}"
  - name: unused-figure
    select: {quantity: current_a}
    above: {fire: 8, clear: 7}
    site_values: [rating_a]
    priority: 2
    class: power
    message: too much
  - name: unexplained
    select: {quantity: leak_detected_state}
    above: {fire: 0.5, clear: 0.5}
    priority: 1
    class: leak
    message: a leak
  - name: odd-bits
    select: {quantity: status_code}
    bits: {any_of: [3]}
    on_delay_secs: 3
    priority: 2
    class: it
    message: m
  - name: no-quantity
    rate: {per_seconds: 60, above: 3, below: 2, clear: 1}
    priority: 2
    class: it
    message: m
rulez: []
"""
EXPECTED = """\
bad.yaml:2: rules[0].name: expected a lower-case name such as schneider-pm5000, found 'Hot'
bad.yaml:3: rules[0].select.quantity: 'temperatur_c' is no quantity; did you mean 'temperature_c'?
bad.yaml:3: rules[0].select.rol: unknown key; did you mean 'role'?
bad.yaml:4: rules[0].above: clear (4) must not be above fire (3)
bad.yaml:5: rules[0].priority: expected one of 1, 2, 3, 4, found 5
bad.yaml:7: rules[0].message: {device.__class__.__mro__} is none of component, device, place, \
quantity, threshold, unit, value, and only numbers may say how they are written: {value:.1f}, \
{value:.0%}
bad.yaml:9: rules[1].select.role[0]: found 'cd'; did you mean 'cdu'?
bad.yaml:20: rules[2].message: {value:s} is none of component, device, place, quantity, \
threshold, unit, value, and only numbers may say how they are written: {value:.1f}, {value:.0%}
bad.yaml:21: rules[3]: site_values names 'rating_a', which no threshold refers to
bad.yaml:28: rules[4]: priority 1 needs a rationale and a response
bad.yaml:36: rules[5].bits.any_of[0]: 3 is not one bit; write 1, 2, 4, 8 and so on
bad.yaml:37: rules[5].on_delay_secs: unknown key; did you mean 'on_delay_seconds'?
bad.yaml:42: rules[6].rate: give either above or below
bad.yaml:46: rulez: unknown key; did you mean 'rules'?"""


def rule(name: str, **facts: object) -> dict[str, object]:
    plain = {"select": {"quantity": "ph"}, "above": {"fire": 2, "clear": 1}}
    return {"name": name, "priority": 3, "class": "x", "message": "m", **plain, **facts}


def written(folder: Path, *rules: dict[str, object], name: str = "ours.yaml") -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump({"rules": rules}, sort_keys=False), "utf-8")
    return path


def test_every_mistake_is_named_at_once_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.yaml").write_text(BAD, "utf-8")

    with pytest.raises(RuleFileError) as caught:
        check_rules(Path("bad.yaml"))

    assert str(caught.value) == EXPECTED


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "expected a list of rules, found nothing; begin with rules:"),
        ("rules: 3", "expected a list of rules, found 3; begin with rules:"),
        ("rules:\n- [", "not YAML"),
    ],
)
def test_a_file_without_rules_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(RuleFileError, match=expected):
        check_rules(path)


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuleFileError, match="cannot be read"):
        check_rules(tmp_path / "a.yaml")
    (tmp_path / "b.yaml").write_bytes(b"rules: \xff")
    with pytest.raises(RuleFileError, match="not UTF-8"):
        check_rules(tmp_path / "b.yaml")


def test_names_that_stand_twice_in_two_files_are_refused(tmp_path: Path) -> None:
    first, second = (written(tmp_path, rule("mine"), name=name) for name in ("a.yaml", "b.yaml"))
    with pytest.raises(
        RuleFileError, match=r"b.yaml:2: .*'mine' is already the name of .*a.yaml:2"
    ):
        load_rules(Alerts(rules=(first, second)))


def test_a_rule_that_is_to_explain_must_be_there(tmp_path: Path) -> None:
    path = written(tmp_path, rule("mine", suppress_when=[{"rule": "power-los"}]))
    with pytest.raises(RuleFileError, match="'power-los' is no rule; did you mean 'power-lost'"):
        check_rules(path)


def test_rules_that_explain_each_other_in_a_circle_are_refused(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        rule("one", suppress_when=[{"rule": "other"}]),
        rule("other", suppress_when=[{"rule": "one"}]),
    )
    with pytest.raises(RuleFileError, match="suppress each other in a circle: "):
        check_rules(path)


def test_a_rule_that_is_switched_off_must_be_there() -> None:
    with pytest.raises(RuleFileError, match=r"alerts\.switched_off: 'leek' is no rule"):
        load_rules(Alerts(switched_off=("leek",)))


def test_a_rule_of_the_sites_own_takes_the_place_of_the_packs(tmp_path: Path) -> None:
    path = written(tmp_path, rule("leak", message="our own"))
    rules = {placed.rule.name: placed for placed in load_rules(Alerts(rules=(path,)))}
    assert rules["leak"].rule.message == "our own"
    assert len(rules) == len(load_pack())


def test_without_the_pack_only_the_sites_own_rules_are_there(tmp_path: Path) -> None:
    path = written(tmp_path, rule("mine"))
    rules = load_rules(Alerts(pack="none", rules=(path,)))
    assert [placed.rule.name for placed in rules] == ["mine"]


def test_the_committed_schema_is_that_of_the_models() -> None:
    committed = (ROOT / "docs" / "rules.schema.json").read_text("utf-8")
    assert committed == rule_schema_text(), (
        "write alerts.rule_schema.rule_schema_text() to docs/rules.schema.json"
    )


@pytest.mark.parametrize("file", sorted(PACK.glob("*.yaml")), ids=lambda file: file.stem)
def test_the_pack_fits_the_schema(file: Path) -> None:
    data = json.loads(json.dumps(yaml.safe_load(file.read_text("utf-8"))))
    jsonschema.validate(data, rule_schema(), cls=jsonschema.Draft202012Validator)


def test_every_rule_of_the_pack_says_why_whence_and_what_to_do() -> None:
    rules = [placed.rule for placed in load_pack()]
    assert [r.name for r in rules if not (r.rationale and r.source and r.response)] == []
    assert sum(r.priority == 1 for r in rules) / len(rules) <= 0.06
