"""A maintainer killed at any moment loses nothing and doubles nothing, beside sinks at work."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from maintenance_rig import all_readings, fill, reading_files

from warehouse.connection import connect
from warehouse.lake import Lake
from warehouse.location import LakeLocation
from warehouse.maintenance.compaction import compact
from warehouse.sink import ENGINE

CHILD = Path(__file__).parent / "maintenance_child.py"
STEPS = {
    # step: (files in the catalogue, files that nobody registered, half-written files)
    "half_written": (6, 0, 1),
    "renamed": (6, 1, 0),
    "in_transaction": (6, 1, 0),
    "after_commit": (1, 0, 0),
}
KILLS = 3
FILES_A_KILL = 5


def opened(directory: Path) -> Lake:
    """The lake, which is there."""
    location = LakeLocation.of_directory(directory)
    return Lake(location, connect(location, read_only=False, settings=ENGINE))


def start(directory: Path, step: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, CHILD, directory, step], stdout=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_a_step(empty_lake, tmp_path, step):
    directory = tmp_path / "lake"
    shutil.copytree(empty_lake, directory)
    with opened(directory) as lake:
        fill(lake, 6)
        before = all_readings(lake)
    with start(directory, step) as child:
        assert child.wait(60) == -signal.SIGKILL
    with opened(directory) as lake:
        names = [file.name for file in lake.table_directory("readings").iterdir()]
        known, unknown, half = STEPS[step]
        assert len(reading_files(lake)) == known
        assert sum(name.endswith(".tmp") for name in names) == half
        assert sum(name.startswith("compacted-") for name in names) - half == (
            unknown if known > 1 else 1
        )
        assert all_readings(lake) == before
        compact(lake)
        assert all_readings(lake) == before


def test_killed_at_random_moments_while_files_come(empty_lake, tmp_path):
    directory = tmp_path / "lake"
    shutil.copytree(empty_lake, directory)
    rng = random.Random(4)
    with opened(directory) as lake:
        for kill in range(KILLS):
            with start(directory, "never") as child:
                assert child.stdout is not None
                assert child.stdout.readline() == "works\n"
                fill(lake, FILES_A_KILL, first=1 + kill * FILES_A_KILL)
                time.sleep(rng.uniform(0, 0.3))
                child.kill()
                child.wait(60)
        stored = [row[4] for row in all_readings(lake)]
        files = KILLS * FILES_A_KILL
        expected = [seq * 1000.0 + row for seq in range(1, files + 1) for row in range(40)]
        assert sorted(stored) == expected
        assert len(reading_files(lake)) < files
