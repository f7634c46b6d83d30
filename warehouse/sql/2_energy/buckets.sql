-- One row: a period of the window [from_at, to_at), cut along the grain in the site's time zone.
-- grain: 'window' (or null) for the window as one period, else minute, hour, day, week, month,
-- year, or an interval such as '15 minutes'. A day is the local day, so it may have 23 or 25
-- hours; shorter grains count from local midnight. The first and last period end at the window.
create or replace macro buckets(from_at, to_at, grain := 'window') as table (
with

asked as (
    select
        coalesce((select any_value(current_site.time_zone) from current_site), 'UTC') as time_zone,
        from_at::timestamptz as window_start_at,
        case
            when to_at::timestamptz > from_at::timestamptz then to_at::timestamptz
            else error(
                'the window ends at ' || to_at::varchar || ', which is not after its start '
                || from_at::varchar
            )
        end as window_end_at,
        case
            when grain is null or grain::varchar = 'window' then null
            when grain::varchar in ('minute', 'hour', 'day', 'week', 'month', 'year')
                then ('1 ' || grain::varchar)::interval
            else grain::varchar::interval
        end as step,
),

local_window as (
    select
        asked.*,
        timezone(asked.time_zone, asked.window_start_at) as local_start,
        timezone(asked.time_zone, asked.window_end_at) as local_end,
    from asked
),

long_edges as (
    select
        timezone(
            local_window.time_zone,
            unnest(generate_series(
                time_bucket(local_window.step, local_window.local_start),
                local_window.local_end,
                local_window.step
            ))
        ) as edge_at,
    from local_window
    where local_window.step >= interval '1 day'
),

local_days as (
    select
        local_window.time_zone,
        local_window.step,
        unnest(generate_series(
            date_trunc('day', local_window.local_start),
            local_window.local_end,
            interval '1 day'
        )) as local_day,
    from local_window
    where local_window.step < interval '1 day'
),

short_edges as (
    select
        unnest(range(
            timezone(local_days.time_zone, local_days.local_day),
            timezone(local_days.time_zone, local_days.local_day + interval '1 day'),
            local_days.step
        )) as edge_at,
    from local_days
),

edges as (
    select long_edges.edge_at from long_edges
    union
    select short_edges.edge_at from short_edges
    union
    select asked.window_start_at from asked
    union
    select asked.window_end_at from asked
),

final as (
    select
        row_number() over (order by edges.edge_at) as bucket,
        edges.edge_at as period_start_at,
        lead(edges.edge_at) over (order by edges.edge_at) as period_end_at,
    from edges
    inner join asked
        on edges.edge_at between asked.window_start_at and asked.window_end_at
)

select *
from final
where final.period_end_at is not null
);
