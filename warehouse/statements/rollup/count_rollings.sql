-- $start_at, $end_at: how often quarters from one up to the other were rolled up, all together.
select count(*) as rollings
from rolled_quarters
where rolled_quarters.quarter_at >= $start_at and rolled_quarters.quarter_at < $end_at
