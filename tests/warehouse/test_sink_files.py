"""The rows' order, and how a file comes to be."""

from __future__ import annotations

import errno
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sink_feed import POLL_TOPIC, READING_TOPIC, polls, readings

from facility.errors import LakeUnavailable
from facility.reading import READINGS
from warehouse import name_order, parquet_files
from warehouse.directory_storage import DirectoryStorage
from warehouse.layout import LAYOUTS
from warehouse.parquet_files import write_file
from warehouse.sorting import Sorter, sort_rows

LAYOUT = LAYOUTS[READING_TOPIC]


@pytest.fixture
def storage(tmp_path):
    made = DirectoryStorage(tmp_path)
    made.prepare(["readings"])
    return made


def by_hand(batches):
    rows = [row for batch in batches for row in batch.to_pylist()]
    return sorted(rows, key=lambda r: (r["quantity"], r["device"], r["component"], r["ts"]))


@pytest.mark.parametrize("seqs", [(1, 2, 3), (3, 1, 2)], ids=["in_time", "out_of_time"])
def test_rows_are_sorted_by_series_then_time(seqs):
    batches = [readings(seq, quantity=q) for seq in seqs for q in ("voltage_v", "current_a")]
    assert sort_rows(batches, LAYOUT).to_pylist() == by_hand(batches)


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.integers(0, 2**50)), min_size=1
    )
)
def test_any_rows_are_sorted(rows):
    """Times from microseconds to decades apart; rows of one time keep their order."""
    devices, components, times = zip(*rows, strict=True)
    columns = [
        pa.array(times, pa.int64()).cast(pa.timestamp("us", "UTC")),
        pa.array(devices, pa.string()).dictionary_encode(),
        pa.array(components, pa.string()).dictionary_encode(),
        pa.array(["voltage_v"] * len(rows), pa.string()).dictionary_encode(),
        pa.array(range(len(rows)), pa.float64()),
        pa.array([0] * len(rows), pa.uint8()),
    ]
    batch = pa.RecordBatch.from_arrays(columns, schema=READINGS)
    assert sort_rows([batch], LAYOUT).to_pylist() == by_hand([batch])


def test_dictionaries_of_different_collectors_are_united():
    one = readings(1).slice(0, 2)
    names = pa.array(["z", "a"]).dictionary_encode()
    other = one.set_column(1, one.schema.field(1), names)
    assert sort_rows([one, other], LAYOUT).to_pylist() == by_hand([one, other])


def test_polls_are_sorted_by_device_then_time():
    table = sort_rows([polls(2), polls(1)], LAYOUTS[POLL_TOPIC])
    assert table["device"].to_pylist() == ["rack-0/pdu-a"] * 2 + ["rack-1/pdu-a"] * 2
    assert table["scheduled_at"].to_pylist() == sorted(table["scheduled_at"].to_pylist()[:2]) * 2
    assert table["error"].to_pylist() == ["timeout: no answer in 3 s"] * 2 + [None] * 2


def test_a_file_is_sorted_compressed_and_has_statistics(storage):
    rows = 3000
    batches = [readings(s, rows, quantity=q) for s in (1, 2) for q in ("voltage_v", "current_a")]
    file = write_file(sort_rows(batches, LAYOUT), LAYOUT, storage)
    [stored] = storage.files("readings")
    assert (file.path, file.rows, file.bytes) == (stored.path, 4 * rows, stored.bytes)
    assert pq.read_table(file.path).to_pylist() == by_hand(batches)
    group = pq.read_metadata(file.path).row_group(0)
    columns = {group.column(i).path_in_schema: group.column(i) for i in range(6)}
    assert {column.compression for column in columns.values()} == {"ZSTD"}
    unbounded = {name for name, column in columns.items() if not column.is_stats_set}
    assert unbounded == {"component"}
    for name in ("device", "component", "quantity", "quality"):
        assert "RLE_DICTIONARY" in columns[name].encodings
    assert set(columns["ts"].encodings) == {"PLAIN", "RLE"}
    assert set(columns["value"].encodings) == {"PLAIN", "RLE"}


def test_a_fresh_file_stores_each_name_once(storage):
    batches = [readings(1, 150_000, quantity=q) for q in ("current_a", "voltage_v")]
    file = write_file(sort_rows(batches, LAYOUT), LAYOUT, storage)
    assert pq.read_metadata(file.path).num_row_groups == 1


def test_names_that_come_again_and_new_ones_among_them_are_in_order():
    sorter = Sorter(LAYOUT)
    flushes = [
        [readings(1, 40, quantity="voltage_v")],
        [readings(2, 40, quantity="voltage_v"), readings(2, 70, quantity="active_power_w")],
        [readings(3, 40, quantity="voltage_v"), readings(3, 20, quantity="current_a")],
    ]
    for batches in flushes:
        assert sorter.sort(batches).to_pylist() == by_hand(batches)


def test_a_sorter_forgets_names_before_they_fill_the_memory(monkeypatch):
    monkeypatch.setattr(name_order, "MOST_NAMES", 50)
    monkeypatch.setattr(name_order, "MOST_DICTIONARIES", 3)
    sorter = Sorter(LAYOUT)
    for seq in range(1, 12):
        batches = [readings(seq, 30 + seq, quantity=f"quantity_{seq % 5}")]
        table = sorter.sort(batches)
        assert table.to_pylist() == by_hand(batches)
        assert len(table["device"].chunk(0).dictionary) == len(set(table["device"].to_pylist()))


def test_types_need_no_arrow_metadata(storage):
    """What a reader without Arrow sees: UTC microseconds, text, doubles, small integers."""
    file = write_file(sort_rows([readings(1)], LAYOUT), LAYOUT, storage)
    schema = pq.read_schema(file.path)
    assert schema.metadata is None
    expected = [field.type for field in READINGS]
    expected[1:4] = [pa.string()] * 3
    assert schema.types == expected


def test_nulls_stay_nulls(storage):
    batch = readings(1, 3)
    batch = batch.set_column(4, batch.schema.field(4), pa.array([1.5, None, None], pa.float64()))
    file = write_file(sort_rows([batch], LAYOUT), LAYOUT, storage)
    values = pq.read_table(file.path)["value"]
    assert values.null_count == 2
    assert not np.isnan(values.drop_null().to_numpy()).any()


def test_a_full_disk_is_named_and_leaves_nothing(storage, monkeypatch):
    def no_space(table, file, **_):
        file.write(b"PAR1")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(parquet_files.pq, "write_table", no_space)
    with pytest.raises(LakeUnavailable, match="cannot be written: No space left on device"):
        write_file(sort_rows([readings(1)], LAYOUT), LAYOUT, storage)
    assert storage.files("readings") == []


def test_duckdb_alone_reads_the_files(storage):
    """No code of ours, no catalogue: a process with DuckDB and the files."""
    batches = [readings(seq) for seq in (1, 2)]
    write_file(sort_rows(batches, LAYOUT), LAYOUT, storage)
    query = (
        "select count(*), sum(value), count(distinct device), min(ts)::varchar "
        f"from read_parquet('{storage.root}/main/readings/*.parquet')"
    )
    script = (
        "import duckdb; duckdb.sql(\"set timezone = 'UTC'\");"
        f"print(duckdb.sql({query!r}).fetchone())"
    )
    ran = subprocess.run(
        [sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True
    )
    total = sum(value for batch in batches for value in batch["value"].to_pylist())
    assert ran.stdout.strip() == f"(100, {total}, 5, '2026-09-21 14:13:21+00')"
