"""What roll-ups cost, and what they save: PUE of a day and of a year, beside DuckDB alone.

The minutes are of one collector's points at 1 Hz; the energies of the meters of PUE category 1 at
5 s. The year is that day, again and again: the registers go on from day to day.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from bench.commits import Commits
from bench.day import MIDNIGHT_S, write_day
from bench.harness import Figure, Goal, Scale, per_cpu_second
from bench.loads import long_series
from bench.queries import beside
from warehouse.lake import Lake
from warehouse.query import run_sql
from warehouse.rollup.periods import MONTH, roll_up_periods
from warehouse.rollup.roll_up import roll_up
from warehouse.sink import ENGINE
from warehouse.sweep import sink_present

GOAL = Goal(1.0, "value", "most")
LATER = datetime(2100, 1, 1, tzinfo=UTC)
FROM = datetime.fromtimestamp(MIDNIGHT_S, UTC)
DAYS = 365
FLUSH_S = 10
GROUPED = (
    "select count(*) from (select min(value), max(value), avg(value), arg_max(value, ts), count(*),"
    " max(quality) from readings group by time_bucket(interval 1 minute, ts), device, component,"
    " quantity)"
)
SUM_OF_REGISTERS = (
    "select sum(value) from readings where quantity = 'energy_imported_wh' and ts >= $from_at"
    " and ts < $to_at"
)
SUM_OF_DAYS = (
    "select sum(last_value - first_value) from energy_1d where quantity = 'energy_imported_wh'"
    " and day_at >= $from_at and day_at < $to_at"
)
PUE = "from pue($from_at, $to_at, 'window', 1)"
PUE_OF_READINGS = "from pue($from_at, $to_at, 'window', 1, 'readings')"
MORE_DAYS = """
    insert into energy_1d
    with
    days as (
        select * exclude (rise, n), rise, n
        from (
            select
                *,
                if(
                    quantity = 'energy_imported_wh',
                    max(last_value) over (partition by quantity, device, component)
                    - min(first_value) over (partition by quantity, device, component),
                    0
                ) as rise
            from energy_1d
        ), range(1, $days) as days(n)
    )
    select * exclude (rise, n) replace (
        day_at + to_days(n::integer) as day_at,
        cell_at + to_days(n::integer) as cell_at,
        first_at + to_days(n::integer) as first_at,
        last_at + to_days(n::integer) as last_at,
        moved_at + to_days(n::integer) as moved_at,
        first_value + n * rise as first_value,
        last_value + n * rise as last_value
    )
    from days
    order by quantity, device, component, first_at
"""
MORE_QUARTERS = """
    insert into rolled_quarters
    select quarter_at + to_days(n::integer), readings, arrived_at, rolled_up_at
    from rolled_quarters, range(1, $days) as days(n)
"""
MORE_PERIODS = """
    insert into rolled_periods
    select grain, start_at + to_days(n::integer), end_at + to_days(n::integer), rollings
    from rolled_periods, range(1, $days) as days(n)
    where grain = 'day'
"""


def figures(scale: Scale) -> Iterator[Figure]:
    """The minutes, then the energies; a quick look has no day, and so no year."""
    yield from _minutes(scale)
    hours = scale.pick(24, 3)
    rounds = scale.pick(5, 3)
    with Lake.create_or_open(scale.scratch / "energies") as lake:
        rows = write_day(lake, hours)
        rate = per_cpu_second(lambda: _rolled_up(lake, rows))()
        yield Figure("roll-up of meters", rate, "readings/s/core")
        yield Figure("energy_15m", _bytes(lake, "energy_15m"), "B/row")
        window = {"from_at": FROM, "to_at": FROM + timedelta(hours=hours)}
        scan = partial(run_sql, lake, SUM_OF_REGISTERS, window)
        for what, text in ((f"PUE of {hours} h", PUE), ("the same from readings", PUE_OF_READINGS)):
            yield beside(what, partial(run_sql, lake, text, window), scan, rounds, GOAL)
        if not scale.quick:
            yield from _year(lake, rounds)


def _minutes(scale: Scale) -> Iterator[Figure]:
    load = long_series(scale)
    series = load.series(0)
    with Lake.create_or_open(scale.scratch / "minutes", settings=ENGINE) as lake:
        with sink_present(lake):
            commits = Commits(lake)
            rows = sum(
                commits.commit([series.batch(first + second) for second in range(FLUSH_S)])
                for first in range(0, load.seconds, FLUSH_S)
            )
        bare = per_cpu_second(lambda: run_sql(lake, GROUPED).num_rows * rows)()
        rate = per_cpu_second(lambda: _rolled_up(lake, rows))()
        yield Figure(
            "roll-up to minutes", rate, "readings/s/core", bare, "DuckDB's group by", rate / bare
        )
        yield Figure("readings_1m", _bytes(lake, "readings_1m"), "B/row")


def _year(lake: Lake, rounds: int) -> Iterator[Figure]:
    for text in (MORE_DAYS, MORE_QUARTERS, MORE_PERIODS):
        lake.connection.execute(text, {"days": DAYS})
    while roll_up_periods(lake, MONTH):
        pass
    window = {"from_at": FROM, "to_at": FROM + timedelta(days=DAYS)}
    ask = partial(run_sql, lake, PUE, window)
    scan = partial(run_sql, lake, SUM_OF_DAYS, window)
    yield beside(f"PUE of {DAYS} days", ask, scan, rounds, GOAL)


def _rolled_up(lake: Lake, rows: int) -> int:
    """Roll up all there is, and give the rows it was made of."""
    while roll_up(lake, now=LATER).more:
        pass
    return rows


def _bytes(lake: Lake, table: str) -> float:
    files = run_sql(lake, f"select data_file from ducklake_list_files('lake', '{table}')")
    size = sum(Path(str(path)).stat().st_size for path in files["data_file"].to_pylist())
    return float(size / run_sql(lake, f"select count(*) as rows from {table}")["rows"][0].as_py())
