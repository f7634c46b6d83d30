"""The lake's directory and catalogue: made, opened, refused."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import pytest

from facility.errors import LakeSchemaNewer, LakeUnavailable
from facility.reading import POLLS, READINGS
from warehouse.lake import FORMAT, Lake
from warehouse.statements import statement

TABLES = {
    "alerts",
    "arrivals",
    "boundary_terms",
    "collector_progress",
    "devices",
    "energy_15m",
    "energy_1d",
    "energy_1mo",
    "factors",
    "feeds",
    "installed_sql",
    "lake_format",
    "loss_bands",
    "meters",
    "polls",
    "published_energy",
    "published_pue",
    "quantities",
    "readings",
    "readings_1m",
    "rolled_periods",
    "rolled_quarters",
    "sink_offsets",
    "sites",
}


def edit_catalogue(directory, *statements):
    """Change the catalogue from another process: SQLite's locks do not hold within one."""
    script = f"""
        import sqlite3
        catalogue = sqlite3.connect({str(directory / "catalogue.sqlite")!r})
        for statement in {statements!r}:
            catalogue.execute(statement)
        catalogue.commit()
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True)


def test_a_new_directory_becomes_a_lake_with_all_its_tables(lake):
    listing = lake.connection.fetch("select table_name from duckdb_tables()")
    assert set(listing["table_name"].to_pylist()) == TABLES
    version = lake.connection.fetch("select version from lake_format")
    assert version.to_pylist() == [{"version": FORMAT}]


def test_tables_have_the_columns_of_the_messages(lake):
    for table, schema in (("readings", READINGS), ("polls", POLLS)):
        assert lake.connection.fetch(f"from {table}").schema.names == schema.names


def test_opening_again_changes_nothing(lake):
    count = "select count(*) as n from ducklake_snapshots('lake')"
    first = lake.connection.fetch(count)
    with Lake.create_or_open(lake.directory) as again:
        assert again.connection.fetch(count) == first


def test_an_empty_table_is_known_to_be_empty(lake):
    """Or each scan of it would cost a question to the catalogue while it is planned."""
    assert not lake.connection.fetch(statement("never_written")).num_rows
    for table in ("factors", "published_pue", "readings"):
        counted = lake.connection.fetch(f"select count(*) as rows from {table}")
        assert counted["rows"].to_pylist() == [0]


def test_two_processes_may_create_the_same_lake_at_once(tmp_path):
    script = "import sys; from warehouse.lake import Lake; Lake.create_or_open(sys.argv[1]).close()"
    command = [sys.executable, "-c", script, str(tmp_path / "lake")]
    with ThreadPoolExecutor() as pool:
        runs = list(pool.map(lambda _: subprocess.run(command, check=False), range(2)))
    assert [run.returncode for run in runs] == [0, 0]
    with Lake.open_read_only(tmp_path / "lake") as lake:
        assert lake.connection.fetch("from lake_format").num_rows == 1


def test_a_moved_lake_is_still_read(lake, tmp_path):
    lake.connection.execute("insert into feeds select 'a', 'b', now(), null from range(2000)")
    lake.close()
    lake.directory.rename(tmp_path / "there")
    with Lake.open_read_only(tmp_path / "there") as moved:
        assert moved.connection.fetch("from feeds").num_rows == 2000


def test_a_newer_lake_is_refused_naming_both_versions(lake):
    lake.connection.execute("update lake_format set version = 7")
    for open_lake in (Lake.create_or_open, Lake.open_read_only):
        with pytest.raises(LakeSchemaNewer, match=rf"has format 7, .* up to {FORMAT}: upgrade"):
            open_lake(lake.directory)


def test_a_directory_under_a_file_is_refused_in_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LakeUnavailable, match="file/lake cannot be written: Not a directory"):
        Lake.create_or_open(tmp_path / "file" / "lake")


def test_reading_where_there_is_no_lake_makes_none(tmp_path):
    with pytest.raises(LakeUnavailable, match=r"catalogue\.sqlite is missing"):
        Lake.open_read_only(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_catalogue_is_filled(tmp_path):
    (tmp_path / "catalogue.sqlite").touch()
    with Lake.create_or_open(tmp_path) as lake:
        assert lake.connection.fetch("from lake_format").num_rows == 1


def test_an_empty_catalogue_is_refused_by_readers(tmp_path):
    (tmp_path / "catalogue.sqlite").touch()
    with pytest.raises(LakeUnavailable, match=r"catalogue\.sqlite"):
        Lake.open_read_only(tmp_path)


@pytest.mark.parametrize("keep", [0.3, 0.7])
def test_a_truncated_catalogue_is_refused_by_name(empty_lake, tmp_path, keep):
    shutil.copytree(empty_lake, tmp_path, dirs_exist_ok=True)
    catalogue = tmp_path / "catalogue.sqlite"
    catalogue.write_bytes(catalogue.read_bytes()[: int(catalogue.stat().st_size * keep)])
    with pytest.raises(LakeUnavailable, match=r"catalogue .*catalogue\.sqlite cannot be opened"):
        Lake.create_or_open(tmp_path)


def test_a_file_that_is_no_catalogue_is_refused_by_name(tmp_path):
    (tmp_path / "catalogue.sqlite").write_bytes(b"not a database" * 1000)
    with pytest.raises(LakeUnavailable, match="file is not a database"):
        Lake.create_or_open(tmp_path)


def test_a_half_written_catalogue_is_refused_by_name(empty_lake, tmp_path):
    shutil.copytree(empty_lake, tmp_path, dirs_exist_ok=True)
    edit_catalogue(tmp_path, "drop table ducklake_snapshot")
    with pytest.raises(LakeUnavailable, match=r"catalogue .*catalogue\.sqlite cannot be opened"):
        Lake.create_or_open(tmp_path)


def test_somebody_elses_catalogue_is_refused(lake):
    lake.connection.execute("drop table lake_format")
    with pytest.raises(LakeUnavailable, match="not Busway's"):
        Lake.create_or_open(lake.directory)
