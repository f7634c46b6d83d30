-- One row: a local day or month whose roll-up holds all that is in the lake of it.
create or replace view covered_periods as (
with

quarters as (
    select
        rolled_quarters.quarter_at,
        count(*) as rollings,
    from rolled_quarters
    group by rolled_quarters.quarter_at
),

counts as (
    select
        quarters.quarter_at,
        sum(quarters.rollings) over (order by quarters.quarter_at) - quarters.rollings as before,
        sum(quarters.rollings) over (order by quarters.quarter_at) as after,
    from quarters
),

periods as (
    select
        rolled_periods.*,
        counts.before,
    from rolled_periods
    asof join counts
        on rolled_periods.start_at <= counts.quarter_at
),

whole as (
    select
        periods.grain,
        periods.start_at,
        periods.end_at,
    from periods
    asof join counts
        on periods.end_at > counts.quarter_at
    group by periods.grain, periods.start_at, periods.end_at
    -- two rows, if two roll-ups should ever have made it, are no roll-up
    having count(*) = 1 and any_value(counts.after - periods.before) = any_value(periods.rollings)
),

final as (
    select whole.*
    from whole
    anti join arrivals
        on arrivals.quarter_at >= whole.start_at
        and arrivals.quarter_at < whole.end_at
)

select * from final
);
