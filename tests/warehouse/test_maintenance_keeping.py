"""What goes: old rows, old snapshots, forgotten files, damaged files; and what stays."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime, timedelta

import prometheus_client
import pytest
from maintenance_rig import all_readings, fill, reading_files, store
from sink_feed import T0_US, readings

from facility.errors import LakeUnavailable, QueryError
from facility.site import Lake as LakeSettings
from warehouse.lake import Lake
from warehouse.maintenance import expiry, inlined, orphans
from warehouse.maintenance.compaction import compact
from warehouse.maintenance.expiry import expire
from warehouse.maintenance.inlined import tidy_inlined
from warehouse.maintenance.jobs import Job, Maintainer
from warehouse.maintenance.orphans import remove_orphans
from warehouse.maintenance.plan import LakeFile
from warehouse.maintenance.report import Report
from warehouse.maintenance.retention import is_older, retain
from warehouse.maintenance.schedule import jobs_of
from warehouse.maintenance.verification import forget_damaged, verify
from warehouse.query import run_sql

T0 = datetime.fromtimestamp(T0_US / 1e6, UTC)
DAY = timedelta(days=1)


def counted(name: str, job: str) -> float:
    return prometheus_client.REGISTRY.get_sample_value(name, {"job": job}) or 0.0


def place_of(lake: Lake, number: int = 0):
    return lake.table_directory("readings") / reading_files(lake)[number].path


def age(path, by: timedelta) -> None:
    then = time.time() - by.total_seconds()
    os.utime(path, (then, then))


def test_files_older_than_their_table_may_be_go_whole(lake):
    fill(lake, 3)
    late = [readings(n + 86_400 * 5) for n in range(1, 3)]
    store(lake, late)
    report = retain(lake, {"readings": 2}, now=T0 + 4 * DAY)
    assert (report.files_in, report.rows) == (3, 120)
    assert len(all_readings(lake)) == 100
    assert run_sql(lake, "select count(*) as n from readings")["n"][0].as_py() == 100


def test_a_table_without_an_age_keeps_everything(lake):
    fill(lake, 2)
    assert retain(lake, {"polls": 1}) == Report()
    assert len(all_readings(lake)) == 80


def test_rows_dated_after_their_commit_are_as_old_as_that():
    def file(newest: datetime, committed: datetime) -> LakeFile:
        return LakeFile(1, "1.parquet", 1, 1, newest, committed)

    assert is_older(file(T0 + 9000 * DAY, T0), T0 + DAY)
    assert is_older(file(T0, T0 + 9 * DAY), T0 + DAY)
    assert not is_older(file(T0, T0), T0)


def test_replaced_files_go_when_no_snapshot_has_them_and_no_reader_may(lake, monkeypatch):
    fill(lake, 4)
    compact(lake)
    before = all_readings(lake)
    assert expire(lake, DAY).files_in == 0
    assert expire(lake, timedelta(0)).files_in == 0
    assert len(list(lake.table_directory("readings").iterdir())) == 5
    monkeypatch.setattr(expiry, "READER_GRACE", timedelta(0))
    assert expire(lake, timedelta(0)).files_in == 4
    assert len(list(lake.table_directory("readings").iterdir())) == 1
    assert all_readings(lake) == before


def test_snapshots_are_kept_to_the_moment(lake):
    """The one that stood at the first moment still asked for stays."""
    fill(lake, 5)
    times = run_sql(
        lake, "select snapshot_time as at from ducklake_snapshots('lake') order by snapshot_id"
    )["at"].to_pylist()
    expire(lake, datetime.now(UTC) - times[-3] - timedelta(microseconds=1))
    kept = run_sql(lake, "select snapshot_time as at from ducklake_snapshots('lake')")
    assert sorted(kept["at"].to_pylist()) == times[-3:]


def test_the_catalogue_does_not_grow_with_every_commit_for_ever(lake):
    """Each commit of a sink leaves a version of its offsets in the catalogue."""
    lake.connection.execute("insert into sink_offsets values ('t', 'i', 0, 0)")
    for _ in range(20):
        lake.connection.execute("update sink_offsets set next_offset = next_offset + 1")
    assert tidy_inlined(lake).rows == 0
    expire(lake, timedelta(0))
    assert tidy_inlined(lake).rows == 20
    assert run_sql(lake, "from sink_offsets").to_pylist()[0]["next_offset"] == 20


def test_small_roll_ups_come_out_of_the_catalogue(lake, monkeypatch):
    monkeypatch.setattr(inlined, "MANY", 4)
    monkeypatch.setattr(inlined, "ROLL_UPS", ("small",))
    lake.connection.execute("create table small (minute_at timestamptz, mean double)")
    for _ in range(5):
        lake.connection.execute("insert into small values (now(), 1)")
    assert run_sql(lake, "from ducklake_list_files('lake', 'small')").num_rows == 0
    tidy_inlined(lake)
    assert run_sql(lake, "from ducklake_list_files('lake', 'small')").num_rows == 1
    assert run_sql(lake, "from small").num_rows == 5


def test_a_question_under_way_keeps_the_files_it_began_with(lake):
    fill(lake, 4)
    reader = lake.connection.fork()
    reader.execute("begin transaction")
    before = reader.fetch("from readings order by all").to_pylist()
    compact(lake)
    expire(lake, timedelta(0))
    assert reader.fetch("from readings order by all").to_pylist() == before
    reader.execute("rollback")


def test_the_age_of_a_file_outlives_its_snapshot(lake):
    fill(lake, 2)
    expire(lake, timedelta(0))
    assert all(file.committed_at > datetime.now(UTC) - DAY for file in reading_files(lake))


def test_forgotten_files_go_after_a_day(lake):
    fill(lake, 2)
    directory = lake.table_directory("readings")
    names = ("compacted-1.parquet", "compacted-2.parquet.tmp", "20261124T000000Z-1.parquet")
    for name in names:
        (directory / name).write_bytes(b"PAR1")
    assert remove_orphans(lake) == Report()
    for name in names:
        age(directory / name, DAY + timedelta(hours=1))
    assert remove_orphans(lake).files_in == 3
    assert {file.name for file in directory.iterdir()} == {f.path for f in reading_files(lake)}


def test_more_forgotten_files_than_a_crash_leaves_are_kept_and_named(lake, monkeypatch):
    """An older catalogue knows none of the files that came after it."""
    monkeypatch.setattr(orphans, "MOST", 2)
    fill(lake, 1)
    for n in range(3):
        path = lake.table_directory("readings") / f"compacted-{n}.parquet"
        path.write_bytes(b"PAR1")
        age(path, 2 * DAY)
    report = remove_orphans(lake)
    assert "3 files" in report.trouble
    assert "Restore" in report.trouble
    assert report.files_in == 0


def test_missing_and_cut_files_are_named_with_the_remedy(lake):
    fill(lake, 4)
    assert verify(lake) == Report()
    missing, cut = place_of(lake, 0), place_of(lake, 2)
    missing.unlink()
    cut.write_bytes(cut.read_bytes()[:100])
    trouble = verify(lake).trouble
    assert "2 files with 80 rows are damaged" in trouble
    assert f"readings/{missing.name} is missing" in trouble
    assert f"readings/{cut.name} has 100 bytes instead of" in trouble
    assert "--forget-damaged" in trouble
    with pytest.raises((LakeUnavailable, QueryError), match=missing.name):
        run_sql(lake, "select sum(value) from readings")
    assert forget_damaged(lake).rows == 80
    assert verify(lake) == Report()
    assert len(all_readings(lake)) == 80


def test_a_job_that_fails_is_counted_and_stops_no_other(lake):
    done = []

    def fail(_: Lake) -> Report:
        raise ZeroDivisionError("by hand")

    def refuse(_: Lake) -> Report:
        raise LakeUnavailable("catalogue locked")

    jobs = (
        Job("fails", fail, 0.01),
        Job("refuses", refuse, 0.01),
        Job("works", lambda _: done.append(1) or Report(files_in=2, bytes_in=7), 0.01),
    )
    maintainer = Maintainer(lake, jobs)
    before = counted("busway_maintenance_files_in_total", "works")
    stop = threading.Event()
    thread = threading.Thread(target=maintainer.run, args=(stop,))
    thread.start()
    while len(done) < 3:
        time.sleep(0.01)
    stop.set()
    thread.join()
    facts = maintainer.health()
    assert facts["jobs"]["fails"]["failures"] >= 3
    assert "refuses: catalogue locked" in facts["trouble"]
    assert counted("busway_maintenance_failures_total", "fails") >= 3
    assert counted("busway_maintenance_runs_total", "works") >= 3
    assert counted("busway_maintenance_files_in_total", "works") - before == 2 * len(done)


def test_once_does_all_there_is_to_do(lake):
    fill(lake, 4)
    assert Maintainer(lake, jobs_of(LakeSettings(retention_days={"polls": 1}))).run_once()
    assert len(reading_files(lake)) == 1
    place_of(lake).unlink()
    assert not Maintainer(lake, jobs_of(LakeSettings())).run_once()
