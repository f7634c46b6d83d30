"""Cycles, and places in series."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from facility.power_path import find_cycles, in_series

nodes = st.integers(0, 12).map(str)
steps = st.lists(st.tuples(nodes, nodes), max_size=40)


def test_two_feeds_of_one_rack_are_no_cycle() -> None:
    path = [("grid", "a"), ("grid", "b"), ("a", "rack"), ("b", "rack")]
    assert list(find_cycles(path)) == []


def test_each_cycle_is_given_in_the_direction_of_power() -> None:
    found = list(find_cycles([("a", "b"), ("b", "c"), ("c", "a"), ("d", "d"), ("a", "e")]))
    assert found == [["a", "b", "c", "a"], ["d", "d"]]


@given(steps)
def test_without_the_last_step_of_each_cycle_there_is_none(path: list[tuple[str, str]]) -> None:
    found = list(find_cycles(path))
    for cycle in found:
        assert cycle[0] == cycle[-1]
        assert set(pairwise(cycle)) <= set(path)
    last = {(cycle[-2], cycle[-1]) for cycle in found}
    assert list(find_cycles(step for step in path if step not in last)) == []


@given(steps)
def test_a_path_has_an_order_just_when_it_has_no_cycle(path: list[tuple[str, str]]) -> None:
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for source, target in path:
        sorter.add(target, source)
    try:
        sorter.prepare()
    except CycleError:
        assert list(find_cycles(path))
    else:
        assert not list(find_cycles(path))


def test_a_long_path_and_many_cycles_cost_no_more_than_their_length() -> None:
    chain = [(str(n), str(n + 1)) for n in range(50_000)]
    loops = [(str(n), str(n)) for n in range(50_000)]
    assert sum(1 for _ in find_cycles(chain + loops)) == 50_000


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
