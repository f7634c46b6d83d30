from __future__ import annotations

from collectors.profile import SnmpLimits, SnmpPoint, SnmpSection
from collectors.snmp.layout import Findings, build_layout
from collectors.snmp.oid import parse_oid
from collectors.snmp.planner import plan, unasked
from collectors.snmp.session import Missing, Request
from collectors.snmp.sizes import Sizes

CURRENT, POWER, LOAD = (1, 3, 1, 5), (1, 3, 1, 6), (1, 3, 9, 0)
SIZES = Sizes(get=4, bulk=6, most_get=4, most_bulk=6)


def section(*points):
    return SnmpSection(points=points)


def column(quantity, oid, index="{outlet}", **given):
    text = ".".join(map(str, oid))
    return SnmpPoint(quantity=quantity, oid=text, index=index, component="outlet.{outlet}", **given)


def layout_of(points, rows, cells=None, keep=frozenset()):
    findings = Findings({k: list(v) for k, v in rows.items()}, cells or {})
    return build_layout(section(*points), findings, keep)


def test_columns_with_the_same_rows_share_one_getbulk():
    rows = [(1,), (2,), (3,)]
    points = [column("current_a", CURRENT), column("active_power_w", POWER)]
    layout = layout_of(points, {CURRENT: rows, POWER: rows})
    assert plan(layout, SIZES) == (Request((CURRENT, POWER), 3),)


def test_a_long_column_is_read_in_pieces_that_the_agent_bears():
    rows = [(n,) for n in range(1, 15)]
    layout = layout_of([column("current_a", CURRENT)], {CURRENT: rows})
    assert plan(layout, SIZES) == (
        Request((CURRENT,), 6),
        Request(((*CURRENT, 6),), 6),
        Request(((*CURRENT, 12),), 2),
    )


def test_rows_among_many_unwanted_ones_are_read_by_get():
    rows = [(1, outlet, kind) for outlet in (1, 2, 3) for kind in range(1, 9)]
    layout = layout_of([column("current_a", CURRENT, "1.{outlet}.5")], {CURRENT: rows})
    wanted = tuple((*CURRENT, 1, outlet, 5) for outlet in (1, 2, 3))
    assert plan(layout, SIZES) == (Request(wanted),)


def test_a_run_starts_after_the_row_before_it():
    rows = [(0, n) for n in range(5)] + [(1, n) for n in range(3)]
    layout = layout_of([column("current_a", CURRENT, "1.{outlet}")], {CURRENT: rows})
    assert plan(layout, SIZES) == (Request(((*CURRENT, 0, 4),), 3),)


def test_snmpv1_is_asked_by_get_alone():
    rows = [(n,) for n in range(1, 7)]
    layout = layout_of([column("current_a", CURRENT)], {CURRENT: rows})
    asked = plan(layout, SIZES, bulk=False)
    assert [request.repetitions for request in asked] == [0, 0]
    assert [oid for request in asked for oid in request.oids] == list(layout.oids)


def test_what_was_not_brought_is_asked_again():
    layout = layout_of([column("current_a", CURRENT)], {CURRENT: [(1,), (2,), (3,)]})
    assert unasked(layout, {(*CURRENT, 1), (*CURRENT, 3)}) == [(*CURRENT, 2)]


def test_a_row_without_a_sensor_is_left_out():
    points = [column("current_a", CURRENT, available_oid="1.3.1.2")]
    cells = {(1, 3, 1, 2, 1): 1, (1, 3, 1, 2, 2): 2, (1, 3, 1, 2, 3): Missing.NO_SUCH_OBJECT}
    layout = layout_of(points, {CURRENT: [(1,), (2,), (3,)]}, cells)
    assert layout.components == ("outlet.1", "outlet.3")


