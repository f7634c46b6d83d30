"""A lake whose files lie in an object store: filled, read, refused, failing, swept."""

from __future__ import annotations

import shutil
import time
import uuid
from datetime import timedelta

import pytest
from object_store import BUCKET, ObjectStore
from sink_feed import make_sink, message, one_log, run_to_end, run_until

from facility.errors import ConfigError, LakeUnavailable
from facility.secret import Secret
from facility.site import Bucket
from facility.site import Lake as LakeSettings
from warehouse import bucket_storage
from warehouse.lake import Lake
from warehouse.location import LakeLocation
from warehouse.maintenance import expiry
from warehouse.maintenance.compaction import compact
from warehouse.maintenance.expiry import expire
from warehouse.maintenance.orphans import remove_orphans
from warehouse.maintenance.verification import verify
from warehouse.query import run_sql
from warehouse.sink import ENGINE
from warehouse.sweep import sink_present


@pytest.fixture(scope="module")
def store():
    made = ObjectStore()
    yield made
    made.close()


@pytest.fixture
def bucket(store, tmp_path):
    """Settings of a place of the test's own in the store."""

    def make(**changes) -> Bucket:
        keys = {"access_key": store.access_key, "secret_key": store.secret_key}
        for name in keys.keys() & changes.keys():
            keys[name] = changes.pop(name)
        given = {}
        for name, text in keys.items():
            (tmp_path / name).write_text(text)
            given[name] = Secret(file=tmp_path / name)
        url = f"s3://{BUCKET}/{uuid.uuid4().hex[:8]}/lake"
        return Bucket.model_validate({"url": url, "endpoint": store.endpoint} | given | changes)

    return make


@pytest.fixture
def at(empty_lake, tmp_path):
    """Gives the location of an empty lake with these bucket settings."""

    def make(bucket: Bucket) -> LakeLocation:
        directory = tmp_path / "lake"
        shutil.copytree(empty_lake, directory)
        return LakeLocation.of(LakeSettings(directory=directory, bucket=bucket))

    return make


@pytest.fixture
def lake(at, bucket):
    with Lake.create_or_open(at(bucket()), settings=ENGINE) as opened:
        yield opened


def values(lake) -> list[float]:
    return run_sql(lake, "select value from readings order by value")["value"].to_pylist()


def values_of(seqs) -> list[float]:
    return [seq * 1000.0 + row for seq in seqs for row in range(50)]


def test_a_sink_writes_to_the_bucket_and_sql_reads_from_it(lake):
    feed = one_log([message(seq) for seq in range(1, 9)])
    run_to_end(make_sink(lake, feed, flush_rows=200), feed)
    with Lake.open_read_only(lake.location) as reader:
        assert values(reader) == values_of(range(1, 9))
        files = run_sql(reader, "select data_file from ducklake_list_files('lake', 'readings')")
    stored = lake.storage.files("readings")
    assert sorted(files["data_file"].to_pylist()) == sorted(file.path for file in stored)
    assert all(file.path.startswith(f"s3://{BUCKET}/") for file in stored)
    assert list(lake.directory.rglob("*.parquet")) == []


def test_a_catalogue_in_postgresql_and_files_in_a_bucket(postgres_lake, bucket):
    location = postgres_lake(bucket=bucket())
    with Lake.create_or_open(location, settings=ENGINE) as lake:
        feed = one_log([message(seq) for seq in range(1, 5)])
        run_to_end(make_sink(lake, feed), feed)
        assert values(lake) == values_of(range(1, 5))
        assert lake.storage.files("readings")
    assert not location.directory.exists(), "nothing of it is on this machine"


@pytest.mark.parametrize("outage", ["answers_500", "refuses_to_write", "is_down"])
def test_a_store_that_fails_for_a_while_costs_nothing(lake, store, outage):
    feed = one_log([message(seq) for seq in range(1, 17)])
    feed.a_poll = 1
    sink = make_sink(lake, feed, flush_rows=100)
    began: list[float] = []

    def is_done() -> bool:
        committed = sink.health()["committed"]
        last = committed[0]["last_seq"] if committed else 0
        if last >= 4 and not began:
            began.append(time.monotonic())
            fail(store, outage)
        if began and sink.health()["trouble"] and time.monotonic() - began[0] > 1:
            mend(store, outage)
        return last == 16

    try:
        run_until(sink, is_done)
    finally:
        store.failing = None
    assert values(lake) == values_of(range(1, 17))
    assert sink.health()["trouble"] == ""
    registered = run_sql(lake, "from ducklake_list_files('lake', 'readings')").num_rows
    assert len(lake.storage.files("readings")) == registered


def fail(store: ObjectStore, outage: str) -> None:
    if outage == "is_down":
        store.stop()
    store.failing = {"answers_500": 500, "refuses_to_write": 403, "is_down": 503}[outage]


def mend(store: ObjectStore, outage: str) -> None:
    if outage == "is_down" and store.failing:
        store.start()
    store.failing = None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"access_key": "AKIANOBODY"}, "check lake.bucket.access_key"),
        ({"secret_key": "guessed"}, "check lake.bucket.secret_key"),
        ({"url": "s3://nowhere/lake"}, "make the bucket, or mend lake.bucket.url"),
        ({"endpoint": "http://127.0.0.1:1"}, "check lake.bucket.endpoint"),
    ],
    ids=["access_key", "secret_key", "bucket", "endpoint"],
)
def test_what_the_store_refuses_is_named_at_the_start(at, bucket, changes, said):
    with Lake.create_or_open(at(bucket(**changes)), settings=ENGINE) as lake:
        sink = make_sink(lake, one_log([message(1)]))
        with pytest.raises(LakeUnavailable, match=said) as refused:
            run_until(sink, lambda: False)
        assert "guessed" not in str(refused.value)


def test_a_secret_that_is_not_there_is_named(at, bucket, monkeypatch):
    settings = bucket().model_copy(update={"access_key": Secret(env="NOT_SET")})
    with pytest.raises(ConfigError, match="environment variable NOT_SET is not set"):
        Lake.create_or_open(at(settings), settings=ENGINE)


def put(lake, name: str) -> str:
    return lake.storage.put("readings", name, lambda file: file.write(b"PAR1")).path


def test_only_what_is_too_old_to_be_registered_is_swept(lake, monkeypatch):
    forgotten = put(lake, f"20261124T000000Z-{'0' * 32}.parquet")
    theirs = put(lake, "ducklake-0192.parquet")
    with sink_present(lake):
        assert lake.storage.exists(forgotten), "its sink may be slow"
    monkeypatch.setattr(bucket_storage, "FORGOTTEN_AFTER", timedelta(seconds=-2))
    with sink_present(lake):
        assert not lake.storage.exists(forgotten)
        assert lake.storage.exists(theirs)


def test_maintenance_merges_lets_go_and_verifies_there_too(lake, monkeypatch):
    monkeypatch.setattr(expiry, "READER_GRACE", timedelta(0))
    feed = one_log([message(seq) for seq in range(1, 9)])
    run_to_end(make_sink(lake, feed, flush_rows=100), feed)
    assert compact(lake).files_out == 1
    for _ in range(2):  # forgotten, then removed
        expire(lake, timedelta(0))
    assert verify(lake).trouble == ""
    assert remove_orphans(lake).trouble == ""
    [only] = lake.storage.files("readings")
    assert only.name.startswith("compacted-")
    assert values(lake) == values_of(range(1, 9))
    lake.storage.delete(only.path)
    assert f"readings/{only.name} is missing" in verify(lake).trouble
