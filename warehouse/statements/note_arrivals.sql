-- $quarters: where the quarters of an hour begin that a commit's readings are from.
insert into arrivals
select given.quarter_at, 'readings', now(), uuid()
from (select unnest($quarters) as quarter_at) as given
