from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from warehouse.lake import Lake
from warehouse.sink import ENGINE


@pytest.fixture(scope="session")
def empty_lake(tmp_path_factory) -> Path:
    """A lake to copy: making one takes longer than opening it."""
    directory = tmp_path_factory.mktemp("empty") / "lake"
    Lake.create_or_open(directory, settings=ENGINE).close()
    return directory


@pytest.fixture
def lake(empty_lake, tmp_path) -> Iterator[Lake]:
    shutil.copytree(empty_lake, tmp_path / "lake")
    with Lake.create_or_open(tmp_path / "lake", settings=ENGINE) as opened:
        yield opened
