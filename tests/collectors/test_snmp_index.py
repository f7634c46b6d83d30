from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from collectors.profile import SnmpPoint
from collectors.snmp.index import name_component, parse_pattern, read_component


def test_a_number_must_match_and_a_name_binds():
    pattern = parse_pattern("1.{outlet}.5")
    assert pattern.bind((1, 7, 5)) == {"outlet": 7}
    assert pattern.bind((1, 7, 4)) is None
    assert pattern.bind((2, 7, 5)) is None
    assert pattern.bind((1, 7)) is None


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_row_and_component_name_each_other(inlet, pole):
    pattern, template = parse_pattern("1.{inlet}.{pole}.8"), "inlet.{inlet}/phase.{pole}"
    component = name_component(template, {"inlet": inlet, "pole": pole})
    names = read_component(template, component)
    assert pattern.suffix(names) == (1, inlet, pole, 8)
    assert pattern.bind(pattern.suffix(names)) == names


@pytest.mark.parametrize("component", ["outlet.x", "outlet.", "outlet.1.2", "Outlet.1", "inlet.1"])
def test_a_component_of_another_shape_is_not_of_the_template(component):
    assert read_component("outlet.{outlet}", component) is None


@pytest.mark.parametrize("text", ["", "1..2", "{Outlet}", "{a}.{a}", "1.x", "-1"])
def test_a_pattern_that_cannot_be_meant_is_refused(text):
    with pytest.raises(ValueError, match="index"):
        parse_pattern(text)


@pytest.mark.parametrize(
    ("component", "index", "complaint"),
    [
        ("outlet.{outlet}", "{pdu}.{outlet}", "does not name"),
        ("outlet.{socket}", "{outlet}", "does not bind"),
        ("outlet.{outlet}", "{outlet", "neither a number nor a name"),
    ],
)
def test_a_profile_whose_rows_would_be_confused_is_refused(component, index, complaint):
    with pytest.raises(ValidationError, match=complaint):
        SnmpPoint(quantity="current_a", component=component, index=index, oid="1.3.6.1")
