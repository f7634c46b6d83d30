"""Which readings a collector must not let wait: those that urgent rules judge at once."""

from __future__ import annotations

from typing import Any

import pytest

from alerts.rule import Rule
from alerts.rule_file import load_pack
from alerts.urgent import UrgentPoints
from facility.alert_settings import Alerts
from facility.point import PointTable
from facility.site import Device, Place, Site

DEVICES = (
    Device(id="pdu", profile="p", role="rack_pdu", address="snmp://h", place=Place(hall="one")),
    Device(id="cdu", profile="c", role="cdu", address="modbus://h"),
)
POINTS = (
    ("", "active_power_w"),
    ("inlet.1", "current_a"),
    ("outlet.1", "current_a"),
    ("outlet.1", "battery_current_a"),
)


def rule(**given: Any) -> Rule:
    plain = {
        "name": "hot",
        "select": {"quantity": "current_a", "component": "outlet.*"},
        "above": {"fire": 1, "clear": 1},
        "priority": 3,
        "class": "x",
        "message": "m",
        "urgent": True,
    }
    return Rule.model_validate(plain | given)


def urgent(*rules: Rule, device: str = "pdu", **settings: Any) -> list[tuple[str, str]]:
    site = Site(name="s", devices=DEVICES, alerts=Alerts.model_validate(settings))
    names, quantities = zip(*POINTS, strict=True)
    flags = UrgentPoints(rules, site)(PointTable(device, names, quantities, ("",) * len(names)))
    return [point for point, flag in zip(POINTS, flags, strict=True) if flag]


def test_the_points_of_an_urgent_rule_and_no_others() -> None:
    assert urgent(rule()) == [("outlet.1", "current_a")]
    assert urgent(rule(urgent=False)) == []


def test_what_it_is_compared_with_comes_along() -> None:
    of = {"above": {"fire": 1, "clear": 1, "of": "battery_current_a"}}
    assert urgent(rule(**of)) == [("outlet.1", "current_a"), ("outlet.1", "battery_current_a")]


def test_only_of_the_devices_that_it_selects() -> None:
    chosen = rule(select={"quantity": "current_a", "hall": "one"})
    assert len(urgent(chosen)) == 2
    assert urgent(chosen, device="cdu") == []
    assert urgent(chosen, device="nobody") == []


def test_a_delay_that_outlasts_the_flush_needs_no_hurry() -> None:
    assert urgent(rule(on_delay_seconds=1)) != []
    assert urgent(rule(on_delay_seconds=5)) == []


@pytest.mark.parametrize(
    ("given", "settings"),
    [
        ({"enabled": False}, {}),
        ({}, {"switched_off": ["hot"]}),
        (
            {"site_values": ["limit"], "above": {"fire": 1, "clear": 1, "of": "limit"}},
            {},
        ),
        ({"select": {}, "above": None, "no_data": {}}, {}),
    ],
)
def test_a_rule_that_watches_no_reading_hurries_none(
    given: dict[str, Any], settings: dict[str, Any]
) -> None:
    assert urgent(rule(**given), **settings) == []


def test_the_pack_hurries_few_of_a_sites_readings() -> None:
    site = Site(name="s", devices=DEVICES)
    told = UrgentPoints((placed.rule for placed in load_pack()), site)
    table = PointTable(
        "cdu",
        ("", "", ""),
        ("leak_detected_state", "supply_temperature_c", "flow_lpm"),
        ("",) * 3,
    )
    assert told(table).tolist() == [True, False, False]
