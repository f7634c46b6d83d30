"""The SQL files: what each must hold, and the order they are created in."""

from __future__ import annotations

import pytest

from facility.errors import ConfigError
from warehouse import sql_install
from warehouse.lake import Lake
from warehouse.query import views
from warehouse.sql_catalogue import in_order, load_definitions, parse_definition


def view(layer, name, body="select 1 as one", comment="One row: a thing."):
    return parse_definition(layer, name, f"-- {comment}\ncreate or replace view {name} as\n{body}")


def test_a_file_says_what_it_is():
    macro = parse_definition(
        "3_kpi",
        "pue",
        "-- One row: a window.\n-- Unit: 1.\ncreate or replace macro pue(start_at) as table\n"
        "select * from energy join meters using (meter) -- from nowhere\nwhere x = 'from here'",
    )
    assert macro.kind == "macro table"
    assert macro.comment == "One row: a window.\nUnit: 1."
    assert macro.reads == {"energy", "meters", "using"}


def test_a_scalar_macro_is_a_macro():
    text = "-- Watts to megawatts.\ncreate or replace macro mw(w) as w / 1e6"
    assert parse_definition("1_staging", "mw", text).kind == "macro"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("create or replace view a as select 1", "a.sql:1: must open with a -- comment"),
        ("-- A.\ncreate or replace view b as select 1", "found view b"),
        ("-- A.\nselect 1", "found nothing"),
        (
            "-- A.\ncreate or replace view a as select 1;\ncreate or replace view c as select 2",
            "found view a, view c",
        ),
        ("-- A.\ncreate or replace macro a(x := null::int) as x", "default cannot be null"),
    ],
)
def test_a_wrong_file_is_named(text, complaint):
    with pytest.raises(ConfigError, match=complaint):
        parse_definition("1_staging", "a", text)


def test_order_is_by_layer_then_dependency():
    files = [
        view("3_kpi", "a", "select * from b join c using (one)"),
        view("2_energy", "b", "from z"),
        view("2_energy", "z"),
        view("2_energy", "c"),
    ]
    order = [d.name for d in in_order(files)]
    assert order == [d.name for d in in_order(reversed(files))]
    assert order.index("z") < order.index("b")
    assert order[-1] == "a"


def test_a_file_that_reads_a_higher_layer_is_refused():
    with pytest.raises(
        ConfigError, match=r"1_staging/a\.sql: reads b of the higher layer 2_energy"
    ):
        in_order([view("1_staging", "a", "select * from b"), view("2_energy", "b")])


def test_a_circle_is_refused():
    with pytest.raises(ConfigError, match="a circle"):
        in_order([view("1_staging", "a", "from b"), view("1_staging", "b", "from a")])


def test_two_files_of_one_name_are_refused():
    with pytest.raises(ConfigError, match=r"2_energy/a\.sql: .*1_staging/a\.sql has the same name"):
        in_order([view("1_staging", "a"), view("2_energy", "a")])


def install(lake, *definitions):
    with lake.connection.transaction():
        return sql_install.install(lake.connection, definitions)


def test_the_catalogue_follows_the_files(lake):
    first = view("1_staging", "first")
    assert install(lake, first, view("2_energy", "second", "from first"))
    assert not install(lake, first, view("2_energy", "second", "from first"))
    assert install(lake, view("1_staging", "first", "select 2 as two", "It's new."))
    assert lake.connection.fetch("from first").to_pylist() == [{"two": 2}]
    assert views(lake).to_pylist() == [
        {"name": "first", "kind": "view", "layer": "1_staging", "comment": "It's new."}
    ]
    listed = lake.connection.fetch(
        "select view_name, comment from duckdb_views() where not internal"
    )
    assert listed.to_pylist() == [{"view_name": "first", "comment": "It's new."}]


def test_a_view_may_become_a_macro(lake):
    install(lake, view("1_staging", "one"))
    text = "-- A row.\ncreate or replace macro one(x) as table select x as one"
    install(lake, parse_definition("1_staging", "one", text))
    assert lake.connection.fetch("from one(5)").to_pylist() == [{"one": 5}]


def test_what_others_put_into_the_catalogue_stays(lake):
    lake.connection.execute("create view theirs as select 1 as one")
    install(lake, view("1_staging", "first"))
    install(lake)
    assert lake.connection.fetch("from theirs").num_rows == 1


def test_a_mistake_in_a_file_is_shown_with_its_line(lake):
    with pytest.raises(ConfigError, match=r"(?s)1_staging/a\.sql: .*LINE 3: from nosuch"):
        install(lake, view("1_staging", "a", "from nosuch"))


def test_the_files_of_this_busway_are_installed(tmp_path):
    with Lake.create_or_open(tmp_path) as lake:
        names = views(lake)["name"].to_pylist()
    assert sorted(names) == sorted(d.name for d in load_definitions())
