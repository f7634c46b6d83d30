-- One row: a quarter of an hour, or a longer stretch, in or up to an hour around the window, and
-- where its readings are looked up: in the roll-ups (`month`, `day`, `quarter`), or in the readings
-- (`readings`), where no roll-up holds all of them, and where an edge of a period cuts a quarter.
-- is_kept: a quarter of `readings` that is rolled up too, should they be gone. part: `head` up to
-- the quarter in which the window begins, or what is rolled up; `tail` from the one in which it
-- ends, or after what is rolled up; of those within, `before` or `after` the first month or day.
-- Where a meter changes nothing is cut: the roll-ups have the readings around one by one. basis:
-- `readings` leaves the roll-ups out.
create or replace macro energy_sources(
    from_at, to_at, grain := 'window', basis := 'roll-ups'
) as table (
with

span as (
    select
        quarter_of(from_at::timestamptz) - interval '1 hour' as start_at,
        quarter_of(to_at::timestamptz - interval '1 microsecond') + interval '75 minutes' as end_at,
),

edges as (
    select buckets.period_start_at as edge_at
    from buckets(from_at, to_at, grain) as buckets
    union
    select to_at::timestamptz
),

cut_quarters as (
    select distinct quarter_of(edges.edge_at) as quarter_at
    from edges
    where edges.edge_at <> quarter_of(edges.edge_at)
),

whole_periods as (
    select covered_periods.*
    from covered_periods
    cross join span
    anti join edges
        on edges.edge_at > covered_periods.start_at
        and edges.edge_at < covered_periods.end_at
    where
        covered_periods.start_at >= span.start_at
        and covered_periods.end_at <= span.end_at
        and basis = 'roll-ups'
),

months as (
    select whole_periods.*
    from whole_periods
    where whole_periods.grain = 'month'
),

periods as (
    select whole_periods.*
    from whole_periods
    anti join months
        on whole_periods.start_at < months.end_at
        and whole_periods.end_at > months.start_at
    where whole_periods.grain = 'day'
    union all
    select * from months
),

period_quarters as (
    select
        unnest(range(periods.start_at, periods.end_at, interval '15 minutes')) as quarter_at,
    from periods
),

quarters as (
    select unnest(range(span.start_at, span.end_at, interval '15 minutes')) as quarter_at,
    from span
),

known_quarters as (
    select
        quarters.quarter_at,
        covered_quarters.quarter_at is not null and basis = 'roll-ups' as is_covered,
        cut_quarters.quarter_at is not null as is_cut,
    from quarters
    anti join period_quarters using (quarter_at)
    left join covered_quarters using (quarter_at)
    left join cut_quarters using (quarter_at)
),

rolled as (
    select periods.start_at from periods
    union all
    select known_quarters.quarter_at from known_quarters where known_quarters.is_covered
),

rolled_span as (
    select
        coalesce(min(rolled.start_at), 'infinity') as first_at,
        coalesce(max(rolled.start_at), 'infinity') as last_at,
    from rolled
),

left_quarters as (
    select
        known_quarters.*,
        case
            when
                known_quarters.quarter_at <= quarter_of(from_at::timestamptz)
                or known_quarters.quarter_at < rolled_span.first_at
                then 'head'
            when
                known_quarters.quarter_at
                >= quarter_of(to_at::timestamptz - interval '1 microsecond')
                or known_quarters.quarter_at > rolled_span.last_at
                then 'tail'
            when
                known_quarters.quarter_at
                < (select coalesce(min(periods.start_at), 'infinity') from periods)
                then 'before'
            else 'after'
        end as part,
    from known_quarters
    cross join rolled_span
),

final as (
    select
        periods.grain as source,
        'within' as part,
        false as is_kept,
        periods.start_at,
        periods.end_at,
    from periods
    union all
    select
        if(left_quarters.is_covered and not left_quarters.is_cut, 'quarter', 'readings'),
        left_quarters.part,
        left_quarters.is_covered and left_quarters.is_cut,
        left_quarters.quarter_at,
        left_quarters.quarter_at + interval '15 minutes',
    from left_quarters
)

select * from final
);
