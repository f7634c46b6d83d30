-- $closed_before. One row: a quarter that is not over and has many rows in arrivals: their ids, and
-- the latest commit.
select
    arrivals.quarter_at,
    max(arrivals.committed_at) as committed_at,
    list(arrivals.arrival::varchar) as arrivals,
from arrivals
where arrivals.quarter_at + interval '15 minutes' > $closed_before
group by arrivals.quarter_at
having count(*) > 200
