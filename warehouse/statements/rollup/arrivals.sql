-- $start_at, $end_at: what has arrived for quarters from one up to the other and was not rolled up.
select
    arrivals.quarter_at,
    arrivals.committed_at,
    arrivals.arrival::varchar as arrival,
from arrivals
where arrivals.quarter_at >= $start_at and arrivals.quarter_at < $end_at
order by arrivals.quarter_at, arrivals.committed_at, arrivals.arrival
