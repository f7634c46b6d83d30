"""The default pack at the full-size site, once its devices have been read."""

from __future__ import annotations

from collections import defaultdict

import pyarrow as pa
import pyarrow.compute as pc

from alerts.board import Board
from alerts.offers import Offers
from alerts.quantities import quantities_of
from alerts.rule_file import load_rules
from alerts.selection import resolve
from alerts.watch import SeriesKey
from bench.load import SITE, Load
from facility.alert_settings import Alerts
from facility.site import Site
from facility.site_file import load_site

SITE_VALUES = {
    "nominal_voltage_v": 240,
    "nominal_frequency_hz": 60,
    "current_rating_a": 10_000,
    "rack_budget_w": 300_000,
    "ramp_limit_w_per_minute": 50e6,
    "transformer_trip_c": 150,
    "ups_redundant_load_ratio": 0.75,
    "cdu_setpoint_c": 40,
    "cdu_design_flow_lpm": 1000,
    "cdu_minimum_head_kpa": 50,
    "loop_pressure_kpa": 300,
    "design_approach_k": 5,
    "conductivity_limit_us_cm": 1000,
    "ph_lowest": 7,
    "ph_highest": 10,
    "level_lowest_ratio": 0.2,
}
"""All that rules wait for, so that none is off for want of it."""


def pack_board(load: Load) -> Board:
    """Resolve the pack over the site and all points of a load."""
    alerts = Alerts.model_validate({"site_values": SITE_VALUES})
    site = load_site(SITE).model_copy(update={"alerts": alerts})
    rules = load_rules(alerts)
    quantities = quantities_of(placed.rule for placed in rules)
    keys = _keys(load, quantities)
    table = resolve(rules, site, _offers(site, keys)).table
    feeds = ((feed.source, feed.target) for feed in site.feeds)
    return Board(table, feeds, points=keys, quantities=quantities)


def keys_of(batch: pa.RecordBatch) -> list[SeriesKey]:
    """Give the names of each row."""
    columns = (batch[name].to_pylist() for name in ("device", "component", "quantity"))
    return list(zip(*columns, strict=True))


def _keys(load: Load, quantities: frozenset[str]) -> list[SeriesKey]:
    """Give the points of a load that rules are about."""
    wanted = pa.array(sorted(quantities))
    keys: list[SeriesKey] = []
    for number in range(load.collectors):
        batch = load.series(number).batch(0)
        keys += keys_of(batch.filter(pc.is_in(batch["quantity"].cast(pa.string()), wanted)))
    return keys


def _offers(site: Site, keys: list[SeriesKey]) -> Offers:
    """Let every point be one of a table, of which the load shows the rows."""
    profile = {device.id: device.profile for device in site.devices}
    tables: defaultdict[str, set[str]] = defaultdict(set)
    for device, _, quantity in keys:
        tables[profile[device]].add(quantity)
    by_profile = {
        name: tuple(("{part}", quantity) for quantity in sorted(quantities))
        for name, quantities in tables.items()
    }
    return Offers(by_profile).with_shown(keys)
