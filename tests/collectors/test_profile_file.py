"""A profile file is right, or every mistake in it is named with its line."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from collectors.profile_file import load_profile_file
from collectors.profile_library import PROFILES, load_profile, profile_names
from collectors.profile_schema import profile_schema, profile_schema_text
from facility.errors import ProfileError

ROOT = Path(__file__).parents[2]

GOOD = """\
name: acme-meter
maker: Acme
model: M1
kind: meter
source: {document: Acme manual 7}
modbus:
  points:
    - {quantity: voltage_v, address: 0, type: uint16, scale: 0.1}
    - quantity: energy_imported_wh
      address: 2
      type: uint32
      counter: {modulus: 4294967296}
"""


def refusal(tmp_path: Path, text: str, name: str = "acme-meter.yaml") -> list[str]:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    with pytest.raises(ProfileError) as refused:
        load_profile_file(path)
    return str(refused.value).splitlines()


def test_a_good_file_is_a_profile(tmp_path: Path) -> None:
    path = tmp_path / "acme-meter.yaml"
    path.write_text(GOOD, "utf-8")
    profile = load_profile_file(path)
    assert profile.protocol == "modbus"
    assert [point.quantity for point in profile.points] == ["voltage_v", "energy_imported_wh"]


def test_every_mistake_is_named_with_its_line_and_place(tmp_path: Path) -> None:
    text = GOOD.replace("scale: 0.1", "scal: 0.1").replace("type: uint32", "type: uint33")
    text = text.replace("kind: meter", "kind: metre").replace("model: M1\n", "")
    lines = refusal(tmp_path, text)
    places = ("1: model", "3: kind", "7: modbus.points[0].scal", "10: modbus.points[1].type")
    assert [line.rpartition(": ")[0] for line in lines] == [f"acme-meter.yaml:{p}" for p in places]
    for line, text in zip(
        lines,
        ("is missing", "did you mean 'meter'?", "did you mean 'scale'?", "did you mean 'uint32'?"),
        strict=True,
    ):
        assert text in line


@pytest.mark.parametrize(
    ("found", "right", "mistake"),
    [
        (
            "quantity: voltage_v",
            "quantity: voltage_kv",
            (
                "8: modbus.points[0].quantity: 'voltage_kv' is not in facility/quantities.yaml; "
                "add it there first"
            ),
        ),
        (
            "      counter: {modulus: 4294967296}\n",
            "",
            (
                "9: modbus.points[1]: energy_imported_wh is a counter; "
                "state its facts under `counter:`"
            ),
        ),
        (
            "address: 0",
            "address: 65536",
            "8: modbus.points[0].address: expected at most 65535, found 65536",
        ),
        (
            "quantity: energy_imported_wh",
            "quantity: voltage_v",
            "9: modbus.points[1]: voltage_v is a gauge and cannot have counter facts",
        ),
    ],
)
def test_a_wrong_point_is_named(tmp_path: Path, found: str, right: str, mistake: str) -> None:
    assert refusal(tmp_path, GOOD.replace(found, right)) == [f"acme-meter.yaml:{mistake}"]


def test_broken_yaml_is_named_with_its_line(tmp_path: Path) -> None:
    [line] = refusal(tmp_path, GOOD.replace("source: {document", "source: {document: {"))
    assert line.startswith("acme-meter.yaml:")
    assert "not YAML" in line


def test_a_file_is_named_as_its_profile(tmp_path: Path) -> None:
    assert refusal(tmp_path, GOOD, "other.yaml") == [
        "other.yaml:1: name: expected the name of the file, other, found 'acme-meter'"
    ]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"nowhere\.yaml: cannot be read: No such file"):
        load_profile_file(tmp_path / "nowhere.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"name: \xe9")
    with pytest.raises(ProfileError, match=r"latin\.yaml: is not UTF-8"):
        load_profile_file(tmp_path / "latin.yaml")


def test_the_schema_in_docs_is_that_of_the_code() -> None:
    assert (ROOT / "docs/profile.schema.json").read_text("utf-8") == profile_schema_text(), (
        "docs/profile.schema.json is out of date: write profile_schema_text() into it"
    )


@pytest.mark.parametrize("name", profile_names())
def test_each_profile_of_the_library_is_sound_and_names_its_source(name: str) -> None:
    profile = load_profile(name)
    assert profile.name == name
    assert len(profile.source.document) > 20
    raw = yaml.safe_load((PROFILES / f"{name}.yaml").read_text("utf-8"))
    jsonschema.Draft202012Validator(profile_schema()).validate(json.loads(json.dumps(raw)))


def test_a_name_that_is_not_there_finds_the_near_one() -> None:
    with pytest.raises(ProfileError, match="did you mean 'schneider-pm5000'"):
        load_profile("schneider-pm500")


def test_no_maker_is_known_to_the_code() -> None:
    """A new device model is a YAML file and no Python."""
    makers = {load_profile(name).maker.split()[0].lower() for name in profile_names()}
    makers -= {"open", "sunspec"}  # those who publish maps that many makers follow
    for path in (ROOT / "collectors").rglob("*.py"):
        code = code_only(path.read_text("utf-8")).lower()
        assert not [maker for maker in makers if maker in code], path


def code_only(text: str) -> str:
    """The code without its comments and docstrings."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(body := getattr(node, "body", None), list):
            kept = [s for s in body if not (isinstance(s, ast.Expr) and is_text(s.value))]
            node.body = kept or [ast.Pass()]
    return ast.unparse(tree)


def is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
