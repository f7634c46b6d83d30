-- $quarters: {quarter_at, committed_at}: one row of each instead of those taken away.
insert into arrivals
select given.quarter_at, 'readings', given.committed_at, uuid()
from (select unnest($quarters, recursive := true)) as given
