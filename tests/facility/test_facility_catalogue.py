"""The catalogue of quantities."""

from __future__ import annotations

import re

import pytest

from facility.catalogue import Quantity, load_catalogue

SUFFIXES = {
    "W": "_w",
    "W.h": "_wh",
    "V": "_v",
    "A": "_a",
    "Hz": "_hz",
    "Cel": "_c",
    "V.A": "_va",
    "var": "_var",
    "kPa": "_kpa",
    "L/min": "_lpm",
}


@pytest.mark.parametrize("quantity", load_catalogue().values(), ids=lambda q: q.name)
def test_a_quantity_says_its_unit_its_range_and_its_meaning(quantity: Quantity) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", quantity.name)
    assert quantity.name.endswith(SUFFIXES.get(quantity.unit, ""))
    assert quantity.range[0] < quantity.range[1]
    assert quantity.meaning.endswith(".")


def test_a_counter_never_starts_below_zero() -> None:
    assert all(q.range[0] == 0 for q in load_catalogue().values() if q.kind == "counter")
