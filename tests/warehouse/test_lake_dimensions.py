"""The site's configuration in the lake, and its history."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from facility.catalogue import load_catalogue
from facility.counter import CounterFacts
from facility.loss_bands import default_loss_bands
from facility.roles import DeviceRole
from facility.site import Site
from warehouse.dimensions import EPOCH, store_dimensions
from warehouse.query import run_sql

MONDAY, TUESDAY = datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC)


def site(**changes) -> Site:
    devices = [
        {
            "id": "utility/m1",
            "profile": "meter-a",
            "address": "modbus://10.0.0.1",
            "role": "utility_meter",
        },
        {
            "id": "hall-1/pdu-a",
            "profile": "pdu-b",
            "address": "snmp://10.0.0.2",
            "role": "rack_pdu",
            "interval_seconds": 5,
            "place": {"hall": "1", "row": "2", "rack": "3"},
        },
    ]
    meters = [
        {"id": "utility", "device": "utility/m1", "role": "utility", "accuracy_class": 0.2},
        {
            "id": "rack-3",
            "device": "hall-1/pdu-a",
            "component": "inlet.1",
            "role": "it_input",
            "max_power_kw": 60,
        },
    ]
    boundary = {
        "e_dc": {"add": ["utility"], "subtract": ["export"]},
        "e_it": {3: ["it_input"]},
        "minimum_coverage_ratio": 0.95,
    }
    return Site.model_validate(
        {
            "name": "Test",
            "time_zone": "Asia/Seoul",
            "provisioned_mw": 250,
            "devices": devices,
            "meters": meters,
            "boundary": boundary,
            "factors": [
                {"name": "air_class", "subject": "1", "value": "A1"},
                {
                    "name": "carbon_kg_per_kwh",
                    "subject": "grid_market",
                    "value": 0.4,
                    "applies_from": MONDAY,
                    "applies_to": TUESDAY,
                },
            ],
            "feeds": [{"from": "utility/m1", "to": "hall-1/pdu-a"}],
        }
        | changes
    )


def facts(profile: str, component: str, quantity: str) -> CounterFacts | None:
    known = {("meter-a", "", "energy_imported_wh"): CounterFacts(modulus=2.0**32, resolution=1.0)}
    return known.get((profile, component, quantity))


def rows(lake, table: str) -> list[dict]:
    return run_sql(lake, f"from {table} order by all").to_pylist()


def test_a_site_becomes_rows(lake):
    store_dimensions(lake, site(), facts, at=MONDAY)
    always = {"valid_from": EPOCH, "valid_to": None}
    assert rows(lake, "sites") == [
        {"site": "Test", "time_zone": "Asia/Seoul", "provisioned_w": 250e6, "boundary": "site",
         "minimum_coverage_ratio": 0.95} | always
    ]  # fmt: skip
    assert rows(lake, "devices") == [
        {"device": "hall-1/pdu-a", "profile": "pdu-b", "device_role": "rack_pdu", "interval_s": 5.0,
         "hall": "1", "row": "2", "rack": "3"} | always,
        {"device": "utility/m1", "profile": "meter-a", "device_role": "utility_meter",
         "interval_s": 10.0, "hall": "", "row": "", "rack": ""} | always,
    ]  # fmt: skip
    assert rows(lake, "meters") == [
        {"meter": "rack-3", "device": "hall-1/pdu-a", "component": "inlet.1",
         "meter_role": "it_input", "accuracy_class": 1.0, "max_power_w": 60e3,
         "energy_modulus_wh": None, "energy_resolution_wh": None} | always,
        {"meter": "utility", "device": "utility/m1", "component": "", "meter_role": "utility",
         "accuracy_class": 0.2, "max_power_w": None, "energy_modulus_wh": 2.0**32,
         "energy_resolution_wh": 1.0} | always,
    ]  # fmt: skip
    columns = ("total", "category", "meter_role", "sign")
    terms = [tuple(row[name] for name in columns) for row in rows(lake, "boundary_terms")]
    assert terms == [
        ("e_dc", 0, "export", -1),
        ("e_dc", 0, "utility", 1),
        ("e_it", 3, "it_input", 1),
    ]
    assert rows(lake, "feeds") == [{"source": "utility/m1", "target": "hall-1/pdu-a"} | always]
    assert rows(lake, "factors") == [
        {"factor": "air_class", "subject": "1", "value": None, "text": "A1", "applies_from": None,
         "applies_to": None} | always,
        {"factor": "carbon_kg_per_kwh", "subject": "grid_market", "value": 0.4, "text": None,
         "applies_from": MONDAY, "applies_to": TUESDAY} | always,
    ]  # fmt: skip


def test_the_catalogue_of_quantities_is_there_and_follows_this_busway(lake):
    store_dimensions(lake, site(), facts)
    lake.connection.execute("update quantities set unit = 'hp' where quantity = 'active_power_w'")
    lake.connection.execute("insert into quantities values ('aura_lm', 'lm', 'gauge', 0, 1, '')")
    store_dimensions(lake, site(), facts)
    stored = {row["quantity"]: row["unit"] for row in rows(lake, "quantities")}
    assert stored == {name: quantity.unit for name, quantity in load_catalogue().items()}


def test_storing_the_same_site_again_changes_nothing(lake):
    store_dimensions(lake, site(), facts, at=MONDAY)
    tables = ("sites", "devices", "meters", "boundary_terms", "feeds", "factors", "quantities")
    before = {table: rows(lake, table) for table in tables}
    snapshot = run_sql(lake, "select max(snapshot_id) as n from ducklake_snapshots('lake')")
    store_dimensions(lake, site(), facts, at=TUESDAY)
    assert {table: rows(lake, table) for table in tables} == before
    assert run_sql(lake, "select max(snapshot_id) as n from ducklake_snapshots('lake')") == snapshot


def test_a_device_that_moves_keeps_its_history(lake):
    store_dimensions(lake, site(), facts, at=MONDAY)
    meter, pdu = (device.model_dump() | {"address": "snmp://10.0.0.9"} for device in site().devices)
    pdu["place"] = {"hall": "9", "row": "2", "rack": "3"}
    store_dimensions(lake, site(devices=[meter, pdu]), facts, at=TUESDAY)
    columns = ("device", "hall", "valid_from", "valid_to")
    history = [tuple(row[name] for name in columns) for row in rows(lake, "devices")]
    assert history == [
        ("hall-1/pdu-a", "1", EPOCH, TUESDAY),
        ("hall-1/pdu-a", "9", TUESDAY, None),
        ("utility/m1", "", EPOCH, None),
    ]


def test_what_leaves_is_closed_and_what_comes_back_is_opened_anew(lake):
    store_dimensions(lake, site(), facts, at=MONDAY)
    store_dimensions(lake, site(feeds=[], boundary=None), facts, at=TUESDAY)
    assert [r["valid_to"] for r in rows(lake, "feeds")] == [TUESDAY]
    assert {r["valid_to"] for r in rows(lake, "boundary_terms")} == {TUESDAY}
    wednesday = datetime(2026, 11, 25, tzinfo=UTC)
    store_dimensions(lake, site(), facts, at=wednesday)
    assert [(r["valid_from"], r["valid_to"]) for r in rows(lake, "feeds")] == [
        (EPOCH, TUESDAY),
        (wednesday, None),
    ]


@pytest.mark.parametrize("count", [5_000])
def test_thousands_of_devices_are_compared_quickly(lake, count):
    """More rows than stay in the catalogue: they lie in a file, and one of them changes."""
    device = site().devices[0].model_dump() | {"address": "modbus://10.0.0.1"}
    devices = [device | {"id": f"d-{n}"} for n in range(count)]
    extra = {"meters": [], "boundary": None, "feeds": []}
    store_dimensions(lake, site(devices=devices, **extra), facts, at=MONDAY)
    devices[7] = devices[7] | {"interval_seconds": 1}
    store_dimensions(lake, site(devices=devices, **extra), facts, at=TUESDAY)
    assert len(rows(lake, "devices")) == count + 1
    changed = run_sql(lake, "select device from devices where valid_to is not null")
    assert changed["device"].to_pylist() == ["d-7"]


def test_loss_bands_are_the_sites_own_or_the_defaults_and_keep_their_history(lake):
    store_dimensions(lake, site(), facts, at=MONDAY)
    own = {"low_ratio": 0.02, "typical_ratio": 0.026, "high_ratio": 0.04, "nodes": ["u-*", "v-*"]}
    store_dimensions(lake, site(loss_bands={"ups": own}), facts, at=TUESDAY)
    columns = ("node_patterns", "low_ratio", "high_ratio", "valid_from", "valid_to")
    found = [
        tuple(row[name] for name in columns)
        for row in rows(lake, "loss_bands")
        if row["part"] == "ups"
    ]
    default = default_loss_bands()[DeviceRole.UPS]
    assert found == [
        ("", default.low_ratio, default.high_ratio, EPOCH, TUESDAY),
        ("u-*,v-*", 0.02, 0.04, TUESDAY, None),
    ]
    still = {row["part"] for row in rows(lake, "loss_bands") if row["valid_to"] is None}
    assert still == {str(part) for part in default_loss_bands()}
