"""Lakes with many small files, for the maintenance tests."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pyarrow as pa
from sink_feed import READING_TOPIC, readings

from warehouse.lake import Lake
from warehouse.layout import LAYOUTS
from warehouse.maintenance.catalogue import files_of, table_of
from warehouse.maintenance.plan import LakeFile
from warehouse.parquet_files import write_file
from warehouse.query import run_sql
from warehouse.sorting import sort_rows
from warehouse.transaction import in_transaction

LAYOUT = LAYOUTS[READING_TOPIC]
QUANTITIES = ("active_power_w", "energy_imported_wh", "voltage_v")


def store(lake: Lake, batches: Sequence[pa.RecordBatch], topic: str = READING_TOPIC) -> str:
    """Bring batches into the lake as one file, as a sink does; give its path."""
    layout = LAYOUTS[topic]
    lake.storage.prepare([layout.table])
    file = write_file(sort_rows(batches, layout), layout, lake.storage)
    add = "call ducklake_add_data_files('lake', ?, ?)"
    in_transaction(lake.connection, lambda: lake.connection.execute(add, [layout.table, file.path]))
    return file.path


def fill(lake: Lake, files: int, *, first: int = 1, rows: int = 40) -> None:
    """Store small files; the value of each reading tells it apart."""
    for seq in range(first, first + files):
        quantity = random.Random(seq).choice(QUANTITIES)
        store(lake, [readings(seq, rows, quantity=quantity)])


def reading_files(lake: Lake) -> list[LakeFile]:
    table = table_of(lake.connection, "readings")
    assert table is not None
    return files_of(lake.connection, table, "ts")


def all_readings(lake: Lake, clause: str = "") -> list[tuple[object, ...]]:
    """Every reading, in an order of its own."""
    query = f"select * from readings {clause} order by all"
    return [tuple(row.values()) for row in run_sql(lake, query).to_pylist()]
