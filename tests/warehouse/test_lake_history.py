"""The lake as it was: for as long as its snapshots are kept, and refused by name before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from maintenance_rig import all_readings, fill

from facility.errors import QueryError
from warehouse.lake import Lake
from warehouse.maintenance.compaction import compact
from warehouse.maintenance.expiry import expire
from warehouse.query import run_sql
from warehouse.sink import ENGINE


def as_of(lake: Lake, moment: datetime) -> Lake:
    return Lake.open_read_only(lake.directory, settings=ENGINE, as_of=moment)


def test_the_lake_is_as_it_was_at_the_moment_macros_and_all(lake):
    fill(lake, 2)
    moment = datetime.now(UTC)
    fill(lake, 2, first=3)
    compact(lake)
    with as_of(lake, moment) as then:
        assert len(all_readings(then)) == 80
        assert run_sql(then, "from power_by_role('2026-09-01', '2026-09-02')").num_rows == 0
    assert len(all_readings(lake)) == 160


def test_a_moment_that_is_not_kept_any_more_is_named_with_the_first_that_is(lake):
    fill(lake, 1)
    expire(lake, timedelta(0))
    with pytest.raises(
        QueryError, match=r"not kept any more: its first snapshot is of 20.*history"
    ):
        as_of(lake, datetime.now(UTC) - timedelta(hours=1))
    with as_of(lake, datetime.now(UTC)) as now:
        assert len(all_readings(now)) == 40