def test_the_row_is_found_by_what_the_device_calls_it():
    point = SnmpPoint(
        quantity="return_temperature_c",
        oid="1.3.1.3",
        index="{row}",
        where={"oid": "1.3.1.2", "equals": "1.3.7.2"},
    )
    cells = {(1, 3, 1, 2, 1): (1, 3, 7, 1), (1, 3, 1, 2, 2): (1, 3, 7, 2)}
    layout = layout_of([point], {(1, 3, 1, 3): [(1,), (2,)]}, cells)
    assert layout.oids == ((1, 3, 1, 3, 2),)
    assert layout.sources == ("1.3.1.3.2",)


def test_digits_are_the_row_s_own():
    points = [column("current_a", CURRENT, digits={"oid": "1.3.1.9", "typical": 2})]
    cells = {(1, 3, 1, 9, 1): 3, (1, 3, 1, 9, 2): 99}
    layout = layout_of(points, {CURRENT: [(1,), (2,), (3,)]}, cells)
    assert layout.digits == (3, None, None)


def test_a_scalar_that_never_answered_is_left_out_and_one_that_did_is_kept():
    point = SnmpPoint(quantity="active_power_w", oid="1.3.9.0")
    absent = {LOAD: Missing.NO_SUCH_OBJECT}
    assert layout_of([point], {}, absent).oids == ()
    assert layout_of([point], {}, {LOAD: 5}).oids == (LOAD,)
    assert layout_of([point], {}, absent, keep=frozenset([LOAD])).oids == (LOAD,)


def test_rows_that_come_or_go_are_noticed():
    rows = [(1,), (2,)]
    layout = layout_of([column("current_a", CURRENT)], {CURRENT: rows})
    known = {(*CURRENT, 1): 5, (*CURRENT, 2): 6}
    assert not layout.differs_from(known)
    assert layout.differs_from({**known, (*CURRENT, 3): 7})
    assert layout.differs_from({**known, (*CURRENT, 2): Missing.NO_SUCH_INSTANCE})


def test_a_second_survey_that_finds_the_same_changes_nothing():
    points = section(column("current_a", CURRENT))
    first = build_layout(points, Findings({CURRENT: [(1,), (2,)]}))
    assert build_layout(points, Findings({CURRENT: [(1,), (2,)]})) is first
    assert build_layout(points, Findings({CURRENT: [(1,)]})) is not first


def test_devices_of_one_model_share_all_but_their_name():
    layout = layout_of([column("current_a", CURRENT)], {CURRENT: [(1,)]})
    one, other = layout.table("pdu-a"), layout.table("pdu-b")
    assert (one.device, other.device) == ("pdu-a", "pdu-b")
    assert one.components is other.components
    assert one.sources is other.sources


def test_sizes_shrink_for_good_when_too_big_and_for_a_while_when_lost():
    sizes = Sizes.of(SnmpLimits(varbinds_per_get=24, max_repetitions=20))
    sizes.slow_down(Request(((1, 3),) * 24))
    assert (sizes.get, sizes.most_get) == (12, 24)
    sizes.too_big(Request(((1, 3),), 20))
    assert (sizes.bulk, sizes.most_bulk) == (10, 10)
    for _ in range(30):
        sizes.speed_up()
    assert (sizes.get, sizes.bulk) == (24, 10)
    sizes.truncated(7)
    assert (sizes.bulk, sizes.most_bulk) == (7, 7)


def test_oids_are_parsed_with_or_without_a_leading_dot():
    assert parse_oid(".1.3.6") == parse_oid("1.3.6") == (1, 3, 6)


def test_a_table_that_fits_beside_what_is_asked_by_get_costs_no_request():
    rows = [(1,), (2,), (3,)]
    load = SnmpPoint(quantity="load_ratio", oid="1.3.9.0")
    points = [column("current_a", CURRENT), load]
    layout = layout_of(points, {CURRENT: rows}, {LOAD: 1})
    assert plan(layout, SIZES) == (Request((*((*CURRENT, *row) for row in rows), LOAD)),)
    rows.append((4,))
    layout = layout_of(points, {CURRENT: rows}, {LOAD: 1})
    assert plan(layout, SIZES) == (Request((CURRENT,), 4), Request((LOAD,)))
