"""Questions in SQL and the answers to mistaken ones."""

from __future__ import annotations

import pytest

from facility.errors import LakeUnavailable, QueryError
from warehouse.lake import Lake
from warehouse.query import run_sql


def test_parameters_are_bound_by_name_and_by_position(lake):
    assert run_sql(lake, "select $a + 1 as b", {"a": 4}).to_pylist() == [{"b": 5}]
    assert run_sql(lake, "select ? || 'y' as b", ["x'"]).to_pylist() == [{"b": "x'y"}]


def test_times_are_utc(lake):
    table = run_sql(lake, "select timestamptz '2026-07-01 00:00:00+09' as ts")
    assert str(table.schema.field("ts").type) == "timestamp[us, tz=UTC]"
    assert table["ts"][0].as_py().isoformat() == "2026-06-30T15:00:00+00:00"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("select *\nfrom redings", r'(?s)Did you mean "readings"\?.*LINE 2: from redings\n +\^'),
        ("select devise from readings", r'(?s)Candidate bindings: "device".*LINE 1.*\n +\^'),
        ("select 1 +", "syntax error at end of input"),
        ("select $a", "parameters: a"),
        ("select 'x'::integer", "Could not convert string 'x' to INT32"),
    ],
)
def test_a_mistake_is_shown_where_it_is(lake, text, shown):
    with pytest.raises(QueryError, match=shown):
        run_sql(lake, text)


def test_a_reader_cannot_write(lake):
    with (
        Lake.open_read_only(lake.directory) as reader,
        pytest.raises(QueryError, match="read-only mode"),
    ):
        run_sql(reader, "delete from readings")


def test_a_missing_data_file_is_the_lakes_fault(lake):
    run_sql(lake, "insert into feeds select 'a', 'b', now(), null from range(2000)")
    [file] = lake.table_directory("feeds").iterdir()
    file.unlink()
    with pytest.raises(LakeUnavailable, match=file.name):
        run_sql(lake, "from feeds")
