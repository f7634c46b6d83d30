"""YAML with lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.yaml_lines import DEEPEST, YamlEntry, YamlMistake, parse_yaml

TEXT = """\
site:
  name: a

devices:
  - id: utility/meter
    place: {hall: 1}
  - id: ups-a
boundary:
  e_it:
    1: [ups_output]
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("site", "name"), 2),
        (("devices",), 4),
        (("devices", 0), 5),
        (("devices", 0, "place", "hall"), 6),
        (("devices", 1), 7),
        (("boundary", "e_it", 1, 0), 10),
        (("devices", 1, "profile"), 7),
        (("lake", "directory"), 1),
    ],
)
def test_a_path_has_its_line_and_what_is_missing_the_line_above_it(
    path: tuple[str | int, ...], line: int
) -> None:
    file, mistakes = parse_yaml(TEXT, "site.yaml")
    assert (file.line(path), mistakes) == (line, [])


def test_a_mistake_names_file_line_and_path() -> None:
    file, _ = parse_yaml(TEXT, "site.yaml")
    entry = YamlEntry(file, ("boundary",))
    found = str(entry.mistake("is wrong", "e_it", 1, 0))
    assert found == "site.yaml:10: boundary.e_it.1[0]: is wrong"
    assert entry.place() == "site.yaml:8"


def test_scalars_are_what_they_look_like() -> None:
    text = "[7, 007, -3, 1.5, 1e3, .5, on, no, true, null, ~, '7', 10.1.2.3, 1..4, 12:30, .inf]"
    file, _ = parse_yaml(text, "site.yaml")
    assert file.data == [
        *(7, "007", -3, 1.5, 1000.0, 0.5, "on", "no", True, None, None),
        *("7", "10.1.2.3", "1..4", "12:30", ".inf"),
    ]


def test_an_alias_repeats_what_its_anchor_holds() -> None:
    file, _ = parse_yaml("a: &x {b: [1]}\nc: *x\n", "site.yaml")
    assert file.data["c"] == {"b": [1]}
    assert file.line(("c", "b", 0)) == 2


@pytest.mark.parametrize("text", ["a: &x [*x]", "a: *x", "[" * 100_000, "? [a]\n: b", "a: \x01"])
def test_what_cannot_be_read_is_refused_by_line(text: str) -> None:
    with pytest.raises(YamlMistake) as caught:
        parse_yaml(text, "site.yaml")
    assert caught.value.mistake.line == 1


def test_nesting_has_an_end() -> None:
    deep = "[" * DEEPEST + "]" * DEEPEST
    assert parse_yaml(deep, "site.yaml")
    with pytest.raises(YamlMistake, match="nested deeper"):
        parse_yaml(f"[{deep}]", "site.yaml")


@given(st.text(alphabet="ab:-[]{}&*!'\"# \n\t,?|>%@`1.~", max_size=60))
def test_any_text_is_yaml_or_refused(text: str) -> None:
    try:
        file, _ = parse_yaml(text, "site.yaml")
    except YamlMistake as error:
        assert str(error).startswith("site.yaml:")  # noqa: PT017 - either way is right
    else:
        assert 1 <= file.line(()) <= text.count("\n") + 1
