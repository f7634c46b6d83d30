"""Exactly once, whatever the step at which a sink dies, and whoever it left behind."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from sink_feed import crash_log, make_sink, one_log, run_to_end

from facility.errors import LakeUnavailable
from warehouse import transaction
from warehouse.lake import Lake
from warehouse.query import run_sql
from warehouse.sink import ENGINE
from warehouse.sweep import sink_present

CHILD = Path(__file__).parent / "sink_child.py"
OCCASION = 2
ROWS_A_COMMIT = 200
STEPS = {
    # step: (rows in the lake, files that nobody registered, half-written files)
    "half_written": (ROWS_A_COMMIT, 0, 1),
    "written": (ROWS_A_COMMIT, 0, 1),
    "renamed": (ROWS_A_COMMIT, 1, 0),
    "before_commit": (ROWS_A_COMMIT, 1, 0),
    "in_transaction": (ROWS_A_COMMIT, 1, 0),
    "after_commit": (2 * ROWS_A_COMMIT, 0, 0),
}


def files_of(lake) -> tuple[int, int, int]:
    """Registered files, finished files that are not, and half-written ones."""
    registered = run_sql(lake, "from ducklake_list_files('lake', 'readings')").num_rows
    names = [file.name for file in lake.table_directory("readings").iterdir()]
    temporary = sum(name.endswith(".tmp") for name in names)
    return registered, len(names) - temporary - registered, temporary


@pytest.mark.parametrize("step", STEPS)
def test_a_sink_killed_at_any_step_loses_nothing_and_doubles_nothing(empty_lake, tmp_path, step):
    directory = tmp_path / "lake"
    subprocess.run(["cp", "-r", empty_lake, directory], check=True)
    died = subprocess.run(
        [sys.executable, CHILD, directory, step, str(OCCASION)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    rows, not_registered, half_written = STEPS[step]
    with Lake.create_or_open(directory, settings=ENGINE) as lake:
        assert run_sql(lake, "from readings").num_rows == rows
        assert files_of(lake)[1:] == (not_registered, half_written)
        feed = one_log(crash_log())
        run_to_end(make_sink(lake, feed), feed)
        assert files_of(lake)[1:] == (0, 0)
        stored = run_sql(lake, "select value from readings order by value")["value"].to_pylist()
        assert stored == [seq * 1000.0 + row for seq in range(1, 17) for row in range(50)]
        [progress] = run_sql(lake, "from collector_progress").to_pylist()
        assert (progress["last_seq"], progress["missing"]) == (16, 0)


def test_nothing_is_swept_while_another_sink_lives(lake):
    """A paused sink may be about to register what looks forgotten."""
    with sink_present(lake):
        forgotten = lake.table_directory("readings") / f"20261124T000000Z-{'0' * 32}.parquet"
        forgotten.write_bytes(b"PAR1")
        with sink_present(lake):
            assert forgotten.exists()
    with sink_present(lake):
        assert not forgotten.exists()


def test_only_files_of_ours_are_swept(lake):
    with sink_present(lake):
        theirs = lake.table_directory("readings") / "ducklake-0192.parquet"
        theirs.write_bytes(b"PAR1")
    with sink_present(lake):
        assert theirs.exists()


def test_a_data_directory_that_cannot_be_made_is_named(lake):
    shutil.rmtree(lake.table_directory("polls"))
    lake.table_directory("polls").write_text("a file in the way")
    with pytest.raises(LakeUnavailable, match="data/main/polls"), sink_present(lake):
        pass


@contextmanager
def locked_elsewhere(lake, seconds: float) -> Iterator[None]:
    """Another process holds the catalogue's write lock."""
    script = (
        "import sqlite3, sys, time; held = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "held.execute('begin immediate'); print('held', flush=True); time.sleep(float(sys.argv[2]))"
    )
    command = [sys.executable, "-c", script, str(lake.directory / "catalogue.sqlite"), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            yield
        finally:
            holder.kill()


def test_a_writer_waits_for_a_lock_that_another_process_holds(lake):
    feed = one_log(crash_log()[:4])
    started = time.monotonic()
    with locked_elsewhere(lake, seconds=1.0):
        run_to_end(make_sink(lake, feed), feed)
    assert time.monotonic() - started > 0.9
    assert run_sql(lake, "from readings").num_rows == 200


def test_a_lock_held_for_too_long_is_named(lake, monkeypatch):
    monkeypatch.setattr(transaction, "DEADLINE_S", 0.2)
    write = partial(lake.connection.execute, "insert into feeds values ('a', 'b', now(), null)")
    with (
        locked_elsewhere(lake, seconds=60),
        pytest.raises(LakeUnavailable, match=r"(?s)held by other writers.*database is locked"),
    ):
        transaction.in_transaction(lake.connection, write)
