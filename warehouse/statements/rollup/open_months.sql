-- One row: a local month all of whose days stand in energy_1d, and which does not stand in energy_1mo
-- as they do; file_at, file_end_at: itself; rollings: of its quarters.
with

site as (
    select coalesce(any_value(current_site.time_zone), 'UTC') as time_zone from current_site
),

days as (
    select
        site.time_zone,
        date_trunc('month', timezone(site.time_zone, covered_periods.start_at)) as local_month,
        covered_periods.start_at,
        covered_periods.end_at,
        rolled_periods.rollings,
    from covered_periods
    inner join rolled_periods using (grain, start_at)
    cross join site
    where covered_periods.grain = 'day'
),

months as (
    select
        timezone(days.time_zone, days.local_month) as start_at,
        timezone(days.time_zone, days.local_month + interval '1 month') as end_at,
        sum(seconds_between(days.start_at, days.end_at)) as covered_s,
        sum(days.rollings)::bigint as rollings,
    from days
    group by days.time_zone, days.local_month
),

final as (
    select
        months.* exclude (covered_s),
        months.start_at as file_at,
        months.end_at as file_end_at,
    from months
    anti join (from covered_periods where covered_periods.grain = 'month') as done
        on months.start_at < done.end_at
        and months.end_at > done.start_at
    where months.covered_s = seconds_between(months.start_at, months.end_at)
)

select *
from final
order by final.start_at desc
