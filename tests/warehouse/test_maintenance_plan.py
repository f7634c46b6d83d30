"""Which files are merged, and which are left."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from warehouse.maintenance.plan import (
    MOST_BYTES,
    MOST_FILES,
    SMALL_BYTES,
    SPANS,
    LakeFile,
    period_start,
    plan_units,
)

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
QUARTER, DAY = SPANS
MEGABYTE = 1_000_000


def file(number: int, at: datetime, size: int = MEGABYTE, *, rows: int = 1000) -> LakeFile:
    return LakeFile(number, f"{number}.parquet", rows, size, at, at + timedelta(seconds=2))


def numbers(units) -> list[list[int]]:
    return [[one.number for one in unit] for unit in units]


def test_the_files_of_a_closed_quarter_become_one():
    files = [file(n, NOON + timedelta(minutes=n)) for n in range(15)]
    assert numbers(plan_units(files, NOON + timedelta(minutes=18))) == [list(range(15))]


def test_an_open_quarter_is_left():
    files = [file(n, NOON + timedelta(minutes=n)) for n in range(15)]
    assert plan_units(files, NOON + timedelta(minutes=16)) == []


def test_what_quarters_became_is_merged_once_more_when_the_day_is_over():
    files = [file(n, NOON + n * QUARTER, 20 * MEGABYTE) for n in range(10)]
    assert plan_units(files, NOON + timedelta(hours=11)) == []
    assert numbers(plan_units(files, NOON + timedelta(hours=13))) == [list(range(10))]


def test_a_large_file_is_left():
    files = [file(n, NOON, SMALL_BYTES) for n in range(3)]
    assert plan_units(files, NOON + DAY) == []


def test_a_few_late_rows_do_not_rewrite_a_large_file():
    large = file(0, NOON, 100 * MEGABYTE)
    late = [file(n, NOON, 10_000) for n in range(1, 30)]
    assert plan_units([large, *late[:10]], NOON + timedelta(hours=1)) == []
    assert len(plan_units([large, *late], NOON + timedelta(hours=1))) == 1


def test_a_broken_clock_opens_no_period():
    """Rows of 1970 or of 2150 are merged with those that came with them."""
    for odd in (datetime(1970, 1, 1, tzinfo=UTC), datetime(2150, 1, 1, tzinfo=UTC)):
        strange = LakeFile(1, "strange.parquet", 10, 10, odd, NOON)
        assert period_start(strange, QUARTER) == NOON
        assert len(plan_units([strange, file(2, NOON, 10)], NOON + timedelta(hours=1))) == 1


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3 * 86_400), st.integers(1, 2 * SMALL_BYTES), st.integers(1, 4_000_000)
        ),
        max_size=60,
    )
)
def test_units_are_disjoint_and_within_their_bounds(found):
    files = [
        file(n, NOON + timedelta(seconds=after), size, rows=rows)
        for n, (after, size, rows) in enumerate(found)
    ]
    units = plan_units(files, NOON + timedelta(days=5))
    taken = [one.number for unit in units for one in unit]
    assert len(taken) == len(set(taken))
    for unit in units:
        assert 2 <= len(unit) <= MOST_FILES
        assert sum(one.bytes for one in unit) <= MOST_BYTES
        assert len({period_start(one, DAY) for one in unit}) == 1
