"""What rules watch at a site: parts, groups, thresholds, and which rules match nothing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from alerts.message import render, unknown_names
from alerts.offers import Offer, Offers
from alerts.rule_file import load_rules
from alerts.selection import Resolution, resolve
from alerts.watch import ANSWERED, POLLED, Measure
from facility.alert_settings import Alerts
from facility.site import Device, Feed, Place, Site

AMPS: tuple[Offer, ...] = tuple((f"phase.{n}", "current_a") for n in (1, 2, 3))
PROFILES: dict[str, tuple[Offer, ...]] = {
    "meter": (("", "active_power_w"), *AMPS),
    "pdu": (("inlet.{n}", "active_power_w"), ("outlet.{n}", "current_a")),
    "ups": (("", "rated_power_w"), ("output", "active_power_w")),
    "cdu": (("", "supply_temperature_c"), *((f"pump.{n}", "pump_speed_rpm") for n in (1, 2))),
    "sensor": (("", "dew_point_temperature_c"),),
}


def device(name: str, profile: str, role: str = "feeder_meter", **facts: Any) -> Device:
    return Device(id=name, profile=profile, role=role, address="snmp://127.0.0.1", **facts)


def resolved(
    folder: Path,
    devices: Iterable[Device],
    *rules: dict[str, Any],
    feeds: Iterable[tuple[str, str]] = (),
    shown: Iterable[tuple[str, str, str]] = (),
    **settings: Any,
) -> Resolution:
    """Resolve rules without the pack; of each only what matters need be given."""
    plain = {"priority": 3, "class": "x", "message": "m"}
    numbered = [{"name": f"rule-{n}", **plain, **given} for n, given in enumerate(rules, 1)]
    (folder / "ours.yaml").write_text(yaml.safe_dump({"rules": numbered}), "utf-8")
    alerts = Alerts.model_validate({"pack": "none", "rules": [folder / "ours.yaml"], **settings})
    site = Site(
        name="demo",
        devices=tuple(devices),
        feeds=tuple(Feed(source=source, target=target) for source, target in feeds),
        alerts=alerts,
    )
    return resolve(load_rules(alerts), site, Offers(PROFILES).with_shown(shown))


def watched(resolution: Resolution, rule: str = "rule-1") -> list[tuple[str, str]]:
    """(device, component) of each watch of a rule."""
    table = resolution.table
    return [
        (table.device[n], table.component[n])
        for n in range(len(table))
        if table.rules[table.rule[n]].name == rule
    ]


def inputs(resolution: Resolution, number: int) -> list[tuple[str, str, str]]:
    table = resolution.table
    start, end = table.input_start[number : number + 2]
    return [table.series[n] for n in table.inputs[start:end]]


def of(quantity: str, **condition: Any) -> dict[str, Any]:
    return {"select": {"quantity": quantity}, **condition}


def above(fire: float, **more: Any) -> dict[str, Any]:
    return {"above": {"fire": fire, "clear": fire, **more}}


def test_a_selector_narrows_by_role_profile_id_place_and_component(tmp_path: Path) -> None:
    places = [Place(hall="a", row="1", rack=str(rack)) for rack in (1, 2)]
    devices = [
        device("a/1", "meter", place=places[0]),
        device("a/2", "meter", place=places[1]),
        device("b/1", "meter", "utility_meter"),
    ]
    selects = [
        ({"role": ["utility_meter"]}, [("b/1", "phase.2")]),
        ({"device": "a/*"}, [("a/1", "phase.2"), ("a/2", "phase.2")]),
        ({"hall": "a", "row": "1", "rack": ["2", "3"]}, [("a/2", "phase.2")]),
        ({"profile": "met*", "rack": "?"}, [("a/1", "phase.2"), ("a/2", "phase.2")]),
    ]
    for select, expected in selects:
        given = {"quantity": "current_a", "component": "*.2", **select}
        found = resolved(tmp_path, devices, {"select": given, **above(3)})
        assert watched(found) == expected


def test_parts_of_a_table_are_watched_once_they_have_been_read(tmp_path: Path) -> None:
    rule = {"select": {"quantity": "current_a", "component": "outlet.*"}, **above(3)}
    before = resolved(tmp_path, [device("p", "pdu")], rule)
    assert before.outcomes[0].off_because == "waits for the devices' parts to be read"
    assert not before.outcomes[0].is_unmatched
    after = resolved(tmp_path, [device("p", "pdu")], rule, shown=[("p", "outlet.7", "current_a")])
    assert watched(after) == [("p", "outlet.7")]


def test_a_rule_that_matches_no_device_is_named(tmp_path: Path) -> None:
    found = resolved(
        tmp_path,
        [device("m", "meter")],
        {"select": {"quantity": "ph"}, **above(3)},
        {"select": {"quantity": "current_a", "device": "hall-9/*"}, **above(3)},
        {"select": {"role": ["cdu"]}, "no_data": {}},
        {"select": {"quantity": "active_power_w"}, **above(1, of="rated_power_w")},
        {"select": {"quantity": "current_a"}, **above(3)},
    )
    assert [placed.rule.name for placed in found.unmatched()] == [
        "rule-1", "rule-2", "rule-3", "rule-4",
    ]  # fmt: skip
    assert found.unmatched()[0].origin.place().endswith("ours.yaml:2")


def test_rules_wait_for_site_values_and_may_be_off(tmp_path: Path) -> None:
    needing = {"select": {"quantity": "current_a"}, "site_values": ["rating_a"]}
    found = resolved(
        tmp_path,
        [device("m", "meter")],
        {**needing, **above(0.8, of="rating_a")},
        {"select": {"quantity": "current_a"}, **above(3), "enabled": False},
        {"select": {"quantity": "current_a"}, **above(3)},
        switched_off=["rule-3"],
    )
    assert [outcome.off_because for outcome in found.outcomes] == [
        "the site states no rating_a", "not enabled in its file", "switched off by the site",
    ]  # fmt: skip
    assert found.unmatched() == []


def test_the_first_site_value_that_fits_a_device_counts(tmp_path: Path) -> None:
    devices = [
        device("a/1", "meter"), device("a/2", "meter", "utility_meter"), device("b", "cdu", "cdu")
    ]  # fmt: skip
    values = [{"role": "utility_meter", "value": 100}, {"device": "a/*", "value": 10}]
    rule = {
        "select": {"quantity": "current_a", "component": "phase.1"},
        "above": {"fire": 0.8, "clear": 0.7, "of": "rating_a", "plus": "spare_a"},
        "site_values": ["rating_a", "spare_a"],
    }
    table = resolved(tmp_path, devices, rule, site_values={"rating_a": values, "spare_a": 1}).table
    assert table.device[:2] == ("a/1", "a/2")
    assert np.allclose(table.fire[:2], [9, 81])
    assert np.allclose(table.clear[:2], [8, 71])


def test_a_threshold_may_be_a_multiple_of_what_the_device_itself_states(tmp_path: Path) -> None:
    rule = {"select": {"quantity": "active_power_w"}, **above(0.9, of="rated_power_w")}
    table = resolved(tmp_path, [device("u", "ups", "ups")], rule).table
    assert (table.device[0], table.component[0]) == ("u", "output")
    assert table.series[table.relative_to[0]] == ("u", "", "rated_power_w")
    assert (table.fire[0], table.is_added[0]) == (0.9, False)


def test_a_threshold_may_refer_to_another_device_of_the_hall(tmp_path: Path) -> None:
    devices = [
        device("b", "sensor", "environment", place=Place(hall="h")),
        device("c", "sensor", "environment", place=Place(hall="h")),
        device("d", "cdu", "cdu", place=Place(hall="h", row="1")),
        device("e", "cdu", "cdu", place=Place(hall="other")),
    ]
    rule = {
        "select": {"quantity": "supply_temperature_c"},
        "below": {"fire": 2, "clear": 3, "plus": "dew_point_temperature_c", "at": "hall"},
    }
    found = resolved(tmp_path, devices, rule)
    assert watched(found) == [("d", "")]
    table = found.table
    assert table.series[table.relative_to[0]] == ("b", "", "dew_point_temperature_c")
    assert (table.fire[0], table.is_added[0], table.below[0]) == (2, True, True)


def test_what_shares_a_load_is_summed_wherever_the_ways_meet(tmp_path: Path) -> None:
    """Three UPS, of which each two share a load; a main meter above; a rack without loads."""
    rack = Place(hall="h", rack="7")
    devices = [device(name, "meter", "ups_output_meter") for name in ("ua", "ub", "uc")] + [
        device("main", "meter", "ups_output_meter"),
        device("r/b", "meter", "ups_output_meter", place=rack),
        device("r/a", "meter", "ups_output_meter", place=rack),
    ]
    feeds = (
        [("main", "ua"), ("main", "ub")]
        + [(f"u{side}", f"tap-{load}-{side}") for load in ("ab", "bc", "ac") for side in load]
        + [(f"tap-{load}-{side}", f"node-{load}") for load in ("ab", "bc", "ac") for side in load]
    )
    rule = {
        "select": {"quantity": "active_power_w"},
        "path_sum": {"above": 100, "clear": 90},
    }
    found = resolved(tmp_path, devices, rule, feeds=feeds)
    assert watched(found) == [("r/a", "+r/b"), ("ua", "+ub"), ("ua", "+uc"), ("ub", "+uc")]
    assert [key[0] for key in inputs(found, 1)] == ["ua", "ub"]


def test_phases_siblings_and_places_are_grouped(tmp_path: Path) -> None:
    racks = [Place(hall="h", rack="1"), Place(hall="h", rack="2")]
    devices = [
        device("a", "meter", place=racks[0]),
        device("b", "meter", place=racks[0]),
        device("c", "meter", place=racks[1]),
        device("d", "cdu", "cdu", place=racks[1]),
    ]
    edge = {"above": 0.2, "clear": 0.1}
    found = resolved(
        tmp_path,
        devices,
        of("current_a", spread={"across": "phases", **edge}),
        of("pump_speed_rpm", spread={"across": "siblings", **edge}),
        of("active_power_w", path_sum={"by": "rack", **edge}),
        of("active_power_w", count={"events": 3, "within_seconds": 60, "by": "site"}),
    )
    assert watched(found, "rule-1") == [("a", ""), ("b", ""), ("c", "")]
    assert watched(found, "rule-2") == [("d", "pump")]
    assert watched(found, "rule-3") == [("a", ""), ("c", "")]
    assert watched(found, "rule-4") == [("a", "")]
    assert [key[0] for key in inputs(found, 6)] == ["a", "b", "c"]


def test_silence_of_a_device_and_queries_watch_what_the_engine_makes(tmp_path: Path) -> None:
    query = {"query": "select 1", "every_seconds": 60}
    found = resolved(
        tmp_path,
        [device("m", "meter", interval_seconds=20)],
        {"no_data": {}},
        {"sql": query},
        {"select": {"device": "m"}, "sql": {**query, "above": 2, "clear": 1}},
    )
    table = found.table
    assert inputs(found, 0) == [("m", "", POLLED)]
    assert (table.measure[0], table.stale_after_us[0]) == (Measure.SILENCE, 60e6)
    assert inputs(found, 1) == [("demo", "rule-2", ANSWERED)]
    assert inputs(found, 2) == [("m", "rule-3", ANSWERED)]
    assert [rule.by_rows for rule in table.rules if rule.query] == [True, False]
    assert table.stale_after_us[2] == 180e6


def test_silence_is_three_intervals_and_never_less_than_the_way_here_takes(tmp_path: Path) -> None:
    meters = [
        device("fast", "meter", interval_seconds=1),
        device("slow", "meter", interval_seconds=10),
    ]
    table = resolved(tmp_path, meters, of("active_power_w", **above(1))).table
    assert [us / 1e6 for us in table.stale_after_us[:2]] == [6.0, 30.0]


def test_a_reading_that_suppresses_is_watched_without_being_told(tmp_path: Path) -> None:
    low = {"quantity": "active_power_w", "below": {"fire": 10, "clear": 12}}
    found = resolved(
        tmp_path,
        [device("m", "meter"), device("up", "meter", "utility_meter")],
        {
            "select": {"quantity": "current_a", "device": "m", "component": "phase.1"},
            **above(3),
            "on_delay_seconds": 60,
            "suppress_when": [low, {**low, "at": "upstream"}],
        },
    )
    facts = {rule.name: rule for rule in found.table.rules}
    assert watched(found, "rule-1/0") == [("m", "")]
    assert watched(found, "rule-1/1") == [("m", ""), ("up", "")]
    assert not facts["rule-1/0"].is_announced
    assert [(each.rule, each.at) for each in facts["rule-1"].suppressed_by] == [
        ("rule-1/0", "device"), ("rule-1/1", "upstream"),
    ]  # fmt: skip
    assert found.table.on_delay_us[:2].tolist() == [60e6, 0]


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{value} {unit} of {threshold}", "81.25 Cel of 80"),
        ("{value:.1f} {value:.0%} {device}", "81.2 8125% m"),
        ("{place}/{component}", "hall/phase.1"),
    ],
)
def test_messages_name_values(template: str, text: str) -> None:
    names = {
        "value": 81.25, "threshold": 80.0, "device": "m", "component": "phase.1",
        "quantity": "temperature_c", "unit": "Cel", "place": "hall",
    }  # fmt: skip
    assert unknown_names(template) == []
    assert render(template, names) == text


@pytest.mark.parametrize(
    "name",
    ["device.id", "value!r", "value:>9999999999", "device:.1f", "0", "", "value:.1e", "__class__"],
)
def test_messages_can_do_nothing_else(name: str) -> None:
    template = f"{{{name}}}"
    assert unknown_names(template) == [name]
    assert render(template, {"value": 1.0}) == template
