-- One row: a local day that is over, all of whose quarters are rolled up, and which does not stand
-- in energy_1d as they are; file_at, file_end_at: the local month it is in; rollings: of them.
with

site as (
    select coalesce(any_value(current_site.time_zone), 'UTC') as time_zone from current_site
),

local_quarters as (
    select
        site.time_zone,
        date_trunc('day', timezone(site.time_zone, covered_quarters.quarter_at)) as local_day,
        covered_quarters.quarter_at,
    from covered_quarters
    cross join site
),

rollings as (
    select
        rolled_quarters.quarter_at,
        count(*) as rollings,
    from rolled_quarters
    group by rolled_quarters.quarter_at
),

days as (
    select
        timezone(local_quarters.time_zone, local_quarters.local_day) as start_at,
        timezone(local_quarters.time_zone, local_quarters.local_day + interval '1 day') as end_at,
        timezone(
            local_quarters.time_zone, date_trunc('month', local_quarters.local_day)
        ) as file_at,
        timezone(
            local_quarters.time_zone,
            date_trunc('month', local_quarters.local_day) + interval '1 month'
        ) as file_end_at,
        count(*) as quarters,
        sum(rollings.rollings)::bigint as rollings,
    from local_quarters
    inner join rollings using (quarter_at)
    group by local_quarters.time_zone, local_quarters.local_day
),

final as (
    select days.* exclude (quarters)
    from days
    anti join (from covered_periods where covered_periods.grain = 'day') as done
        on days.start_at < done.end_at
        and days.end_at > done.start_at
    where days.quarters * 900 = seconds_between(days.start_at, days.end_at)
)

select *
from final
order by final.start_at desc
