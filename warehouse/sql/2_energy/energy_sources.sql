-- One row: a quarter of an hour, or a longer stretch, in or up to an hour around the window, and
-- where its readings are looked up: in the roll-ups (`month`, `day`, `quarter`), or in the readings
-- (`readings`), where no roll-up holds all of them, and where an edge of a period cuts a quarter.
-- is_kept: a quarter of `readings` that is rolled up too, should they be gone. part: `head` up to
-- the quarter in which the window begins, `tail` from the one in which it ends, and of those within
-- `before` or `after` the first month or day. Where a meter changes nothing is cut: the roll-ups
-- have the readings around one by one. basis: `readings` leaves the roll-ups out.
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

left_quarters as (
    select
        quarters.quarter_at,
        case
            when quarters.quarter_at <= quarter_of(from_at::timestamptz) then 'head'
            when
                quarters.quarter_at >= quarter_of(to_at::timestamptz - interval '1 microsecond')
                then 'tail'
            when
                quarters.quarter_at
                < (select coalesce(min(periods.start_at), 'infinity') from periods)
                then 'before'
            else 'after'
        end as part,
        covered_quarters.quarter_at is not null and basis = 'roll-ups' as is_covered,
        cut_quarters.quarter_at is not null as is_cut,
    from quarters
    anti join period_quarters using (quarter_at)
    left join covered_quarters using (quarter_at)
    left join cut_quarters using (quarter_at)
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
