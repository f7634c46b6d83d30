"""Sorted files become one sorted stream with the same rows."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from maintenance_rig import LAYOUT

from facility.reading import READINGS
from warehouse.maintenance import compacted_file, merge
from warehouse.maintenance.compacted_file import write_pieces
from warehouse.sorting import sort_rows

COLUMNS = READINGS.names
FIELD_IDS = {name: n for n, name in enumerate(COLUMNS, 1)}


def random_rows(rng: np.random.Generator, rows: int) -> pa.RecordBatch:
    def names(prefix: str, count: int) -> pa.DictionaryArray:
        chosen = rng.integers(0, count, rows).astype(np.int32)
        return pa.DictionaryArray.from_arrays(
            pa.array(chosen), [f"{prefix}{n}" for n in range(count)]
        )

    columns = [
        pa.array(rng.integers(0, 500, rows)).cast(READINGS.field("ts").type),
        names("device-", 20),
        names("outlet.", 3),
        names("quantity_", 4),
        pa.array(rng.random(rows), mask=rng.random(rows) < 0.1),
        pa.array(rng.integers(0, 5, rows).astype(np.uint8)),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=READINGS)


def as_file(table: pa.Table, group_rows: int) -> io.BytesIO:
    file = io.BytesIO()
    pq.write_table(table, file, row_group_size=group_rows, store_schema=False)
    return file


def rows_of(table: pa.Table) -> list[tuple[object, ...]]:
    columns = [
        table[name].cast(pa.string()) if name in LAYOUT.keys else table[name] for name in COLUMNS
    ]
    return list(zip(*(column.to_pylist() for column in columns), strict=True))


def key(row: tuple[object, ...]) -> tuple[object, ...]:
    at, device, component, quantity, *_ = row
    return (quantity, device, component, at)


@pytest.mark.parametrize("seed", range(8))
def test_every_row_comes_once_and_in_order(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    monkeypatch.setattr(merge, "PIECE_ROWS", int(rng.integers(1, 400)))
    tables = [
        sort_rows([random_rows(rng, int(rng.integers(1, 600)))], LAYOUT)
        for _ in range(int(rng.integers(1, 9)))
    ]
    files = [as_file(table, int(rng.integers(1, 200))) for table in tables]
    merged = [row for piece in merge.merge(files, LAYOUT, COLUMNS) for row in rows_of(piece)]
    assert [key(row) for row in merged] == sorted(key(row) for row in merged)
    assert sorted(merged, key=repr) == sorted(
        (row for table in tables for row in rows_of(table)), key=repr
    )


def test_a_file_that_another_tool_wrote_unsorted_is_merged_too():
    rng = np.random.default_rng(1)
    unsorted = pa.Table.from_batches([random_rows(rng, 300)])
    whole = sort_rows([random_rows(rng, 300)], LAYOUT)
    files = [as_file(unsorted, 300), as_file(whole, 50)]
    merged = [row for piece in merge.merge(files, LAYOUT, COLUMNS) for row in rows_of(piece)]
    assert len(merged) == 600
    assert [key(row) for row in merged] == sorted(key(row) for row in merged)


def test_row_groups_let_a_question_skip_other_quantities(monkeypatch):
    monkeypatch.setattr(compacted_file, "ROW_GROUP_ROWS", 100)
    rows = random_rows(np.random.default_rng(3), 100)
    batches = [
        rows.set_column(3, rows.schema.field(3), pa.array([name] * 100).dictionary_encode())
        for name in ("current_a", "voltage_v")
    ]
    out = io.BytesIO()
    metadata = write_pieces(iter([sort_rows(batches, LAYOUT)]), out, LAYOUT, FIELD_IDS)
    found = [metadata.row_group(n).column(3).statistics for n in range(metadata.num_row_groups)]
    assert [(group.min, group.max) for group in found] == [
        ("current_a", "current_a"),
        ("voltage_v", "voltage_v"),
    ]


def test_each_row_group_has_only_the_names_it_uses(monkeypatch):
    monkeypatch.setattr(compacted_file, "ROW_GROUP_ROWS", 100)
    table = sort_rows([random_rows(np.random.default_rng(2), 350)], LAYOUT)
    out = io.BytesIO()
    write_pieces(iter([table.slice(0, 30), table.slice(30)]), out, LAYOUT, FIELD_IDS)
    reader = pq.ParquetFile(out, read_dictionary=["quantity"])
    assert [reader.metadata.row_group(n).num_rows for n in range(4)] == [100, 100, 100, 50]
    assert rows_of(reader.read()) == rows_of(table)
    for n in range(4):
        column = reader.read_row_group(n)["quantity"].chunk(0)
        assert set(column.dictionary.to_pylist()) == set(column.to_pylist())
