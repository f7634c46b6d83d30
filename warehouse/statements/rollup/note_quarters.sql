-- given: quarter_at, readings, arrived_at
insert into rolled_quarters
select given.quarter_at, given.readings, given.arrived_at, now()
from given
