-- $start_at, $end_at: quarters from one up to the other that were ever rolled up: how often, and
-- their readings the last time.
select
    rolled_quarters.quarter_at,
    count(*) as rollings,
    arg_max(rolled_quarters.readings, rolled_quarters.rolled_up_at) as readings,
from rolled_quarters
where rolled_quarters.quarter_at >= $start_at and rolled_quarters.quarter_at < $end_at
group by rolled_quarters.quarter_at
