from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from warehouse.attachment import ALIAS
from warehouse.connection import attach, open_database
from warehouse.lake import Lake
from warehouse.location import LakeLocation
from warehouse.sink import ENGINE


@pytest.fixture(scope="session")
def empty_lake(tmp_path_factory) -> Path:
    """A lake to copy: making one takes longer than attaching it."""
    directory = tmp_path_factory.mktemp("empty") / "lake"
    Lake.create_or_open(directory, settings=ENGINE).close()
    return directory


@pytest.fixture(scope="session")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    """One DuckDB for all: loading its extensions takes a quarter of a second."""
    opened = open_database(ENGINE)
    yield opened
    opened.close()


@pytest.fixture
def lake(empty_lake, database, tmp_path) -> Iterator[Lake]:
    """An empty lake of the test's own, as `Lake.create_or_open` gives it."""
    directory = tmp_path / "lake"
    shutil.copytree(empty_lake, directory)
    cursor = database.cursor()
    location = LakeLocation.of_directory(directory)
    connection = attach(cursor, location, read_only=False)
    with Lake(location, connection) as opened:
        yield opened
    database.execute(f"detach {ALIAS}")
