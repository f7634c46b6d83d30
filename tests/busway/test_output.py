from __future__ import annotations

import json
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from busway.format import Format
from busway.output import as_text, write_table

TABLE = pa.table({"name": ["a", None], "value": [1.5, 2.25]})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (True, "yes"),
        (1234567, "1,234,567"),
        (0.123456789, "0.123457"),
        (12345678.91, "12,345,678.9"),
        (datetime(2026, 11, 24, 6, 0, tzinfo=UTC), "2026-11-24 06:00:00+00:00"),
        ([1, None], "1, -"),
    ],
)
def test_a_cell_is_short_and_says_what_is_absent(value: object, text: str) -> None:
    assert as_text(value) == text


def test_json_is_one_object_a_line(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    write_table(TABLE, Format.JSON)
    rows = [json.loads(line) for line in capsysbinary.readouterr().out.splitlines()]
    assert rows == TABLE.to_pylist()


def test_csv_parquet_and_arrow_come_back_as_the_same_table(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    readers = {
        Format.CSV: pyarrow.csv.read_csv,
        Format.PARQUET: pyarrow.parquet.read_table,
        Format.ARROW: lambda source: pa.ipc.open_stream(source).read_all(),
    }
    for output_format, read in readers.items():
        write_table(TABLE, output_format)
        answer = read(pa.BufferReader(capsysbinary.readouterr().out))
        assert answer["value"].to_pylist() == TABLE["value"].to_pylist()


def test_csv_writes_a_list_as_one_text(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    lists = pa.array([["a", "b"], [], None], pa.list_(pa.string()))
    write_table(pa.table({"lists": lists, "n": [1, 2, 3]}), Format.CSV)
    assert capsysbinary.readouterr().out.splitlines()[1:] == [b'"a, b",1', b'"",2', b",3"]


def test_one_long_row_is_printed_a_line_a_column(capsys: pytest.CaptureFixture[str]) -> None:
    write_table(pa.table({f"column_{i}": [i] for i in range(12)}), Format.TABLE)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [[f"column_{i}", str(i)] for i in range(12)]


def test_several_rows_stay_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    write_table(TABLE, Format.TABLE)
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["name", "value"],
        ["a", "1.5"],
        ["-", "2.25"],
    ]
