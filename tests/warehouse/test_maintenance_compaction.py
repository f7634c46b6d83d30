"""Compaction changes how rows lie and never which rows there are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq
import pytest
from maintenance_rig import all_readings, fill, reading_files, store
from sink_feed import POLL_TOPIC, polls

from facility.errors import LakeUnavailable
from warehouse.lake import Lake
from warehouse.maintenance import compaction
from warehouse.maintenance.catalogue import table_of
from warehouse.maintenance.compaction import compact
from warehouse.maintenance.report import Report
from warehouse.maintenance.swap import FilesChanged, Swap, swap
from warehouse.query import run_sql


def compact_all(lake: Lake) -> list[Report]:
    reports = []
    while (report := compact(lake)).more:
        reports.append(report)
    return reports


def test_small_files_become_one_with_the_same_rows(lake):
    fill(lake, 20)
    before = all_readings(lake)
    [report] = compact_all(lake)
    [file] = reading_files(lake)
    assert (report.files_in, report.files_out, report.rows) == (20, 1, 800)
    assert (file.rows, file.bytes) == (800, report.bytes_out)
    assert all_readings(lake) == before


def test_polls_with_their_missing_values_too(lake):
    for seq in range(1, 6):
        store(lake, [polls(seq)], POLL_TOPIC)
    before = run_sql(lake, "from polls order by all").to_pylist()
    compact_all(lake)
    assert run_sql(lake, "from polls order by all").to_pylist() == before
    assert run_sql(lake, "from ducklake_list_files('lake', 'polls')").num_rows == 1


def test_statistics_let_questions_pass_over_the_file(lake):
    fill(lake, 5)
    compact_all(lake)
    [found] = run_sql(lake, "select min(ts) as first, max(ts) as last from readings").to_pylist()
    one = "explain analyze select count(*) from readings where "
    for clause in ("quantity = 'zz'", f"ts > '{found['last'].isoformat()}'", "device < 'a'"):
        text = str(run_sql(lake, one + clause)["explain_value"][0])
        assert "Total Files Read: 1" not in text, clause
    assert run_sql(lake, f"from readings where ts = '{found['last'].isoformat()}'").num_rows == 1


def test_a_later_sink_and_a_second_compaction_go_on_from_it(lake):
    fill(lake, 20)
    compact_all(lake)
    fill(lake, 20, first=21)
    before = all_readings(lake)
    assert len(before) == 1600
    compact_all(lake)
    assert all_readings(lake) == before
    assert len(reading_files(lake)) == 1


def test_the_lake_can_be_asked_as_it_was_before(lake):
    fill(lake, 4)
    [then] = run_sql(
        lake, "select max(snapshot_id) as id from ducklake_snapshots('lake')"
    ).to_pylist()
    compact_all(lake)
    fill(lake, 1, first=5)
    assert len(all_readings(lake, f"at (version => {then['id']})")) == 160


def test_rows_that_were_deleted_stay_deleted(lake):
    fill(lake, 4)
    lake.connection.execute("delete from readings where value < 1010")
    before = all_readings(lake)
    compact_all(lake)
    assert all_readings(lake) == before


def test_two_maintainers_do_the_work_once(lake):
    fill(lake, 4)
    files = tuple(reading_files(lake))
    table = table_of(lake.connection, "readings")
    compact_all(lake)
    before = all_readings(lake)
    with pytest.raises(FilesChanged, match="4 of 4 files of readings are gone"):
        swap(lake.connection, Swap(table, files, None, "merge_adjacent", "late"))
    assert all_readings(lake) == before


def test_a_file_that_went_while_it_was_merged_is_not_brought_back(lake, monkeypatch):
    fill(lake, 4)
    original = compaction.swap

    def late(connection, work):
        monkeypatch.setattr(compaction, "swap", original)
        connection.execute("delete from readings where value < 2000")
        original(connection, work)

    monkeypatch.setattr(compaction, "swap", late)
    assert compact(lake).more
    assert len(all_readings(lake)) == 120
    compact_all(lake)
    assert len(all_readings(lake)) == 120


def test_a_damaged_file_is_named_and_nothing_is_changed(lake):
    fill(lake, 4)
    before = reading_files(lake)
    broken = lake.table_directory("readings") / before[2].path
    broken.write_bytes(broken.read_bytes()[:-20])
    with pytest.raises(LakeUnavailable, match=before[2].path):
        compact(lake)
    assert reading_files(lake) == before


def test_the_open_quarter_is_left(lake):
    now = datetime.now(UTC)
    fill(lake, 4)
    [newest] = run_sql(lake, "select max(ts) as at from readings").to_pylist()
    assert compact(lake, now=newest["at"] + timedelta(minutes=1)) == Report()
    assert now > newest["at"]


def test_the_file_is_sorted_and_carries_the_field_ids_of_its_table(lake):
    fill(lake, 6)
    compact_all(lake)
    [file] = reading_files(lake)
    table = pq.read_table(lake.table_directory("readings") / file.path)
    rows = table.select(["quantity", "device", "component", "ts"]).to_pylist()
    keys = [tuple(row.values()) for row in rows]
    assert keys == sorted(keys)
    ids = [field.metadata[b"PARQUET:field_id"] for field in table.schema]
    assert ids == [b"1", b"2", b"3", b"4", b"5", b"6"]
