from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
from certificates import Authority
from postgres_cluster import PASSWORD, USER, PostgresCluster, PostgresMissing

from facility.secret import Secret
from facility.site import Catalogue
from facility.site import Lake as LakeSettings
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


@pytest.fixture(scope="session")
def authority(tmp_path_factory) -> Authority:
    """Vouches for the PostgreSQL server."""
    return Authority(tmp_path_factory.mktemp("authority"), "plant")


@pytest.fixture(scope="session")
def postgres(authority) -> Iterator[PostgresCluster]:
    """A PostgreSQL server; where it cannot be had, its tests are skipped, and fail in CI."""
    try:
        cluster = PostgresCluster()
    except PostgresMissing as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    try:
        certificate, key = authority.issue("postgres", host="127.0.0.1")
        cluster.start(
            ssl="on",
            ssl_cert_file=str(cluster.place("server.crt", certificate.read_bytes())),
            ssl_key_file=str(cluster.place("server.key", key.read_bytes())),
        )
        yield cluster
    finally:
        cluster.remove()


NUMBERS = itertools.count()


def postgres_settings(
    postgres, directory, *, template="template0", port=None, bucket=None, **changes
):
    """A lake's settings, with a database of its own."""
    name = f"lake_{next(NUMBERS)}"
    postgres.create_database(name, template)
    url = f"postgresql://{USER}@127.0.0.1:{port or postgres.port}/{name}"
    password = directory.parent / "password"
    password.write_text(PASSWORD)
    catalogue = {"url": url, "password": Secret(file=password)} | changes
    return LakeSettings(
        directory=directory, catalogue=Catalogue.model_validate(catalogue), bucket=bucket
    )


@pytest.fixture(scope="session")
def postgres_template(postgres, tmp_path_factory) -> str:
    """A database with an empty lake to copy: making one takes a second and more."""
    settings = postgres_settings(postgres, tmp_path_factory.mktemp("postgres") / "lake")
    Lake.create_or_open(LakeLocation.of(settings), settings=ENGINE).close()
    assert settings.catalogue is not None
    return settings.catalogue.url.database


@pytest.fixture
def postgres_lake(postgres, postgres_template, tmp_path) -> Callable[..., LakeLocation]:
    """Gives the location of an empty lake, files in the test's directory."""

    def make(**changes) -> LakeLocation:
        directory = tmp_path / "lake"
        return LakeLocation.of(
            postgres_settings(postgres, directory, template=postgres_template, **changes)
        )

    return make


@pytest.fixture
def no_lake(postgres, tmp_path) -> LakeLocation:
    """Where there is an empty database and no lake yet."""
    return LakeLocation.of(postgres_settings(postgres, tmp_path / "lake"))
