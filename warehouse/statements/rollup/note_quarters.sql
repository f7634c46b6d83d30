-- $quarters: {quarter_at, readings, arrived_at}
insert into rolled_quarters
select given.quarter_at, given.readings, given.arrived_at, now()
from (select unnest($quarters, recursive := true)) as given
