"""Every poll accounted for: the ledger, its summary, and the checks that find what is lost."""

from __future__ import annotations

import pytest
from sql_bench import SqlBench, at

WINDOW = {"from_at": at(0), "to_at": at(60)}


@pytest.fixture(scope="module")
def database() -> SqlBench:
    return SqlBench()


@pytest.fixture
def bench(database) -> SqlBench:
    """A meter of two points, polled every 10 s over a minute and one poll more."""
    database.clear()
    database.site()
    database.meter("m", interval_s=10)
    for second in range(0, 70, 10):
        poll(database, second, "read", 2, 2)
        read(database, second, 2)
    return database


def poll(bench: SqlBench, second: float, outcome: str, expected: int, good: int) -> None:
    bench.database.execute(
        "insert into polls values (?, 'm', ?, ?, ?, 0.01, null)",
        [at(second), outcome, expected, good],
    )


def read(bench: SqlBench, second: float, count: int) -> None:
    for component in ("a", "b")[:count]:
        bench.read("m", [(second + 0.01, 1.0)], "active_power_w", component=component)


def findings(bench: SqlBench, check: str) -> list[dict[str, object]]:
    return bench.ask(f"from {check}($from_at, $to_at)", WINDOW)


def summary(bench: SqlBench) -> dict[str, object]:
    return bench.ask("from poll_summary($from_at, $to_at)", WINDOW)[0]


CHECKS = ("every_slot_has_a_poll", "every_stored_poll_has_its_readings", "ledger_balances")


@pytest.mark.parametrize("check", CHECKS)
def test_nothing_is_found_where_nothing_is_lost(bench, check):
    assert findings(bench, check) == []


def test_the_summary_counts_the_window_alone(bench):
    row = summary(bench)
    assert (row["scheduled"], row["stored"], row["failed"], row["dropped"]) == (6, 6, 0, 0)
    assert (row["readings_expected"], row["readings_good"], row["readings_failed"]) == (12, 12, 0)


def test_what_failed_or_was_dropped_is_counted_and_not_lost(bench):
    bench.database.execute(
        "update polls set outcome = 'failed', points_good = 0 where scheduled_at = ?", [at(20)]
    )
    bench.database.execute(
        "update polls set outcome = 'dropped', points_good = 0 where scheduled_at = ?", [at(30)]
    )
    bench.database.execute("delete from readings where ts between ? and ?", [at(20), at(31)])
    row = summary(bench)
    assert (row["scheduled"], row["stored"], row["failed"], row["dropped"]) == (6, 4, 1, 1)
    assert row["readings_failed"] == 4
    assert [findings(bench, check) for check in CHECKS] == [[], [], []]


def test_a_poll_that_nobody_booked_is_found(bench):
    bench.database.execute("delete from polls where scheduled_at = ?", [at(30)])
    found = findings(bench, "every_slot_has_a_poll")
    assert [(row["device"], row["missing_polls"]) for row in found] == [("m", 1)]


def test_a_reading_that_is_gone_is_found(bench):
    bench.database.execute("delete from readings where ts = ? and component = 'b'", [at(40.01)])
    found = findings(bench, "every_stored_poll_has_its_readings")
    assert [(row["points_good"], row["good_readings"]) for row in found] == [(2, 1)]


def test_a_reading_that_came_twice_is_found(bench):
    read(bench, 50, 2)
    found = findings(bench, "every_stored_poll_has_its_readings")
    assert [(row["points_good"], row["good_readings"]) for row in found] == [(2, 4)]


def test_a_poll_booked_twice_is_found(bench):
    poll(bench, 50, "read", 2, 2)
    assert [row["booked_twice"] for row in findings(bench, "ledger_balances")] == [1]


def test_a_missing_batch_is_found(bench):
    bench.database.execute("insert into collector_progress values ('c', 't', 'o', 9, 1)")
    assert len(findings(bench, "no_batch_is_missing")) == 1
