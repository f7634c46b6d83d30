"""A lake that is damaged when a process starts: recovered, or refused by name with the remedy."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from maintenance_rig import all_readings, fill, reading_files
from sink_feed import crash_log, make_sink, message, one_log, run_to_end

from facility.errors import LakeUnavailable, QueryError
from warehouse.connection import connect
from warehouse.lake import Lake
from warehouse.location import LakeLocation
from warehouse.maintenance.catalogue import METADATA
from warehouse.maintenance.verification import verify
from warehouse.query import run_sql
from warehouse.sink import ENGINE
from warehouse.sweep import sink_present


@pytest.fixture
def directory(empty_lake, tmp_path) -> Path:
    """A lake with readings, closed."""
    place = tmp_path / "lake"
    shutil.copytree(empty_lake, place)
    location = LakeLocation.of_directory(place)
    with Lake(location, connect(location, read_only=False, settings=ENGINE)) as lake:
        fill(lake, 3)
    return place


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def overwrite(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:4096] + os.urandom(40_000) + content[44_096:])


@pytest.mark.parametrize("harm", [cut, overwrite])
def test_a_damaged_catalogue_is_named_with_the_remedy(directory, harm):
    harm(directory / "catalogue.sqlite")
    for opened in (Lake.create_or_open, Lake.open_read_only):
        with pytest.raises(LakeUnavailable, match=r"catalogue\.sqlite .*put it back from a backup"):
            opened(directory, settings=ENGINE)


@pytest.mark.parametrize("harm", [lambda file: file.write_bytes(b""), Path.unlink])
def test_a_lost_catalogue_is_not_replaced_by_an_empty_one(directory, harm):
    harm(directory / "catalogue.sqlite")
    for _ in range(2):
        with pytest.raises(LakeUnavailable, match=r"has files .*put the catalogue back"):
            Lake.create_or_open(directory, settings=ENGINE)


def test_damage_within_the_catalogue_is_found_by_maintenance(directory):
    """A page that opening the catalogue does not read."""
    file = directory / "catalogue.sqlite"
    with Lake.open_read_only(directory, settings=ENGINE) as lake:
        unread = "ducklake_files_scheduled_for_deletion"
        root = f"select rootpage from sqlite_schema where name = '{unread}'"
        ask = f"from sqlite_query('{METADATA}', $ask)"
        page = int(run_sql(lake, ask, {"ask": root})["rootpage"][0].as_py())
        size = int(run_sql(lake, ask, {"ask": "pragma page_size"})[0][0].as_py())
    content = bytearray(file.read_bytes())
    content[(page - 1) * size] = 255  # no kind of page
    file.write_bytes(content)
    with Lake.open_read_only(directory, settings=ENGINE) as lake:
        assert "catalogue.sqlite is damaged" in verify(lake).trouble


def test_an_older_catalogue_is_told_from_a_dead_sink(lake, tmp_path):
    """As after its -wal file was lost: the files that it does not know must not be swept."""
    log = crash_log()
    run_to_end(make_sink(lake, one_log(log[:2])), one_log(log[:2]))
    shutil.copy(lake.directory / "catalogue.sqlite", tmp_path / "older.sqlite")
    feed = one_log(log)
    run_to_end(make_sink(lake, feed, flush_rows=100, flush_seconds=60), feed)
    copy = tmp_path / "copy"
    shutil.copytree(lake.directory, copy)
    shutil.copy(tmp_path / "older.sqlite", copy / "catalogue.sqlite")
    with Lake.create_or_open(copy, settings=ENGINE) as older:
        known = {file.path for file in reading_files(older)}
        files = list(older.table_directory("readings").iterdir())
        again = one_log(log)
        with pytest.raises(LakeUnavailable, match="its -wal file was lost"):
            run_to_end(make_sink(older, again), again)
        assert list(older.table_directory("readings").iterdir()) == files
        for file in files:
            if file.name not in known:
                file.unlink()
        run_to_end(make_sink(older, again), again)
        assert len(all_readings(older)) == 16 * 50


def test_a_truncated_file_of_a_dead_sink_is_swept_and_its_rows_come_again(lake):
    lake.storage.prepare(["readings"])
    half = lake.table_directory("readings") / f"20261124T000000Z-{'0' * 32}.parquet.tmp"
    half.write_bytes(b"PAR1 and then nothing")
    feed = one_log([message(1)])
    run_to_end(make_sink(lake, feed), feed)
    assert not half.exists()
    assert len(all_readings(lake)) == 50


def test_a_question_over_a_missing_file_names_it(lake):
    fill(lake, 2)
    gone = next(lake.table_directory("readings").iterdir())
    gone.unlink()
    with pytest.raises((LakeUnavailable, QueryError), match=gone.name):
        run_sql(lake, "select sum(value) from readings")
    with sink_present(lake):
        assert gone.name in verify(lake).trouble
