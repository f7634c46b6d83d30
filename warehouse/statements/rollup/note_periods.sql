-- $grain, $periods: {start_at, end_at, rollings}
insert into rolled_periods
select $grain, given.start_at, given.end_at, given.rollings
from (select unnest($periods, recursive := true)) as given
