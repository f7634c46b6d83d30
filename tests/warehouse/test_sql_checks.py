"""Every check is silent on a sound site, and names what is wrong on another."""

from __future__ import annotations

import pytest
from sql_bench import SqlBench, at

from warehouse import sql_catalogue

CHECKS = sorted(d.name for d in sql_catalogue.load_definitions() if d.layer == "checks")
LOADS = {"grid": 1.2e6, "ups": 1e6, "it-1": 5e5, "it-2": 4.9e5}
ROLES = {"grid": "utility", "ups": "ups_output", "it-1": "it_input", "it-2": "it_input"}


@pytest.fixture(scope="module")
def database() -> SqlBench:
    return SqlBench()


@pytest.fixture
def sound(database) -> SqlBench:
    """Give a site whose meters, ledger and power path fit together, for ten minutes."""
    database.clear()
    database.site()
    database.boundary(e_dc=["utility"], e_it_1=["ups_output"], e_it_3=["it_input"])
    polled = range(-20, 620, 10)
    for name, power_w in LOADS.items():
        database.meter(name, ROLES[name], max_power_w=2e6)
        answers = [s + 0.1 for s in polled]
        database.read(name, [(s, 1e6 + power_w * s / 3600) for s in answers])
        database.read(name, [(s, power_w) for s in answers], "active_power_w")
        database.database.execute(
            "insert into polls select unnest($1), $2, 'read', 2, 2, 0.1, null",
            [[at(second) for second in polled], name],
        )
    for source, target in [("grid", "trafo"), ("trafo", "ups"), ("ups", "it-1"), ("ups", "it-2")]:
        database.insert("feeds", source, target)
    database.database.execute("insert into collector_progress values ('c', 'readings', 'o', 9, 0)")
    return database


def findings(bench: SqlBench, check: str) -> list[dict]:
    return bench.ask(f"from {check}($a, $b)", {"a": at(0), "b": at(600)})


def test_a_sound_site_has_no_findings(sound):
    assert len(CHECKS) > 5
    assert {check: findings(sound, check) for check in CHECKS} == {check: [] for check in CHECKS}


def test_a_batch_that_never_came(sound):
    sound.database.execute("update collector_progress set missing = 2")
    assert findings(sound, "no_batch_is_missing")[0]["collector"] == "c"


def test_a_silent_meter(sound):
    sound.database.execute(
        "delete from readings where device = 'it-1' and ts > '2026-10-01 00:09:00+00'"
    )
    (row,) = findings(sound, "every_meter_reports")
    assert (row["meter"], row["latest_at"]) == ("it-1", at(530.1))


def test_a_poll_booked_twice(sound):
    sound.database.execute(
        "insert into polls select * from polls where device = 'ups' and scheduled_at = $1", [at(50)]
    )
    (row,) = findings(sound, "ledger_balances")
    assert (row["device"], row["booked_twice"]) == ("ups", 1)


def test_an_outcome_that_is_none_of_the_three(sound):
    sound.database.execute("update polls set outcome = 'lost' where scheduled_at = $1", [at(50)])
    row = findings(sound, "ledger_balances")[0]
    assert row["scheduled"] - row["stored"] == 1


def test_polls_that_nobody_booked(sound):
    sound.database.execute(
        "delete from polls where device = 'it-2' and scheduled_at between $1 and $2",
        [at(100), at(150)],
    )
    (row,) = findings(sound, "every_slot_has_a_poll")
    assert (row["device"], row["missing_polls"]) == ("it-2", 6)
    assert (row["last_booked_at"], row["next_booked_at"]) == (at(90), at(160))


def test_readings_that_the_ledger_promises_and_the_lake_lacks(sound):
    sound.database.execute(
        "delete from readings where device = 'grid' and quantity = 'active_power_w' and ts = $1",
        [at(200.1)],
    )
    (row,) = findings(sound, "every_stored_poll_has_its_readings")
    assert (row["device"], row["scheduled_at"]) == ("grid", at(200))
    assert (row["points_good"], row["good_readings"]) == (2, 1)


def read_again(sound: SqlBench, offset_s: float) -> None:
    """Poll `grid` from 100 s to 200 s once more, as after a step back of the collector's clock."""
    polled = [second + 1e-6 for second in range(100, 200, 10)]
    for quantity in ("energy_imported_wh", "active_power_w"):
        sound.read("grid", [(s + offset_s, 5e5) for s in polled], quantity)
    sound.database.execute(
        "insert into polls select unnest($1), 'grid', 'read', 2, 2, 0.1, null",
        [[at(second) for second in polled]],
    )


def test_what_a_late_poll_gave_is_not_charged_to_a_slot_that_was_dropped(sound):
    sound.database.execute(
        "insert into polls values ($1, 'grid', 'dropped', 2, 0, null, 'overrun')", [at(200.05)]
    )
    assert not findings(sound, "every_stored_poll_has_its_readings")


def test_time_that_came_twice_is_no_finding(sound):
    read_again(sound, offset_s=0.2)
    assert not findings(sound, "every_stored_poll_has_its_readings")


def test_readings_lost_where_time_came_twice(sound):
    read_again(sound, offset_s=0.2)
    sound.database.execute("delete from readings where device = 'grid' and ts = $1", [at(150.1)])
    (row,) = findings(sound, "every_stored_poll_has_its_readings")
    assert (row["points_good"], row["good_readings"], row["scheduled_at"]) == (4, 2, at(150))


def test_it_that_takes_more_than_the_data_centre(sound):
    sound.database.execute(
        "update readings set value = value * 1.5 "
        "where device = 'ups' and quantity = 'energy_imported_wh'"
    )
    rows = findings(sound, "pue_is_at_least_one")
    assert [row["category"] for row in rows] == [1]


def test_a_category_3_below_category_1(sound):
    sound.database.execute(
        "update readings set value = 1e6 + (value - 1e6) * 1.2 "
        "where device like 'it-%' and quantity = 'energy_imported_wh'"
    )
    (row,) = findings(sound, "later_categories_are_not_lower")
    assert (row["earlier_category"], row["later_category"]) == (1, 3)
    (parent,) = findings(sound, "children_fit_in_parent")
    assert (parent["device"], parent["children"]) == ("ups", 2)
    assert parent["children_energy_wh"] == pytest.approx(1.2 * 9.9e5 / 6, rel=1e-2)


def test_a_child_with_two_feeds_is_charged_to_neither(sound):
    sound.insert("feeds", "trafo", "it-1")
    sound.database.execute(
        "update readings set value = 1e6 + (value - 1e6) * 1.2 "
        "where device like 'it-%' and quantity = 'energy_imported_wh'"
    )
    assert findings(sound, "children_fit_in_parent") == []


@pytest.mark.parametrize(("factor", "alarm"), [(1.02, False), (2, True), (-1, True)])
def test_a_power_that_does_not_fit_its_register(sound, factor, alarm):
    """A ratio of a current transformer, or a sign."""
    sound.database.execute(
        "update readings set value = value * $1 "
        "where device = 'ups' and quantity = 'active_power_w'",
        [factor],
    )
    (row,) = findings(sound, "registers_agree_with_power")
    assert (row["meter"], row["is_alarm"]) == ("ups", alarm)
