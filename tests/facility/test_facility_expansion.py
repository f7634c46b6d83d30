"""Ranges and placeholders."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.expansion import combinations, count, parse_template, range_values


def filled(text: str, **ranges: object) -> list[str]:
    values = {name: range_values(written) for name, written in ranges.items()}
    template = parse_template(text, values)
    return [template.fill(combination) for combination in combinations(values, [template])]


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ("1..4", (1, 2, 3, 4)),
        ("7..7", (7,)),
        (["a", "b"], ("a", "b")),
        (["1..3", 5, "x"], (1, 2, 3, 5, "x")),
        (3, (3,)),
    ],
)
def test_a_range_is_written_as_a_span_or_a_list(written: object, values: tuple[object]) -> None:
    assert range_values(written) == values


@given(st.integers(0, 999_999), st.integers(0, 2000))
def test_a_span_holds_every_number_from_first_to_last(first: int, more: int) -> None:
    assert range_values(f"{first}..{first + more}") == tuple(range(first, first + more + 1))


def test_every_combination_comes_once_and_the_last_variable_runs_fastest() -> None:
    assert filled("{hall}-{side}", hall="1..2", side=["a", "b"]) == ["1-a", "1-b", "2-a", "2-b"]


def test_a_variable_that_a_text_does_not_name_still_multiplies_it() -> None:
    assert filled("pdu", rack="1..3") == ["pdu"] * 3


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("{rack}", "9"),
        ("{rack:02}", "09"),
        ("{rack:3}", "009"),
        ("{rack+100}", "109"),
        ("{rack-8}", "1"),
        ("{rack+100:04}", "0109"),
        ("{rack#}", "1"),
        ("{side#}{rack}", "19"),
        ("{side#+10}", "11"),
        ("{rack}/{rack:02}/{rack+1}", "9/09/10"),
    ],
)
def test_a_placeholder_is_padded_shifted_or_a_position(text: str, first: str) -> None:
    assert filled(text, side=["a", "b"], rack="9..12")[0] == first


def test_a_text_without_placeholders_stays_as_it_is() -> None:
    assert filled("modbus://10.0.0.1?unit=1") == ["modbus://10.0.0.1?unit=1"]


@given(
    st.dictionaries(
        st.sampled_from(["hall", "row", "rack"]), st.integers(1, 6), min_size=1, max_size=3
    )
)
def test_an_id_that_names_every_variable_is_unique(sizes: dict[str, int]) -> None:
    ranges = {name: f"1..{size}" for name, size in sizes.items()}
    names = filled("/".join(f"{{{name}}}" for name in ranges), **ranges)
    values = {name: range_values(written) for name, written in ranges.items()}
    assert len(names) == len(set(names)) == count(values)
