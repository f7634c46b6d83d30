"""Cycles, and places in series."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from facility.power_path import find_cycles, in_series

nodes = st.integers(0, 12).map(str)
steps = st.lists(st.tuples(nodes, nodes), max_size=40)


def test_two_feeds_of_one_rack_are_no_cycle() -> None:
    assert find_cycles([("grid", "a"), ("grid", "b"), ("a", "rack"), ("b", "rack")]) == []


def test_each_cycle_is_given_in_the_direction_of_power() -> None:
    found = find_cycles([("a", "b"), ("b", "c"), ("c", "a"), ("d", "d"), ("a", "e")])
    assert sorted(len(cycle) for cycle in found) == [2, 4]
    for cycle in found:
        assert cycle[0] == cycle[-1]
        assert {"".join(step) for step in pairwise(cycle)} <= {"ab", "bc", "ca", "dd"}


@given(steps)
def test_breaking_one_step_of_each_cycle_leaves_none(path: list[tuple[str, str]]) -> None:
    broken = {(cycle[0], cycle[1]) for cycle in find_cycles(path)}
    assert broken <= set(path)
    assert find_cycles(step for step in path if step not in broken) == []


def test_a_meter_below_another_of_its_role_is_in_series_with_the_nearest() -> None:
    path = [("main", "panel"), ("panel", "sub"), ("sub", "last"), ("panel", "beside")]
    marks = {"main": {"cooling"}, "sub": {"cooling"}, "last": {"cooling"}, "beside": {"other"}}
    assert sorted(in_series(path, marks)) == [
        ("main", "sub", "cooling"),
        ("sub", "last", "cooling"),
    ]


def test_meters_of_one_role_side_by_side_are_not_in_series() -> None:
    path = [("grid", "a"), ("grid", "b"), ("a", "rack"), ("b", "rack")]
    assert list(in_series(path, {"a": {"utility"}, "b": {"utility"}})) == []


def test_a_path_with_a_cycle_has_no_order_and_gives_nothing() -> None:
    assert list(in_series([("a", "b"), ("b", "a")], {"a": {"x"}, "b": {"x"}})) == []
